"""The Celery application: a wake-up call, never the truth (law 3)."""

import os

from celery import Celery
from celery.signals import task_postrun
from kombu.transport import TRANSPORT_ALIASES

from . import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webmail.settings")

TRANSPORT_ALIASES["redis"] = "webmail.broker:Transport"

app = Celery("webmail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["webmail"])

task_postrun.connect(memory.give_back)
