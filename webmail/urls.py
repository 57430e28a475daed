"""Every address of the product, feature by feature."""

from django.urls import include, path

from webmail.admin import site

urlpatterns = [
    path("", include("webmail.accounts.urls")),
    path("", include("webmail.compose.urls")),
    path("people/", include("webmail.contacts.urls")),
    path("mailbox/", include("webmail.mailbox.urls")),
    path("message/", include("webmail.message.urls")),
    path("", include("webmail.live.urls")),
    path("jobs/", include("webmail.jobs.urls")),
    path("admin/", site.urls),
]
handler400 = "webmail.failures.bad_request"
handler403 = "webmail.failures.forbidden"
handler404 = "webmail.failures.not_found"
handler500 = "webmail.failures.server_error"
