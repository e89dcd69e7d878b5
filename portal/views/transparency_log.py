"""Pages for anybody about the transparency log: how far it is, how to verify it, one entry's proof."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from registry import log_proofs, log_signing
from registry.errors import LogNotBegun, LogTrouble, NotYetLogged
from registry.log_proofs import Logged

SHOWN = 12

KINDS: dict[str, str | Promise] = {
    "consent.set": _("A creator's word"),
    "control.proven": _("Control of a site or certificate shown"),
    "control.ended": _("Control of a site or certificate no longer shown"),
    "check.batch": _("Answers to a company's questions"),
    "creator.erased": _("A creator left"),
    "person.erased": _("A person left"),
    "dispute.decided": _("A dispute decided"),
    "cluster.decided": _("Copies of a work decided about"),
    "manifest.digest": _("What a model learned from"),
    "ledger.head": _("The state of the books"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as it is listed."""

    entry: Logged
    kind: str | Promise
    at: datetime
    leaf_hash: str

    @classmethod
    def of(cls, entry: Logged) -> "Shown":
        """Say what a leaf is about."""
        said = json.loads(entry.leaf)
        kind = KINDS.get(said["t"], said["t"])
        return cls(entry, kind, datetime.fromisoformat(said["at"]), entry.leaf_hash.hex())


@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """Show the checkpoint, the newest entries, and what a stranger needs to check them."""
    page: dict[str, object] = {"address": request.build_absolute_uri("/log")}
    try:
        newest = log_proofs.published()
        size = newest.checkpoint.size
        entries = log_proofs.entries(max(0, size - SHOWN), SHOWN, newest)
    except LogNotBegun:
        return render(request, "portal/log.html", page | {"begins": True})
    except LogTrouble:
        return render(request, "portal/log.html", page, status=503)
    page |= {
        "size": size,
        "root": newest.checkpoint.root.hex(),
        "origin": newest.checkpoint.origin,
        "note": newest.note.decode(),
        "verifier_key": str(log_signing.verifier()),
        "entries": [Shown.of(entry) for entry in reversed(entries)],
    }
    return render(request, "portal/log.html", page)


@require_GET
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """Show one entry and its proof, which is verified before it is shown."""
    try:
        found = log_proofs.inclusion_of(index)
    except NotYetLogged as error:
        raise Http404(str(error)) from error
    except LogTrouble:
        return render(request, "portal/log.html", {}, status=503)
    return render(
        request,
        "portal/log_entry.html",
        {
            "shown": Shown.of(found.entry),
            "leaf": found.entry.leaf.decode(),
            "path": [step.hex() for step in found.path],
            "size": found.published.checkpoint.size,
            "root": found.published.checkpoint.root.hex(),
            "verifier_key": str(log_signing.verifier()),
        },
    )
