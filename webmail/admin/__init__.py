"""The administrator's panel: Django's admin on a site of our own, with an overview first.

The room's one law: an administrator sees that things work, never what is in the mail. No subject, body, recipient or
password is shown, logged or sent back to the browser here. Every change leaves a `LogEntry`.

No page needs a script, and none of Django's jQuery widgets is used: all pages live under the product's own
Content-Security-Policy (security §5.1).
"""

from . import accounts, audit, jobs, people, providers
from .site import site

__all__ = ["accounts", "audit", "jobs", "people", "providers", "site"]
