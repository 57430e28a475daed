"""Addresses of the event stream and of what a page asks when it hears of news."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.stream, name="live"),
]
