"""Speak HTTP to a registry, with the standard library alone.

Large checks travel as Arrow streams where pyarrow is installed; answers and receipts are the same.

Owns requests, retries, and the reading of answers; fails closed: an answer that is missing, cut
off, out of order or not understood raises, and never passes for an ``allow``. Redirects are not
followed, so that the key goes to no other host. What to do with a decision is decided elsewhere.
"""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

from tribute.vocabulary import Decision, Purpose

MAX_ITEMS = 10_000
MAX_QUERIES = 1_000
MAX_ANSWER_BYTES = 64 * 1024 * 1024
ARROW_FROM = 100
"""From so many items on, Arrow is worth its import."""

_ATTEMPTS = 5
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0
_WORTH_RETRYING = {429, 502, 503, 504}
_OK = 200
_UNSUPPORTED_MEDIA_TYPE = 415
_REDIRECT = 300


class RegistryError(Exception):
    """A registry must be reachable, willing, and understood.

    code: stable machine code, the registry's own or ``unreachable``, ``malformed_answer``,
        ``http_<status>``.
    status: HTTP status, or 0 when there was none.
    """

    def __init__(self, code: str, title: str, status: int = 0, detail: str = "") -> None:
        super().__init__(": ".join(filter(None, (title, detail))))
        self.code = code
        self.title = title
        self.status = status
        self.detail = detail


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
        parts = urllib.parse.urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http or https URL: {base_url!r}")
        if parts.scheme == "http" and not allow_plain_http and not _is_this_machine(parts.hostname):
            raise ValueError(f"the key would travel in the clear to {parts.hostname}: use https")
        if not api_key.isascii() or not api_key.isprintable():
            raise ValueError("an API key is printable ASCII")
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self._speaks_arrow = True
        self._opener = urllib.request.build_opener(_NoRedirects)

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
        return _check_result(self._call("POST", "/v1/checks", body), sent, asked)

    def receipt(self, check_id: str) -> dict[str, Any]:
        """Return the signed receipt of a check; ``tribute.receipts`` verifies it."""
        return self._call("GET", f"/v1/checks/{_quoted(check_id)}/receipt")

    def lookup(
        self, *, url: str | None = None, sha256: str | None = None, iscc: str | None = None
    ) -> dict[str, Any]:
        """Ask in public whether something is registered, by exactly one identifier."""
        given = {"url": url, "sha256": sha256, "iscc": iscc}
        query = {kind: value for kind, value in given.items() if value is not None}
        if len(query) != 1:
            raise ValueError("look up by exactly one of url, sha256, iscc")
        return self._call("GET", f"/v1/lookup?{urllib.parse.urlencode(query)}")

    def register_model(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Register a generative model; ``model`` is the JSON object the registry documents."""
        return self._call("POST", "/v1/models", model)

    def put_manifest(self, model_id: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Declare what a model learned from: rows of identifiers and ``ingested_at``."""
        lines = b"".join(_json(row) + b"\n" for row in rows)
        path = f"/v1/models/{_quoted(model_id)}/manifest"
        return self._call("PUT", path, lines, content_type="application/x-ndjson")

    def report_queries(self, queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Report 1 to 1,000 paid generations; reporting the same one again changes nothing."""
        if not 1 <= len(queries) <= MAX_QUERIES:
            raise ValueError(f"a report is about 1 to {MAX_QUERIES} queries")
        return self._call("POST", "/v1/queries", {"queries": list(queries)})

    def report_signed(self, body: bytes, signature: str) -> dict[str, Any]:
        """Send a report as it was signed; ``tribute.reporting`` numbers and signs."""
        return self._call("POST", "/v1/queries", body, headers={"Tribute-Signature": signature})

    def balance(self) -> dict[str, Any]:
        """Return what the operator has paid in advance and not yet used, by currency."""
        return self._call("GET", "/v1/balance")

    def top_up(self, amount_micros: int, currency: str, *, key: str) -> dict[str, Any]:
        """Open a page on which to pay in advance; its address is ``url`` of the answer.

        amount_micros: in millionths of the currency's major unit. key: names this payment for
        good, so that asking again opens no second page.
        """
        amount = {"amount_micros": amount_micros, "currency": currency}
        headers = {"Idempotency-Key": key}
        return self._call("POST", "/v1/topups", {"amount": amount}, headers=headers)

    def _call_in_arrow(
        self, items: Sequence[Mapping[str, str]], purposes: Sequence[Purpose]
    ) -> dict[str, Any]:
        # Here and not above: pyarrow is an optional extra, and takes a while to load.
        from tribute.arrow_checks import MEDIA_TYPE, InvalidAnswer, question, read_answer

        query = urllib.parse.urlencode({"purposes": list(purposes)}, doseq=True)
        answer = self._answered(
            "POST", f"/v1/checks?{query}", question(items), MEDIA_TYPE, accept=MEDIA_TYPE
        )
        try:
            return read_answer(answer, purposes)
        except InvalidAnswer as error:
            raise _malformed(str(error)) from error

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return _parsed(self._answered(method, path, body, content_type, headers=headers))

    def _answered(  # noqa: PLR0913 - a request is said in full
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None,
        content_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> bytes:
        data = body if body is None or isinstance(body, bytes) else _json(body)
        request = urllib.request.Request(self._base_url + path, data=data, method=method)  # noqa: S310 - the constructor admits http and https only
        request.add_header("Authorization", f"Bearer {self._api_key}")
        request.add_header("Accept", f"{accept}, application/problem+json")
        request.add_header("User-Agent", "tribute-client")
        if data is not None:
            request.add_header("Content-Type", content_type)
            # One key for all attempts: the registry does the deed once, however often it hears.
            request.add_header("Idempotency-Key", str(uuid4()))
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        return self._sent_with_retries(request)

    def _sent_with_retries(self, request: urllib.request.Request) -> bytes:
        for attempt in range(_ATTEMPTS):
            try:
                return self._sent(request)
            except _WorthRetrying as error:
                delay = _delay(attempt, error.retry_after)
                if attempt == _ATTEMPTS - 1 or delay > _LONGEST_DELAY:
                    raise error.reason from error
                time.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _sent(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _read(response)
        except urllib.error.HTTPError as error:
            with error:
                problem = _problem(error.code, _read_leniently(error))
            if error.code in _WORTH_RETRYING:
                raise _WorthRetrying(problem, error.headers.get("Retry-After")) from error
            raise problem from error
        except (OSError, http.client.HTTPException) as error:
            reason = RegistryError("unreachable", "The registry did not answer", 0, str(error))
            raise _WorthRetrying(reason) from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Answers a redirect as the error it is for an API."""

    def redirect_request(self, *_: object) -> None:
        """Follow no redirect."""


class _WorthRetrying(Exception):
    """An attempt failed in a way that a later one may not."""

    def __init__(self, reason: RegistryError, retry_after: str | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.retry_after = retry_after


def _check_result(
    answer: Mapping[str, Any], sent: tuple[dict[str, str], ...], asked: tuple[Purpose, ...]
) -> CheckResult:
    check, rows = answer.get("check"), answer.get("answers")
    if not isinstance(check, str) or not isinstance(rows, list) or len(rows) != len(sent):
        raise _malformed(f"expected a check and {len(sent)} answers")
    answers = tuple(_answer(row, item["id"], asked) for row, item in zip(rows, sent, strict=True))
    return CheckResult(check, sent, answers)


def _answer(row: object, item_id: str, asked: tuple[Purpose, ...]) -> Answer:
    if not isinstance(row, dict) or row.get("id") != item_id:
        raise _malformed(f"expected the answer to item {item_id!r}")
    decisions = row.get("decisions")
    if not isinstance(decisions, dict) or set(decisions) != set(asked):
        raise _malformed(f"item {item_id!r} is not answered for exactly the purposes asked")
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
    raise _malformed(f"the decision on item {item_id!r} is not understood")


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _malformed("not JSON") from error
    if not isinstance(answer, dict):
        raise _malformed("not a JSON object")
    return answer


def _problem(status: int, data: bytes) -> RegistryError:
    """Read RFC 9457 problem details, as far as they are there."""
    try:
        problem = json.loads(data)
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    return RegistryError(
        str(problem.get("code") or f"http_{status}"),
        str(problem.get("title") or f"The registry answered {status}"),
        status,
        str(problem.get("detail") or ""),
    )


def _malformed(detail: str) -> RegistryError:
    title = "The registry's answer is not understood"
    return RegistryError("malformed_answer", title, _OK, detail)


def _read(response: http.client.HTTPResponse) -> bytes:
    if not _OK <= response.status < _REDIRECT:
        raise _problem(response.status, b"")
    data = response.read(MAX_ANSWER_BYTES + 1)
    if len(data) > MAX_ANSWER_BYTES:
        raise _malformed(f"more than {MAX_ANSWER_BYTES} bytes")
    # Without this a connection that broke in the middle would only show as bad JSON.
    if response.length:
        raise http.client.IncompleteRead(data, response.length)
    return data


def _read_leniently(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _delay(attempt: int, retry_after: str | None) -> float:
    """Return seconds to wait: what the registry asks for, else exponential with jitter."""
    asked = _seconds_asked_for(retry_after or "")
    if asked is not None:
        return asked
    ceiling = _FIRST_DELAY * 2**attempt
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, keeps no secret


def _seconds_asked_for(retry_after: str) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds, or a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _quoted(segment: str) -> str:
    return urllib.parse.quote(segment, safe="")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
