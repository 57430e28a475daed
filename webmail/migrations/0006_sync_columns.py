"""What the sync engine keeps: when an account is due, whose a mailbox is, what it is for, and what is stale."""

import django.utils.timezone
from django.db import migrations, models


def keep_roles(apps, schema_editor):
    """Until the next list is read, what a mailbox is for is what it was."""
    apps.get_model("webmail", "Mailbox").objects.update(listed_role=models.F("role"))


class Migration(migrations.Migration):

    dependencies = [
        ('webmail', '0005_save_attachments'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='message',
            name='message_unlinked',
        ),
        migrations.AddField(
            model_name='account',
            name='upkeep_at',
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='chosen_role',
            field=models.CharField(blank=True, choices=[('', 'None'), ('inbox', 'Inbox'), ('drafts', 'Drafts'), ('sent', 'Sent'), ('archive', 'Archive'), ('junk', 'Junk'), ('trash', 'Trash')], default='', max_length=8),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='listed_role',
            field=models.CharField(blank=True, choices=[('', 'None'), ('inbox', 'Inbox'), ('drafts', 'Drafts'), ('sent', 'Sent'), ('archive', 'Archive'), ('junk', 'Junk'), ('trash', 'Trash')], default='', max_length=8),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='read_only',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='retry_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='space',
            field=models.CharField(choices=[('own', 'Own'), ('other', "Another person's"), ('shared', 'Shared')], default='own', max_length=8),
        ),
        migrations.AddField(
            model_name='mailbox',
            name='stale',
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('unlinked_at__isnull', False)), fields=['account', 'unlinked_at'], name='message_unlinked'),
        ),
        migrations.RunPython(keep_roles, migrations.RunPython.noop),
    ]
