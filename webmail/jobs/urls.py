"""Addresses of what was done."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.show, name="activity"),
    path("refused/", views.refusals, name="job-refusals"),
    path("undo/", views.undo, name="job-undo"),
    path("retry/", views.retry, name="job-retry"),
    path("cancel/", views.cancel, name="job-cancel"),
]
