from django.db import migrations, models

ALL = "new outside many sender attachment"


def hide_all(apps, schema_editor):
    """Whoever wanted no hints wants none of them."""
    apps.get_model("webmail", "User").objects.filter(hints_before_sending=False).update(hidden_hints=ALL)


class Migration(migrations.Migration):
    dependencies = [("webmail", "0021_house_style")]

    operations = [
        migrations.AddField(
            "user", "hidden_hints", models.CharField(blank=True, default="", editable=False, max_length=60),
            preserve_default=False,
        ),
        migrations.RunPython(hide_all, migrations.RunPython.noop),
        migrations.RemoveField("user", "hints_before_sending"),
    ]
