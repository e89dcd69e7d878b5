"""Ask a registry: checks, receipts, models and their manifests, reports, revocations, money.

Owns the addresses, and the reading of answers; fails closed: an answer that is missing, cut off,
out of order or not understood raises, and never passes for an ``allow``. Large checks travel as
Arrow streams where pyarrow is installed; answers and receipts are the same. Requests and retries
are ``tribute.connection``'s; what to do with a decision is decided elsewhere.
"""

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tribute import manifest_uploads
from tribute.connection import Connection, RegistryError, malformed, quoted, to_json
from tribute.manifest_uploads import Report
from tribute.vocabulary import Decision, Purpose

__all__ = ["Answer", "Answered", "CheckResult", "Registry", "RegistryError"]

MAX_ITEMS = 10_000
MAX_QUERIES = 1_000
ARROW_FROM = 100
"""From so many items on, Arrow is worth its import."""

_UNSUPPORTED_MEDIA_TYPE = 415


@dataclass(frozen=True, slots=True)
class Answered:
    """The decision on one purpose, and why.

    statements: ids of what decided. matched_by: what led to it, or None when nothing matched.
    """

    decision: Decision
    rule: str
    statements: tuple[str, ...]
    matched_by: str | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The decisions on one item, for every purpose asked about."""

    id: str
    decisions: Mapping[Purpose, Answered]

    @property
    def allowed(self) -> bool:
        """Whether every purpose is allowed."""
        return {answered.decision for answered in self.decisions.values()} == {Decision.ALLOW}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a registry answered to one batch.

    check: id under which the receipt is found. items: the questions as they were sent, each with
    an id. answers: one for each item, in the same order.
    """

    check: str
    items: tuple[Mapping[str, str], ...]
    answers: tuple[Answer, ...]


class Registry:
    """A registry's HTTP interface, version 1.

    base_url: such as ``https://registry.example``; plain http only to this machine itself, unless
        ``allow_plain_http`` (a private network).
    timeout: seconds to wait for the connection and for each piece of an answer.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout: float = 30.0,
        *,
        allow_plain_http: bool = False,
    ) -> None:
        self._connection = Connection(base_url, api_key, timeout, allow_plain_http=allow_plain_http)
        self._speaks_arrow = True

    def check(self, items: Sequence[Mapping[str, str]], purposes: Iterable[Purpose]) -> CheckResult:
        """Ask about 1 to 10,000 items, each ``{"id"?, "url"?, "sha256"?, "iscc"?}``.

        An item without an id gets its position for one. Raises RegistryError, also when the
        answer does not fit the question; ValueError when there is nothing, or too much, to ask.
        """
        asked = tuple(Purpose(purpose) for purpose in dict.fromkeys(purposes))
        if not asked or not 1 <= len(items) <= MAX_ITEMS:
            raise ValueError(f"a check is about 1 to {MAX_ITEMS} items and a purpose or more")
        sent = tuple({"id": str(i)} | dict(item) for i, item in enumerate(items))
        if len(sent) >= ARROW_FROM and find_spec("pyarrow") and self._speaks_arrow:
            try:
                return _check_result(self._call_in_arrow(sent, asked), sent, asked)
            except RegistryError as error:
                if error.status != _UNSUPPORTED_MEDIA_TYPE:
                    raise
                self._speaks_arrow = False
        body = {"items": sent, "purposes": asked}
        return _check_result(self._connection.call("POST", "/v1/checks", body), sent, asked)

    def receipt(self, check_id: str) -> dict[str, Any]:
        """Return the signed receipt of a check; ``tribute.receipts`` verifies it."""
        return self._connection.call("GET", f"/v1/checks/{quoted(check_id)}/receipt")

    def lookup(
        self, *, url: str | None = None, sha256: str | None = None, iscc: str | None = None
    ) -> dict[str, Any]:
        """Ask in public whether something is registered, by exactly one identifier."""
        given = {"url": url, "sha256": sha256, "iscc": iscc}
        query = {kind: value for kind, value in given.items() if value is not None}
        if len(query) != 1:
            raise ValueError("look up by exactly one of url, sha256, iscc")
        return self._connection.call("GET", f"/v1/lookup?{urllib.parse.urlencode(query)}")

    def register_model(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Register a generative model; ``model`` is the JSON object the registry documents."""
        return self._connection.call("POST", "/v1/models", model)

    def put_manifest(self, model_id: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Declare what a model learned from: rows of identifiers and ``ingested_at``."""
        lines = b"".join(to_json(row) + b"\n" for row in rows)
        path = f"/v1/models/{quoted(model_id)}/manifest"
        return self._connection.call("PUT", path, lines, content_type="application/x-ndjson")

    def upload_manifest(
        self,
        model_id: str,
        path: Path,
        *,
        progress: Report = manifest_uploads.say_nothing,
        notes: Path | None = None,
        wait: float | None = None,
    ) -> dict[str, Any]:
        """Declare what a model learned from: a file of JSON Lines or Parquet, of any size.

        Sends it in pieces, waits until it is matched, and returns ``manifest_report``. After a lost
        connection it goes on where the registry stands; after a crash the same call does, by the
        note that it leaves beside the file, or in the folder ``notes``. progress: is told how far
        it is. wait: seconds to wait for the matching at most; without end by default.

        Raises RegistryError when the registry cannot be reached or is not willing,
        ManifestRefused for rows that it does not take, ManifestUnfinished when ``wait`` is over,
        ManifestReplaced, InvalidManifestFile; OSError when the file or note cannot be used.
        """
        upload = manifest_uploads.ManifestUpload(self._connection, model_id, path, notes=notes)
        upload.send(progress)
        upload.wait(progress, seconds=wait)
        return self.manifest_report(model_id)

    def manifest(self, model_id: str) -> dict[str, Any]:
        """Return how far manifests are: ``current`` is in force, ``next`` to take its place."""
        return self._connection.call("GET", f"/v1/models/{quoted(model_id)}/manifest")

    def manifest_report(self, model_id: str) -> dict[str, Any]:
        """Return what the manifest in force shows: coverage, violations, duplicates, in counts.

        Of violations, repeated and nearly repeated rows it names the first hundred.
        """
        return self._connection.call("GET", f"/v1/models/{quoted(model_id)}/manifest/report")

    def violations(self, model_id: str) -> Iterator[dict[str, Any]]:
        """Yield every row of the manifest in force that was not allowed when it was ingested."""
        return self._connection.pages(f"/v1/models/{quoted(model_id)}/manifest/violations")

    def revocations(self) -> Iterator[dict[str, Any]]:
        """Yield the works that were used and are allowed no more, the latest notice first."""
        return self._connection.pages("/v1/revocations")

    def acknowledge_revocation(self, notice_id: str) -> dict[str, Any]:
        """Take note of a revocation (``rvk_…``); doing so again changes nothing."""
        return self._connection.call("POST", f"/v1/revocations/{quoted(notice_id)}:acknowledge")

    def report_queries(self, queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Report 1 to 1,000 paid generations; reporting the same one again changes nothing."""
        if not 1 <= len(queries) <= MAX_QUERIES:
            raise ValueError(f"a report is about 1 to {MAX_QUERIES} queries")
        return self._connection.call("POST", "/v1/queries", {"queries": list(queries)})

    def report_signed(self, body: bytes, signature: str) -> dict[str, Any]:
        """Send a report as it was signed; ``tribute.reporting`` numbers and signs."""
        return self._connection.call(
            "POST", "/v1/queries", body, headers={"Tribute-Signature": signature}
        )

    def balance(self) -> dict[str, Any]:
        """Return what the operator has paid in advance and not yet used, by currency."""
        return self._connection.call("GET", "/v1/balance")

    def top_up(self, amount_micros: int, currency: str, *, key: str) -> dict[str, Any]:
        """Open a page on which to pay in advance; its address is ``url`` of the answer.

        amount_micros: in millionths of the currency's major unit. key: names this payment for
        good, so that asking again opens no second page.
        """
        amount = {"amount_micros": amount_micros, "currency": currency}
        headers = {"Idempotency-Key": key}
        return self._connection.call("POST", "/v1/topups", {"amount": amount}, headers=headers)

    def _call_in_arrow(
        self, items: Sequence[Mapping[str, str]], purposes: Sequence[Purpose]
    ) -> dict[str, Any]:
        # Here and not above: pyarrow is an optional extra, and takes a while to load.
        from tribute.arrow_checks import MEDIA_TYPE, InvalidAnswer, question, read_answer

        query = urllib.parse.urlencode({"purposes": list(purposes)}, doseq=True)
        answer = self._connection.answered(
            "POST", f"/v1/checks?{query}", question(items), MEDIA_TYPE, accept=MEDIA_TYPE
        )
        try:
            return read_answer(answer, purposes)
        except InvalidAnswer as error:
            raise malformed(str(error)) from error


def _check_result(
    answer: Mapping[str, Any], sent: tuple[dict[str, str], ...], asked: tuple[Purpose, ...]
) -> CheckResult:
    check, rows = answer.get("check"), answer.get("answers")
    if not isinstance(check, str) or not isinstance(rows, list) or len(rows) != len(sent):
        raise malformed(f"expected a check and {len(sent)} answers")
    answers = tuple(_answer(row, item["id"], asked) for row, item in zip(rows, sent, strict=True))
    return CheckResult(check, sent, answers)


def _answer(row: object, item_id: str, asked: tuple[Purpose, ...]) -> Answer:
    if not isinstance(row, dict) or row.get("id") != item_id:
        raise malformed(f"expected the answer to item {item_id!r}")
    decisions = row.get("decisions")
    if not isinstance(decisions, dict) or set(decisions) != set(asked):
        raise malformed(f"item {item_id!r} is not answered for exactly the purposes asked")
    return Answer(item_id, {purpose: _answered(decisions[purpose], item_id) for purpose in asked})


def _answered(said: object, item_id: str) -> Answered:
    match said:
        case {
            "decision": str(decision),
            "rule": str(rule),
            "statements": list(statements),
            "matched_by": (str() | None) as matched_by,
            "explanation": str(explanation),
        } if decision in set(Decision) and all(isinstance(each, str) for each in statements):
            return Answered(Decision(decision), rule, tuple(statements), matched_by, explanation)
    raise malformed(f"the decision on item {item_id!r} is not understood")
