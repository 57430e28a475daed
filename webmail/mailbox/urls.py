"""Addresses of mailboxes."""

from django.urls import path

from . import views

urlpatterns = [
    path("<int:pk>/", views.show, name="mailbox"),
    path("<int:pk>/check/", views.check, name="mailbox-check"),
    path("<int:pk>/reconcile/", views.reconcile, name="mailbox-reconcile"),
]
