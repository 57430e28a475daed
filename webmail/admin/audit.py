"""What was changed and by whom, and which sign-ins failed: to look at, not to touch."""

from __future__ import annotations

from typing import Any

from axes.models import AccessFailureLog
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from webmail.models import User

from .site import ReadOnlyAdmin, moment, site


@admin.register(LogEntry, site=site)
class LogEntryAdmin(ReadOnlyAdmin):
    heading, noun = "Changes", "change"
    blank = "What administrators change is written down here, and who connects, disconnects or removes a mailbox."
    list_display = ("made", "user", "what", "content_type", "object_repr", "message")
    list_display_links = None
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    fields = ("made", "user", "what", "content_type", "object_repr", "message")

    @admin.display(description="when", ordering="action_time")
    def made(self, entry: LogEntry) -> SafeString:
        return moment(entry.action_time)

    @admin.display(description="what", ordering="action_flag")
    def what(self, entry: LogEntry) -> str:
        return str(entry.get_action_flag_display())

    @admin.display(description="changed")
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message()


@admin.register(AccessFailureLog, site=site)
class FailureAdmin(ReadOnlyAdmin):
    """Shows the names of people and mail addresses; anything else may be a password in the wrong field."""

    heading, noun, blank = "Failed sign-ins", "failure", "No sign-in has failed lately."
    list_display = ("tried", "name", "ip_address", "user_agent")
    list_display_links = None
    search_fields = ("username", "ip_address")
    fields = ("tried", "name", "ip_address", "user_agent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessFailureLog]:
        known = User.objects.filter(username__iexact=OuterRef("username"))
        query: QuerySet[AccessFailureLog] = super().get_queryset(request).annotate(known=Exists(known))
        return query

    @admin.display(description="name", ordering="username")
    def name(self, failure: Any) -> str:
        return failure.username if failure.known or "@" in failure.username else "not a name known here"

    @admin.display(description="when", ordering="attempt_time")
    def tried(self, failure: AccessFailureLog) -> SafeString:
        return moment(failure.attempt_time)
