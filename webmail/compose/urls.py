"""Addresses of what is being written and of what is on its way."""

from django.urls import path

from . import answers, outgoing, redirecting, saved_words, senders, views

urlpatterns = [
    path("write/", views.write, name="write"),
    path("write/from/", answers.begin_several, name="write-from-several"),
    path("write/from/<int:pk>/", answers.begin, name="write-from"),
    path("write/redirect/<int:pk>/", redirecting.redirect, name="write-redirect"),
    path("write/<uuid:pk>/", views.draft, name="draft"),
    path("write/<uuid:pk>/files/<uuid:file>/", views.file, name="draft-file"),
    path("write/templates/<int:pk>/", saved_words.filled, name="template-filled"),
    path("settings/templates/", saved_words.listed, name="templates"),
    path("settings/templates/preview/", saved_words.preview, name="template-preview"),
    path("settings/templates/<int:pk>/", saved_words.edit, name="template"),
    path("settings/identities/", senders.listed, name="identities"),
    path("settings/identities/preview/", senders.preview, name="identity-preview"),
    path("settings/identities/<int:pk>/", senders.edit, name="identity"),
    path("outbox/", outgoing.show, name="outbox"),
    path("outbox/<uuid:pk>/", outgoing.act, name="outbox-act"),
]
