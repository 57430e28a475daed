from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webmail", "0013_hints")]

    operations = [
        migrations.AddField("user", "keys", models.JSONField(blank=True, default=dict, editable=False)),
        migrations.AddField(
            "user", "single_keys", models.BooleanField(default=True, verbose_name="keys without Ctrl")
        ),
        migrations.AddField(
            "user",
            "swipe_left",
            models.CharField(
                choices=[
                    ("archive", "Archive"),
                    ("delete", "Delete"),
                    ("read", "Mark read or unread"),
                    ("none", "Nothing"),
                ],
                default="delete",
                max_length=8,
            ),
        ),
        migrations.AddField(
            "user",
            "swipe_right",
            models.CharField(
                choices=[
                    ("archive", "Archive"),
                    ("delete", "Delete"),
                    ("read", "Mark read or unread"),
                    ("none", "Nothing"),
                ],
                default="archive",
                max_length=8,
            ),
        ),
    ]
