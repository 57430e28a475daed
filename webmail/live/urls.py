"""Addresses of the event stream and of what a page asks when it hears of news."""

from django.urls import path

from . import views

urlpatterns = [
    # In every deployment another server has this address than the rest (see `demo.front` and deploy/Caddyfile).
    path("live/", views.stream, name="live"),
    path("news/", views.news, name="news"),
]
