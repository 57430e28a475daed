from django.db import migrations, models

FOOTER = "Put below whatever people of this provider send; {name} and {address} are the sender's."
SIGNATURE = (
    "People of this provider have this one instead of their own; {name} and {address} are the sender's. "
    "They see it in what they write and can change it there; what must stand below is the footer."
)
FORMATTED = "In HTML, for messages with formatting. Empty, the one above is used."


def text(name: str, help_text: str) -> models.TextField:
    return models.TextField(name, blank=True, default="", help_text=help_text)


class Migration(migrations.Migration):
    dependencies = [("webmail", "0020_draft_copies")]

    operations = [
        migrations.AlterField("provider", "footer", models.TextField("footer", blank=True, help_text=FOOTER)),
        migrations.AddField("provider", "footer_html", text("formatted footer", FORMATTED), preserve_default=False),
        migrations.AddField("provider", "signature", text("signature for everybody", SIGNATURE), preserve_default=False),
        migrations.AddField(
            "provider", "signature_html", text("formatted signature", FORMATTED), preserve_default=False
        ),
    ]
