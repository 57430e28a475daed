"""What follows once it is known who somebody is, however that was found out."""

from __future__ import annotations

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from webmail import tasks
from webmail.models import Account, User

from . import limits

TOO_MANY = "Too many attempts. Wait a quarter of an hour and try again."


def let_in(request: HttpRequest, user: User, name: str, where: str) -> HttpResponse:
    """Begin the person's session and go on.

    Args:
        name: the address or user name they gave. where: a page of ours.
    """
    with transaction.atomic():  # one wait for the disk, not six
        auth.login(request, user)
    # One that was never listed is read by the landing page itself.
    for pk in Account.objects.filter(user_id=user.pk, listed_at__isnull=False).values_list("pk", flat=True):
        tasks.enqueue(tasks.list_mailboxes, pk)
    response = redirect(where)
    limits.remember_device(request, response, name)
    return response
