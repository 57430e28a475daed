import django.db.models.deletion
from django.db import migrations, models

KINDS = [("delivery", "Delivery report"), ("receipt", "Read receipt")]


class Migration(migrations.Migration):
    dependencies = [("webmail", "0015_colours_and_quota")]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                ("message_id", models.CharField(max_length=500)),
                ("message_hash", models.BigIntegerField()),
                ("recipient", models.CharField(max_length=254)),
                ("outcome", models.CharField(max_length=12)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("said", models.CharField(blank=True, max_length=500)),
                ("report_hash", models.BigIntegerField(default=0)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="webmail.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "message_hash", "kind", "recipient"), name="report_of_each_recipient"
                    )
                ],
            },
        ),
    ]
