"""What an administrator lets one account write as."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webmail", "0032_people")]

    operations = [
        migrations.AddField(
            "account",
            "aliases",
            models.TextField(
                blank=True,
                default="",
                help_text="Further From addresses that its owner may add, beside those that the provider allows to "
                "everybody. One a line; *@example.com allows all of a domain.",
                verbose_name="may also write as",
            ),
            preserve_default=False,
        ),
    ]
