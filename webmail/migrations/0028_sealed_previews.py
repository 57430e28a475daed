import webmail.models.sealed
from django.db import migrations


class Migration(migrations.Migration):
    """The first words of messages lie sealed. Those that were read are read again: they are part of the index."""

    dependencies = [("webmail", "0027_templates")]

    operations = [
        migrations.RemoveField("message", "preview"),
        migrations.AddField("message", "preview", webmail.models.sealed.SealedText(null=True)),
    ]
