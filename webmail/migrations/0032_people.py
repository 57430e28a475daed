"""People with several addresses, phones and a birthday; what else their cards said; forgetting that can be undone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webmail", "0031_draft_as_sent")]

    operations = [
        migrations.RenameField("contact", "phone", "phones"),
        migrations.AlterField("contact", "phones", models.TextField(blank=True)),
        migrations.AddField("contact", "birthday", models.CharField(blank=True, max_length=10, default=""), preserve_default=False),
        migrations.AddField("contact", "forgotten_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "contact",
            "of",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="others", to="webmail.contact"
            ),
        ),
        migrations.CreateModel(
            name="ContactCard",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="card",
                        serialize=False,
                        to="webmail.contact",
                    ),
                ),
                ("lines", models.TextField()),
            ],
        ),
        migrations.AddField(
            "user", "collects_people", models.BooleanField(default=True, verbose_name="Remember whom I write to")
        ),
    ]
