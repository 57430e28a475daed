"""The panel's site and what all its pages have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .dashboard import read_dashboard
from .generics import AnyModelAdmin

# What the panel is made of, in the order of its navigation: the page's name, what it says, its icon.
_PAGES = (
    ("index", "Overview", "monitor"),
    ("webmail_provider_changelist", "Providers", "server"),
    ("webmail_user_changelist", "People", "users"),
    ("webmail_account_changelist", "Accounts", "mail"),
    ("webmail_job_changelist", "Jobs", "clock"),
    ("admin_logentry_changelist", "Changes", "file-text"),
    ("axes_accessfailurelog_changelist", "Failed sign-ins", "shield-check"),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line of the panel's navigation."""

    url: str
    label: str
    icon: str
    current: bool


class Panel(admin.AdminSite):
    """The administrator's pages. Signing in and out, and one's own password, are the product's own pages."""

    index_title = "Overview"
    index_template = "admin/dashboard.html"
    enable_nav_sidebar = False
    empty_value_display = "–"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.site_title = self.site_header = settings.BRAND

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "nav": self._nav(request) if self.has_permission(request) else ()}

    def _nav(self, request: HttpRequest) -> list[NavItem]:
        index = reverse("admin:index")
        items = []
        for name, label, icon in _PAGES:
            url = reverse(f"admin:{name}")
            current = request.path == index if url == index else request.path.startswith(url)
            items.append(NavItem(url, label, icon, current))
        return items

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().index(request, {"dashboard": read_dashboard(), **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """There is one application here: the overview stands for it."""
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send to the one sign-in page, which has the limits on guessing (T12).

        Raises:
            PermissionDenied: the person is signed in and is no administrator.
        """
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied("Only administrators can open this page.")
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': wanted})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return HttpResponseRedirect(reverse("sign-out"), preserve_request=True)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("settings")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("settings")


site = Panel()


class PanelAdmin(AnyModelAdmin):
    """A noun in the panel: no jQuery, 50 rows a page, and deletion that counts what goes instead of listing it.

    `heading` is what its list is called, `noun` one of them, `blank` the sentence where there is none yet.
    """

    heading = ""
    noun = ""
    blank = ""
    list_per_page = 50
    list_max_show_all = 200
    view_on_site = False
    show_facets = admin.ShowFacets.NEVER  # they count the whole table for each filter

    @property
    def media(self) -> forms.Media:
        """Only what selects rows; `ModelAdmin.media` brings jQuery, which Trusted Types stop."""
        return forms.Media(js=["admin/js/actions.js"])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        words = {"title": self.heading, "noun": self.noun, "blank": self.blank}
        return super().changelist_view(request, {**words, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        words = {"title": self.title_of(row) if row else f"New {self.noun}", "subtitle": None, "heading": self.heading}
        return super().render_change_form(request, {**context, **words}, *args, **kwargs)

    def title_of(self, row: Any) -> str:
        """What the page about `row` is headed."""
        return str(row)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        return super().delete_view(request, object_id, {"title": f"Delete this {self.noun}?", **(extra_context or {})})

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> Any:
        return super().get_action_choices(request, [("", "With the selected…")])

    def goes_too(self, rows: Sequence[Any]) -> dict[str, int]:
        """What is deleted together with `rows`: names in the plural, and how many."""
        return {}

    def stands_in_the_way(self, rows: Sequence[Any], request: HttpRequest) -> list[str]:
        """Sentences that say why `rows` can't be deleted; none if they can."""
        return []

    def get_deleted_objects(
        self, objs: QuerySet[Any] | Sequence[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """For the page that asks: counts only.

        Django's own lists every row, which for an account is every subject line in it, 100,000 of them.
        """
        rows = list(objs)
        counts = {self.heading: len(rows), **self.goes_too(rows)}
        lacking = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return [str(row) for row in rows], counts, lacking, self.stands_in_the_way(rows, request)


class ReadOnlyAdmin(PanelAdmin):
    """A list to look at: nothing is added, changed or deleted here."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def moment(when: datetime | None) -> SafeString:
    """A point in time in the administrator's zone, for a list or a form."""
    if when is None:
        return format_html("{}", "–")
    local = timezone.localtime(when)
    text = f"{local.day} {local:%b %Y %H:%M}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


def yes(value: bool) -> str:
    """Yes, or a dash: a list of many rows is read by what stands out."""
    return "Yes" if value else "–"


def names(words: Iterable[str], limit: int = 5) -> str:
    """The first few of `words` and how many more there are: "a, b and 3 more"."""
    found = list(words)
    shown = ", ".join(found[:limit])
    return f"{shown} and {len(found) - limit} more" if len(found) > limit else shown
