"""Addresses of messages and of what is in them."""

from django.urls import path

from . import aspects, darken, files, images, parts, receipting, saving, unsubscribing, views

urlpatterns = [
    path("<int:pk>/", views.show, name="message"),
    path("<int:pk>/flag/", views.flag, name="message-flag"),
    path("<int:pk>/source/", views.source, name="message-source"),
    path("<int:pk>/headers/", aspects.headers, name="message-headers"),
    path("<int:pk>/print/", aspects.paper, name="message-print"),
    path("<int:pk>/text-size/", aspects.text_size, name="message-text-size"),
    path("<int:pk>/darken/", darken.darken, name="message-darken"),
    path("<int:pk>/frame/", parts.frame, name="message-frame"),
    path("<int:pk>/inside/<str:section>/", views.inside, name="message-inside"),
    path("<int:pk>/inside/<str:section>/frame/", parts.frame, name="message-inside-frame"),
    path("<int:pk>/inside/<str:section>/images/", images.show, name="message-inside-images"),
    path("<int:pk>/inside/<str:section>/remote/<str:token>/", images.image, name="message-inside-remote"),
    path("<int:pk>/part/<str:section>/", parts.part, name="message-part"),
    path("<int:pk>/inline/<str:section>/", parts.inline, name="message-inline"),
    path("<int:pk>/images/", images.show, name="message-images"),
    path("<int:pk>/remote/<str:token>/", images.image, name="message-remote"),
    path("<int:pk>/raw/", parts.raw, name="message-raw"),
    path("<int:pk>/files/", files.cards, name="message-files"),
    path("<int:pk>/zip/", files.archive, name="message-zip"),
    path("<int:pk>/preview/<str:section>/", files.preview, name="message-preview"),
    path("<int:pk>/thumbnail/<str:section>/", files.thumbnail, name="message-thumbnail"),
    path("<int:pk>/picture/<str:section>/<int:page>/", files.picture, name="message-picture"),
    path("<int:pk>/save/<str:section>/", saving.save, name="message-save"),
    path("<int:pk>/receipt/", receipting.receipt, name="message-receipt"),
    path("<int:pk>/unsubscribe/", unsubscribing.unsubscribe, name="message-unsubscribe"),
]
