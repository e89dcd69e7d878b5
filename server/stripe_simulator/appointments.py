"""What shall happen later by itself: kept in the state file, carried out by the courier."""

from server.stripe_simulator.moment import Moment


def appoint(moment: Moment, deed: str, subject: str, after_s: float | None = None) -> None:
    """Let a deed happen to a subject ``after_s`` seconds from now; said twice, once.

    Without, it is one `Settings.payout_delay_s`.
    """
    wait = moment.settings.payout_delay_s if after_s is None else after_s
    moment.state.run(
        "INSERT OR IGNORE INTO appointment (due, deed, subject) VALUES (?, ?, ?)",
        *(moment.now + wait, deed, subject),
    )
