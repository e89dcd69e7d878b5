"""Say in plain words what a domain refused, and beside which field of a form.

The domain's own sentences are for programs; people get what happened, what was kept and what to
do next. A rule without words here is said in the domain's.
"""

from collections.abc import Mapping

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, str | Promise] = {
    "handle_taken": _("Somebody has this short name already. Try another one."),
    "invalid_handle": _("Use 2 to 40 lower-case letters, digits and hyphens inside."),
    "invalid_identifier": _("We could not read this. Check for missing or extra characters."),
    "identifier_required": _("Give at least one way to recognise the work."),
    "duplicate_identifier": _("The same identifier is given twice. Remove one of the two."),
    "already_registered": _("You have registered exactly this before; it is among your works."),
    "invalid_shares": _("The shares must add up to exactly 100 %."),
    "not_rightsholder": _("Only somebody with a confirmed share of the work can do this."),
    "collection_claimed": _("You have claimed this site before; it is in your list."),
    "public_suffix": _("Many strangers live under this name; claim your own host below it."),
    "control_not_shown": _(
        "We found neither the record, the file nor the tag as described. Nothing is lost; put one of "
        "them in place and check again."
    ),
    "not_signed": _(
        "This file carries no C2PA signature that holds: it was changed since, its certificate is not "
        "valid now, or its manifest lies elsewhere. Nothing was kept."
    ),
    "signer_not_shown": _(
        "The file is signed, but does not carry the words asked for below. Sign one anew with them."
    ),
    "signer_registered": _(
        "This file is signed with another certificate, or with one that is in your list already."
    ),
    "signer_shared": _(
        "Somebody else can sign with this certificate too, so it speaks for neither of you. Use one "
        "that is yours alone."
    ),
    "claim_not_proven": _(
        "First show who you are, or that the place where the work lies is yours. Then say it again."
    ),
    "too_many_claims": _(
        "You have as many claims open, or lost, as one may. A person looks at this one as well."
    ),
    "not_appealable": _("This can be appealed no more, or your claim was upheld."),
    "conflict_closed": _("It was decided meanwhile; read below what was found."),
    "nothing_to_review": _("There is no appeal here that waits."),
    "same_reviewer": _("You decided this, so somebody else has to decide the appeal."),
    "may_not_decide": _("You have a part in one of the works; somebody else decides."),
    "not_clustered": _("This work is not in the cluster, or there is no second one."),
    "cluster_too_large": _("A reviewed cluster has at most 100 works."),
    "erasure_open": _("You have asked for this already; it stands above."),
    "erasure_begun": _("It is being carried out already, and cannot be called off any more."),
    "not_found": _("There is nothing of this id."),
    "fetch_refused": _("We only read public web sites, by name, at their usual ports."),
    "fetch_failed": _("The site did not answer in time or not completely. Try again later."),
    "unreadable_file": _("This file is empty or is not what its kind says. Nothing was kept."),
    "file_too_large": _("This file is too large to be read here. Register it by its SHA-256."),
    "terms_required": _("A licence needs terms. Write your terms first, then choose it again."),
    "too_many_keys": _("There are two live keys of this name. Revoke one, or use another name."),
    "unknown_scope": _("One of the permissions does not exist. Choose again."),
    "nothing_due": _("Nobody who can be paid has reached the minimum in this currency."),
    "open_batch_exists": _("A batch in this currency is being drawn up already; it is below."),
    "books_in_doubt": _(
        "The audit or the last comparison with the provider found a difference. Nothing is paid "
        "until it is settled."
    ),
    "transfers_doubled": _(
        "The provider has more than one transfer for one payout. Nothing is paid until that is "
        "settled; it is listed under what waits."
    ),
    "comparison_stale": _(
        "The books were not compared with the provider of late. Nothing was approved: compare now, "
        "then approve."
    ),
    "maker_is_checker": _(
        "You drew this up or submitted it, so somebody else has to approve it or decide here."
    ),
    "proposal_open": _("A proposal about this waits already. Confirm or withdraw that first."),
    "factor_missing": _("Show a second factor first. Nothing was changed."),
    "lines_changed": _("The lines are not those that were submitted. Nothing was approved."),
    "payout_not_covered": _(
        "Somebody's balance no longer covers the plan. Nothing was approved; draw it up anew."
    ),
    "wrong_state": _("It has moved on meanwhile; look at where it stands now."),
    "reason_missing": _("Say why; nothing was changed."),
    "no_payment_file": _(
        "There is no file: no payout of this batch was issued for a bank, or the settings name no "
        "account to pay from."
    ),
    "invalid_bank_account": _(
        "This account cannot be kept: a digit is wrong, or another creator is paid to it."
    ),
    "not_payout_admin": _("Only a payout admin does this. Nothing was changed."),
    "invalid_amount": _("This amount cannot be paid in. Use whole cents within the limits."),
    "model_exists": _("You have declared this name and version before. Use another version."),
    "empty_manifest": _("There is no line in this file that we could read."),
    "asset_not_signable": _(
        "We could not sign this file. Check that it is what its name says; text and other kinds "
        "that carry no manifest are signed beside."
    ),
    "signing_not_configured": _("This service is not set up to sign. Ask whoever runs it."),
    "invalid_report_key": _("This is no Ed25519 public key; it has 32 bytes, in base64."),
    "report_key_exists": _("This key is registered, or was and is revoked. Make another one."),
    "usage_flag_closed": _("Somebody has resolved this meanwhile."),
    "nothing_kept": _("No evidence is kept from that time."),
    "proposer_accepts": _("You proposed this, so somebody else has to accept it."),
    "wrong_shadow_state": _("It has moved on meanwhile; look at where it stands now."),
    "relation_reviewed": _("It stands so already."),
    "earnings_claimed": _(
        "Whose this work is, is contested. Its money waits until that is decided for good."
    ),
    "own_matter": _("This is about you or yours, so somebody else has to decide."),
    "nothing_held": _("Somebody has decided this meanwhile; nothing waits any more."),
    "invalid_manifest_row": _("A line of the file could not be read; nothing of it was kept."),
}


def plain(error: Exception) -> str:
    """Return the sentence for people about a domain error."""
    return str(WORDS.get(getattr(error, "code", ""), str(error)))


def put_beside(form: forms.Form, error: Exception, fields: Mapping[str, str] | None = None) -> None:
    """Put a domain error beside the field it is about: ``fields`` maps its code to a name."""
    name = (fields or {}).get(getattr(error, "code", ""))
    form.add_error(name, plain(error))
