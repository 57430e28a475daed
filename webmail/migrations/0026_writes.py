from django.db import migrations, models

CHOICES = [
    ("as", "In plain text; answers as the mail they answer"),
    ("rich", "With formatting"),
    ("plain", "In plain text"),
]


class Migration(migrations.Migration):
    dependencies = [("webmail", "0025_no_origin")]

    operations = [
        migrations.AddField(
            "user",
            "writes",
            models.CharField("messages are written", max_length=8, choices=CHOICES, default="as"),
        )
    ]
