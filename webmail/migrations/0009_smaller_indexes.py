"""Half the room for what finds messages by sender, subject and Message-ID."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Left

from webmail.models.message import hash_of


def shorten(apps, schema_editor):
    """Cut what sorting compares to its new length."""
    apps.get_model("webmail", "Message").objects.update(subject_key=Left("subject_key", 32))


def fill(apps, schema_editor):
    """Work out the hashes of the rows there are."""
    messages = apps.get_model("webmail", "Message").objects
    last = 0
    while rows := list(messages.filter(pk__gt=last).order_by("pk").only("sender_address", "message_id")[:2000]):
        for row in rows:
            row.sender_hash, row.message_hash = hash_of(row.sender_address.lower()), hash_of(row.message_id)
        messages.bulk_update(rows, ["sender_hash", "message_hash"])
        last = rows[-1].pk


class Migration(migrations.Migration):

    dependencies = [
        ('webmail', '0008_watch'),
    ]

    # PostgreSQL alters no table in the transaction that has just written to it.
    atomic = False

    operations = [
        migrations.RunPython(shorten, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name='message',
            name='message_by_message_id',
        ),
        migrations.RemoveIndex(
            model_name='message',
            name='message_by_address',
        ),
        migrations.AddField(
            model_name='message',
            name='message_hash',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='message',
            name='sender_hash',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='message',
            name='subject_key',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('mailbox__isnull', False)), fields=['account', 'sender_hash', 'date'], name='message_by_address'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['message_hash'], name='message_by_message_id'),
        ),
    ]
