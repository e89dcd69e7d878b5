"""Own the words for what admins did, and for what waits and how it is undone."""

from django.utils.translation import gettext_lazy as _

from ledger.line_decisions import BY_ADMIN
from ledger.observing import DOUBLED
from ledger.sending import OWES, PAYEE_TROUBLES
from ledger.stuck import LINES, TRANSFER_DIFFERS
from ledger.vocabulary import Deed
from portal.wording import Words

DEEDS: dict[str, Words] = {
    Deed.PREPARED: _("drew a batch up"),
    Deed.SUBMITTED: _("submitted a batch"),
    Deed.APPROVED: _("approved a batch"),
    Deed.CANCELED: _("called a batch off"),
    Deed.RESUMED: _("let a batch go on"),
    Deed.LINE_HELD: _("held a payout"),
    Deed.LINE_RELEASED: _("released a payout"),
    Deed.LINE_CANCELED: _("took a payout out"),
    Deed.LOOKED_UP: _("asked the provider"),
    Deed.TAKEN_BACK: _("asked for a transfer back"),
    Deed.DIFFERENCE_SETTLED: _("settled a difference"),
    Deed.FILE_ISSUED: _("issued a payment file"),
    Deed.FILE_TAKEN: _("downloaded a payment file"),
    Deed.MARKED_PAID: _("told that the bank paid"),
    Deed.MARKED_FAILED: _("told that the bank refused"),
    Deed.EVENT_RETRIED: _("had an event worked through again"),
    Deed.RECONCILED: _("compared the books"),
    Deed.ADJUSTED: _("booked a difference"),
    Deed.ASIDE_RELEASED: _("released money set aside"),
    Deed.ASIDE_REASSIGNED: _("gave money set aside to somebody else"),
    Deed.AUDITED: _("ran the audit"),
    Deed.PROPOSED: _("proposed something that takes two"),
    Deed.PROPOSAL_WITHDRAWN: _("withdrew a proposal"),
}

TROUBLES: dict[str, Words] = {
    BY_ADMIN: _("an admin holds it"),
    TRANSFER_DIFFERS: _("the provider has another transfer than was asked for"),
    DOUBLED: _("the provider has more than one transfer for it"),
    "transfers_borne": _("the platform bears a second transfer"),
    LINES: _("its lines had changed"),
    "gateway_outcome_unknown": _("the provider gave no usable answer; we are looking it up"),
    "gateway_try_again": _("the provider asked us to come again later"),
    "gateway_not_configured": _("the provider turned our key away"),
    "funds": _("the provider’s balance does not cover it"),
    "payee_account_changed": _("the payee gave another account since"),
    PAYEE_TROUBLES[0]: _("the payee cannot receive at the provider"),
    PAYEE_TROUBLES[1]: _("the payee’s account is not complete"),
    OWES: _("the payee’s account at the provider is below zero, and would swallow it"),
}
"""What stands in the way, by the ledger's own word for it."""

FACTS: dict[str, Words] = {
    "lines": _("lines"),
    "held": _("held"),
    "digest": _("digest"),
    "factor": _("second factor"),
    "outcome": _("outcome"),
    "transfers": _("transfers"),
    "entry": _("entry"),
    "to": _("to"),
    "type": _("type"),
    "compared": _("compared"),
    "differing": _("differing"),
    "findings": _("findings"),
    "number": _("number"),
    "seq": _("batch"),
}


def trouble(word: str) -> Words:
    """Say a trouble in plain words; what a bank or provider said stays as it is."""
    return TROUBLES.get(word.partition(":")[0], word)
