"""An operator's page of revocations: what, since when, by when, and that it was noted."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import revocations
from registry.models import RevocationAcknowledgement, RevocationNotice
from tests.attribution.world import GENERATED
from tests.factories import deny
from tests.portal.conftest import World, signed_in
from tests.portal.reading import read

PATH = "/operator/revocations/"


@pytest.fixture
def notice(world: World) -> RevocationNotice:
    deny(world.tyger, at=GENERATED)
    assert revocations.notify(at=timezone.now()) == 1
    return RevocationNotice.objects.get()


def test_an_operator_reads_and_notes_what_was_revoked(notice: RevocationNotice) -> None:
    olga = signed_in("olga")
    page = olga.get(PATH).content.decode()
    read(page)
    assert ("The Tyger" in page, "overdue" in page) == (True, False)

    after = olga.post(f"{PATH}acknowledge", {"notice": [notice.pk]}, follow=True)

    assert "1 noted." in after.content.decode()
    noted = RevocationAcknowledgement.objects.get()
    assert (noted.notice, noted.acknowledged_at > notice.noticed_at) == (notice, True)
    assert "The Tyger" not in olga.get(f"{PATH}?state=open").content.decode()
    assert "The Tyger" in olga.get(PATH).content.decode()


def test_what_is_overdue_is_said(world: World) -> None:
    deny(world.tyger, at=GENERATED)
    revocations.notify(at=timezone.now() - revocations.ACKNOWLEDGE_WITHIN - timedelta(days=1))
    page = signed_in("olga").get(PATH).content.decode()
    assert "overdue" in page
    assert "the time to take note is over" in page


def test_nothing_revoked_is_said_as_well(world: World) -> None:
    page = signed_in("olga").get(PATH).content.decode()
    read(page)
    assert "Nothing was revoked" in page


def test_mallory_notes_nothing_of_others(notice: RevocationNotice) -> None:
    mallory = signed_in("mallory")
    assert "The Tyger" not in mallory.get(PATH).content.decode()
    assert mallory.post(f"{PATH}acknowledge", {"notice": [notice.pk]}).status_code == 404
    assert not RevocationAcknowledgement.objects.exists()
    assert signed_in("ada").get(PATH).status_code == 302


def test_the_list_costs_the_same_for_one_and_for_two(
    notice: RevocationNotice, world: World
) -> None:
    olga = signed_in("olga")
    olga.get(PATH)
    with CaptureQueriesContext(connection) as one:
        olga.get(PATH)
    deny(world.chariot, at=GENERATED)
    assert revocations.notify(at=timezone.now()) == 1
    with CaptureQueriesContext(connection) as two:
        olga.get(PATH)
    assert len(one) == len(two)
