from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webmail", "0014_keys_and_gestures")]

    operations = [
        migrations.AddField("account", "colours", models.JSONField(blank=True, default=dict, editable=False)),
        migrations.AddField("account", "quota_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("account", "quota_limit", models.PositiveBigIntegerField(default=0, editable=False)),
        migrations.AddField("account", "quota_used", models.PositiveBigIntegerField(default=0, editable=False)),
    ]
