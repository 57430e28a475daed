"""Addresses about people, and of the pages that belong to no feature."""

from django.urls import path

from .views import at_provider, doctor, entrance, machine, mail_accounts, settings

urlpatterns = [
    path("", entrance.home, name="home"),
    path("sign-in/", entrance.sign_in, name="sign-in"),
    path("sign-in/return/", at_provider.come_back, name="provider-return"),
    path("sign-out/", entrance.sign_out, name="sign-out"),
    path("help/", entrance.help_page, name="help"),
    path("settings/", settings.show, name="settings"),
    path("settings/preferences/", settings.preferences, name="preferences"),
    path("settings/keys/", settings.keys, name="keys"),
    path("settings/password/", settings.password, name="password"),
    path("settings/sessions/end/", settings.end_session, name="session-end"),
    path("settings/images/forget/", settings.forget_sender, name="sender-forget"),
    path("settings/accounts/add/", mail_accounts.add, name="account-add"),
    path("settings/accounts/<int:pk>/", mail_accounts.show, name="account"),
    path("settings/accounts/<int:pk>/roles/", mail_accounts.roles, name="account-roles"),
    path("settings/accounts/<int:pk>/doctor/", doctor.show, name="account-doctor"),
    path("settings/accounts/<int:pk>/connect/", at_provider.connect, name="account-connect"),
    path("settings/accounts/<int:pk>/disconnect/", at_provider.disconnect, name="account-disconnect"),
    path("settings/accounts/<int:pk>/remove/", mail_accounts.remove, name="account-remove"),
    path("csp-report", machine.csp_report, name="csp-report"),
    path("healthz", machine.healthz, name="healthz"),
]
