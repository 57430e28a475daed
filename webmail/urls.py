"""Every address of the product, feature by feature."""

from django.urls import include, path

from webmail.admin import site

urlpatterns = [
    path("", include("webmail.accounts.urls")),
    path("mailbox/", include("webmail.mailbox.urls")),
    path("message/", include("webmail.message.urls")),
    path("admin/", site.urls),
]
handler400 = "webmail.accounts.views.bad_request"
handler403 = "webmail.accounts.views.forbidden"
handler404 = "webmail.accounts.views.not_found"
handler500 = "webmail.accounts.views.server_error"
