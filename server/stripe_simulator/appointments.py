"""What shall happen later by itself: kept in the state file, carried out by the courier."""

from server.stripe_simulator.moment import Moment


def appoint(moment: Moment, deed: str, subject: str) -> None:
    """Let a deed happen to a subject one `Settings.payout_delay_s` from now; said twice, once."""
    moment.state.run(
        "INSERT OR IGNORE INTO appointment (due, deed, subject) VALUES (?, ?, ?)",
        *(moment.now + moment.settings.payout_delay_s, deed, subject),
    )
