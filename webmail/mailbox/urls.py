"""Addresses of mailboxes."""

from django.urls import path

from . import acts, exporting, importing, managing, views

urlpatterns = [
    path("<int:pk>/", views.show, name="mailbox"),
    path("<int:pk>/check/", views.check, name="mailbox-check"),
    path("<int:pk>/reconcile/", views.reconcile, name="mailbox-reconcile"),
    path("<int:pk>/act/", acts.act, name="mailbox-act"),
    path("of/<int:pk>/", managing.show, name="mailboxes"),
    path("of/<int:pk>/new/", managing.create, name="mailbox-create"),
    path("of/<int:pk>/space/", managing.room, name="space"),
    path("<int:pk>/rename/", managing.rename, name="mailbox-rename"),
    path("<int:pk>/delete/", managing.delete, name="mailbox-delete"),
    path("<int:pk>/subscribe/", managing.subscribe, name="mailbox-subscribe"),
    path("<int:pk>/colour/", managing.colour, name="mailbox-colour"),
    path("<int:pk>/empty/", managing.empty, name="mailbox-empty"),
    path("<int:pk>/export/", exporting.export, name="mailbox-export"),
    path("<int:pk>/import/", importing.show, name="mailbox-import"),
    path("<int:pk>/import/piece/", importing.take, name="mailbox-import-piece"),
    path("<int:pk>/targets/", acts.targets, name="mailbox-targets"),
]
