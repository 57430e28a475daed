"""Addresses of people."""

from django.urls import path

from . import acts, files, groups, sender, views

urlpatterns = [
    path("", views.listed, name="people"),
    path("act/", acts.act, name="people-act"),
    path("of/", sender.card, name="people-of"),
    path("complete/", views.complete, name="people-complete"),
    path("read/", views.read, name="people-read"),
    path("import/", files.take, name="people-import"),
    path("export/", files.give, name="people-export"),
    path("groups/", groups.add, name="group-add"),
    path("groups/<int:pk>/", groups.edit, name="group"),
    path("<int:pk>/", views.edit, name="person"),
    path("<int:pk>/mail/", views.mail, name="person-mail"),
]
