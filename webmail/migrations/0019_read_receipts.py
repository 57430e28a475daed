from django.db import migrations, models

CHOICES = [
    ("ask", "Ask me"),
    ("always", "Send it, and ask when in doubt"),
    ("never", "Never send it"),
]


class Migration(migrations.Migration):
    dependencies = [("webmail", "0018_notes")]

    operations = [
        migrations.AddField(
            "user", "read_receipts", models.CharField(choices=CHOICES, default="ask", max_length=8)
        ),
    ]
