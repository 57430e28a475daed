"""The pages about people, and the few that belong to no feature: errors, health, reports of the browser."""

from .errors import bad_request, csrf_failure, forbidden, not_found, server_error

__all__ = ["bad_request", "csrf_failure", "forbidden", "not_found", "server_error"]
