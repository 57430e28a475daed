"""What a test has committed is gone before the next one, whatever it was."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from tests.cast import client_of, give_mail
from webmail.models import User

pytestmark = pytest.mark.django_db(transaction=True)
STAYS = {ContentType, Permission}


@pytest.mark.parametrize("time", [1, 2])
def test_nothing_is_left_of_the_test_before(alice: User, time: int) -> None:
    mine = {"webmail.User", "webmail.Account", "webmail.Provider", "webmail.ProviderDomain"}
    left = {model._meta.label for model in apps.get_models() if model not in STAYS and model.objects.exists()}
    assert left <= mine
    assert User.objects.count() == 1
    give_mail(alice)
    client_of(alice)


def test_the_panel_still_knows_its_models() -> None:
    known = {model._meta.model_name for model in apps.get_app_config("webmail").get_models()}
    assert set(ContentType.objects.filter(app_label="webmail").values_list("model", flat=True)) == known
    assert Permission.objects.filter(content_type__app_label="webmail").exists()
