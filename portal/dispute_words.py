"""Own the words of disputes and clusters: what was said, done and found, as people read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from portal.wording import Words
from registry import appeals, claims
from registry.models import ClaimConflict, ClusterEvent, ClusterMember, DisputeEvent, MatchAppeal

REASONS: Mapping[str, Words] = {
    DisputeEvent.Reason.MADE_IT: _("I made it"),
    DisputeEvent.Reason.MADE_INDEPENDENTLY: _("I made mine without knowing the other"),
    DisputeEvent.Reason.HAS_PERMISSION: _("I have permission"),
    DisputeEvent.Reason.SHARED_SOURCE: _("Both come from one source that anybody may use"),
    DisputeEvent.Reason.CONCEDES: _("The other is right"),
}
GROUNDS: Mapping[str, Words] = {
    DisputeEvent.Ground.NEW_EVIDENCE: _("There is something that was not known"),
    DisputeEvent.Ground.WRONG_ON_FACTS: _("The facts are not so"),
    DisputeEvent.Ground.NOT_HEARD: _("I was not heard"),
}
OUTCOMES: Mapping[str, Words] = {
    ClaimConflict.Outcome.WORK_UPHELD: _("The later claim is right"),
    ClaimConflict.Outcome.OTHER_UPHELD: _("The earlier claim is right"),
    ClaimConflict.Outcome.DISTINCT: _("They are two works, and both claims stand"),
}
EVENTS: Mapping[str, Words] = {
    DisputeEvent.Kind.OPENED: _("Found as the later work was registered"),
    DisputeEvent.Kind.ANSWERED: _("A party answered"),
    DisputeEvent.Kind.CLAIMED: _("The later side stands by its claim"),
    DisputeEvent.Kind.ADMITTED: _("A reviewer found the later claim plausible"),
    DisputeEvent.Kind.DECIDED: _("Decided"),
    DisputeEvent.Kind.APPEALED: _("A party appealed"),
    DisputeEvent.Kind.REVIEWED: _("Decided again, by another person and for good"),
}
MATCH_REASONS: Mapping[str, Words] = {
    MatchAppeal.Reason.MADE_INDEPENDENTLY: _("Made independently"),
    MatchAppeal.Reason.SHARED_SOURCE: _("Both come from one source that anybody may use"),
    MatchAppeal.Reason.BY_CHANCE: _("Alike by chance"),
}
MEMBERS: Mapping[str, Words] = {
    ClusterMember.State.PROPOSED: _("Nobody has looked yet"),
    ClusterMember.State.MERGED: _("Merged"),
    ClusterMember.State.SEPARATED: _("Separated"),
}
FINDINGS: Mapping[str, Words] = {
    ClusterEvent.Reason.SAME_WORK: _("It is the same work"),
    ClusterEvent.Reason.EDITION: _("It is another edition"),
    ClusterEvent.Reason.EXCERPT: _("It is an excerpt"),
    ClusterEvent.Reason.INDEPENDENT: _("It was made independently"),
    ClusterEvent.Reason.SHARED_SOURCE: _("Both come from one source that anybody may use"),
    ClusterEvent.Reason.BY_CHANCE: _("It is alike by chance"),
}
CLUSTER_EVENTS: Mapping[str, Words] = {
    ClusterEvent.Kind.PROPOSED: _("Proposed by likeness"),
    ClusterEvent.Kind.MERGED: _("Merged"),
    ClusterEvent.Kind.SEPARATED: _("Separated"),
    ClusterEvent.Kind.JOINED: _("The whole cluster was taken into another"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a timeline. words: what happened; detail: the reason or the outcome, if any."""

    at: datetime
    words: Words
    detail: Words
    who: str


def timeline(conflict: ClaimConflict) -> list[Step]:
    """Return what happened in a dispute, the earliest first; who decided stays unnamed."""
    rows = conflict.events.select_related("creator").order_by("pk")
    return [
        Step(
            row.recorded_at,
            EVENTS[row.kind],
            OUTCOMES.get(row.outcome) or REASONS.get(row.reason) or GROUNDS.get(row.reason, ""),
            row.creator.display_name if row.creator else "",
        )
        for row in rows
    ]


def standing(conflict: ClaimConflict, *, at: datetime) -> tuple[Words, str, str]:
    """Return where a dispute stands: the word, the tone of its chip, and its sign."""
    if conflict.appealed_at is not None and conflict.reviewed_at is None:
        return _("Appealed"), "license", "waiting"
    if conflict.resolved_at is None:
        return _("Open"), "license", "waiting"
    if appeals.final(conflict, at=at):
        return _("Decided for good"), "plain", "success"
    return _("Decided; an appeal is possible"), "plain", "success"


def money(conflict: ClaimConflict, *, at: datetime) -> Words:
    """Return what becomes of new earnings while a dispute is open; nothing once it is decided."""
    if conflict.resolved_at is not None:
        return ""
    sides = {conflict.work_id, conflict.other_id}
    if claims.holds_earlier(conflict, claims.proven(sides, at=at), at=at):
        return _("What either work earns is set aside until this is decided.")
    return _("The earlier work goes on earning. What the later one earns is set aside.")
