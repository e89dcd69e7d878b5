"""The portal's doorbells: what takes people's ways in, and words for them."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from attribution import departures, takeout
from portal import departure_mails, ways_in

ERASING_FOR = timedelta(minutes=5)
GATHERING_FOR = timedelta(seconds=10)
"""How long one ring gathers: other work waits meanwhile where there is one worker."""


@shared_task(name="portal.erase_those_who_leave")
def erase_those_who_leave() -> int:
    """Remind those who leave soon, and erase whose time has come; return how many were finished."""
    departures.remind(tell=departure_mails.tell, at=timezone.now())
    return departures.carry_out_due(
        tell=departure_mails.tell,
        log_out=ways_in.remove,
        clock=timezone.now,
        until=timezone.now() + ERASING_FOR,
    )


@shared_task(name="portal.make_exports")
def make_exports() -> int:
    """Put what people asked for into their archives; return how many pages were written."""
    return takeout.work_off(
        describe=ways_in.describe, clock=timezone.now, until=timezone.now() + GATHERING_FOR
    )
