"""The one Django app."""

from django.apps import AppConfig

from .celery import app as celery_app


class WebmailConfig(AppConfig):
    name = "webmail"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Web mail"

    def ready(self) -> None:
        """Tasks sent by a page or a command go to our broker: without an application Celery tries one of its own."""
        celery_app.set_default()
