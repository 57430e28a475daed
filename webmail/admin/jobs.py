"""Jobs, to look at: what waits, what failed and why. Which messages they are about stays the owner's business."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from webmail.models import Job

from .dashboard import FAILED_FOR, UNHAPPY
from .site import ReadOnlyAdmin, moment, site


class SettledFilter(admin.SimpleListFilter):
    """The three questions an administrator has about jobs."""

    title = "what became of it"
    parameter_name = "settled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Waiting or under way"), ("failed", "Failed in the last 7 days"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "no":
            return queryset.filter(state__in=Job.PENDING)
        if self.value() == "failed":
            return queryset.filter(state__in=UNHAPPY, finished_at__gt=timezone.now() - FAILED_FOR)
        if self.value() == "done":
            return queryset.filter(state=Job.State.DONE)
        return queryset


@admin.register(Job, site=site)
class JobAdmin(ReadOnlyAdmin):
    heading, noun, blank = "Jobs", "job", "Every change to mail is a job: it is recorded, then carried out."
    list_display = ("recorded", "account", "kind", "messages", "state", "attempts", "took", "error")
    list_display_links = ("recorded",)
    list_filter = (SettledFilter, "state", "kind")
    list_select_related = ("account",)
    search_fields = ("account__address",)
    ordering = ("-created_at",)
    fields = ("account", "kind", "messages", "state", "attempts", "error", "recorded", "due", "finished")

    def title_of(self, row: Job) -> str:
        return f"{row.get_kind_display()} at {row.account}"  # str() of a job names the mailbox

    @admin.display(description="recorded", ordering="created_at")
    def recorded(self, job: Job) -> SafeString:
        return moment(job.created_at)

    @admin.display(description="due", ordering="not_before")
    def due(self, job: Job) -> SafeString:
        return moment(job.not_before)

    @admin.display(description="finished", ordering="finished_at")
    def finished(self, job: Job) -> SafeString:
        return moment(job.finished_at)

    @admin.display(description="messages")
    def messages(self, job: Job) -> int:
        return job.count

    @admin.display(description="took")
    def took(self, job: Job) -> str:
        if not job.finished_at:
            return "–"
        took: timedelta = job.finished_at - job.created_at
        return f"{took.total_seconds():.1f} s"
