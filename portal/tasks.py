"""The portal's doorbells: what takes people's ways in, and words for them."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from attribution import departures
from portal import departure_mails, ways_in

ERASING_FOR = timedelta(minutes=5)


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
