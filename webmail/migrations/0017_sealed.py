from django.db import migrations

from webmail.models import sealed

TEXTS = ("text", "html")


def seal(apps, schema_editor):
    draft = apps.get_model("webmail", "Draft")
    for row in draft.objects.defer(*TEXTS).iterator(chunk_size=100):
        row.text, row.html = row.plain_text, row.plain_html
        row.save(update_fields=TEXTS)
    _seal_in_place(apps.get_model("webmail", "DraftFile"), "data")
    _seal_in_place(apps.get_model("webmail", "Submission"), "message")


def _seal_in_place(model, name):
    """One after the other: each may have 25 MB."""
    rows = model.objects.exclude(**{name: None})
    field = model._meta.get_field(name)
    for key in list(rows.values_list("pk", flat=True)):
        plain = rows.values_list(name, flat=True).get(pk=key)
        made = sealed.seal_bytes(field.context(key), bytes(plain))
        rows.filter(pk=key).update(**{name: sealed.Sealed(made)})


class Migration(migrations.Migration):
    dependencies = [("webmail", "0016_reports")]

    operations = [
        migrations.RenameField("draft", "text", "plain_text"),
        migrations.RenameField("draft", "html", "plain_html"),
        migrations.AddField("draft", "text", sealed.SealedText(blank=True, default=sealed.Sealed)),
        migrations.AddField("draft", "html", sealed.SealedText(blank=True, default=sealed.Sealed)),
        migrations.AlterField("draftfile", "data", sealed.SealedBytes()),
        migrations.AlterField("submission", "message", sealed.SealedBytes(null=True)),
        migrations.RunPython(seal, elidable=True),
        migrations.AlterField("draft", "text", sealed.SealedText(blank=True, default=str)),
        migrations.AlterField("draft", "html", sealed.SealedText(blank=True, default=str)),
        migrations.RemoveField("draft", "plain_text"),
        migrations.RemoveField("draft", "plain_html"),
    ]
