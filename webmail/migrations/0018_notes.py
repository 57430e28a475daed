import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

KINDS = [("letter", "Letter"), ("receipt", "Read receipt"), ("leaving", "Leaving a mailing list")]
OUTCOMES = [("asking", "Being asked"), ("asked", "Asked by mail"), ("done", "Accepted"), ("failed", "Not accepted")]


class Migration(migrations.Migration):
    dependencies = [("webmail", "0017_sealed")]

    operations = [
        migrations.AddField(
            "submission", "kind", models.CharField(choices=KINDS, default="letter", max_length=8)
        ),
        migrations.CreateModel(
            name="Unsubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_hash", models.BigIntegerField()),
                ("outcome", models.CharField(choices=OUTCOMES, max_length=8)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unsubscriptions",
                        to="webmail.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "list_hash"), name="unsubscription_once")
                ],
            },
        ),
    ]
