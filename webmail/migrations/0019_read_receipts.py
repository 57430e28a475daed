from django.db import migrations, models

CHOICES = [
    ("ask", "Ask me"),
    ("always", "Send them, and ask where it is doubtful who gets one"),
    ("never", "Never send one"),
]


class Migration(migrations.Migration):
    dependencies = [("webmail", "0018_notes")]

    operations = [
        migrations.AddField(
            "user", "read_receipts", models.CharField(choices=CHOICES, default="ask", max_length=8)
        ),
    ]
