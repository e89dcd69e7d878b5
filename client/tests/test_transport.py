import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow as pa
import pytest

from tribute import arrow_checks, connection, transport
from tribute.transport import ARROW_FROM, Registry, RegistryError
from tribute.vocabulary import Decision, Purpose

ITEMS = [{"url": "https://example.com/a"}, {"id": "mine", "sha256": "ab" * 32}]


@dataclass
class Scripted:
    """A registry that gives prepared replies, one a request, and writes down what it was asked."""

    url: str = ""
    replies: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def reply(self, body: Any, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies.append((status, named, data))


@contextmanager
def serving(scripted: Scripted) -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scripted.requests.append((self.command, self.path, dict(self.headers), body))
            status, headers, data = scripted.replies.pop(0)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = answer  # noqa: N815 - the names are the standard library's
        do_POST = answer  # noqa: N815
        do_PUT = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        scripted.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with serving(Scripted()) as running:
        yield running


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


def decided(decision: str = "allow") -> dict[str, Any]:
    return {
        "decision": decision,
        "rule": f"work.{decision}",
        "statements": ["stm_1"],
        "matched_by": "url",
        "explanation": "Because.",
    }


def answered(*ids: str, decision: str = "allow") -> dict[str, Any]:
    rows = [{"id": each, "decisions": {"train-ai": decided(decision)}} for each in ids]
    return {"check": "chk_1", "answers": rows, "log_size": 3}


def test_check_sends_the_items_and_reads_the_answers(scripted: Scripted) -> None:
    scripted.reply(answered("0", "mine", decision="deny"))

    result = Registry(scripted.url + "/", "trb_key").check(ITEMS, [Purpose.TRAIN_AI])

    [(method, path, headers, body)] = scripted.requests
    assert (method, path) == ("POST", "/v1/checks")
    assert headers["Authorization"] == "Bearer trb_key"
    assert json.loads(body) == {
        "items": [{"id": "0", "url": "https://example.com/a"}, {"id": "mine", "sha256": "ab" * 32}],
        "purposes": ["train-ai"],
    }
    assert result.check == "chk_1"
    assert result.items == tuple(json.loads(body)["items"])
    assert [answer.id for answer in result.answers] == ["0", "mine"]
    [decision] = result.answers[0].decisions.values()
    assert (decision.decision, decision.rule, decision.statements) == (
        Decision.DENY,
        "work.deny",
        ("stm_1",),
    )
    assert not result.answers[0].allowed


def without(field_name: str) -> dict[str, Any]:
    return {name: value for name, value in decided().items() if name != field_name}


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"allow",
        b"[]",
        b"{",
        b"[" * 100_000,
        {},
        {"check": "chk_1"},
        {"check": 1, "answers": answered("0")["answers"]},
        answered(),
        answered("0", "1"),
        answered("1"),
        {"check": "chk_1", "answers": ["allow"]},
        {"check": "chk_1", "answers": [{"id": "0"}]},
        {"check": "chk_1", "answers": [{"id": "0", "decisions": {}}]},
        {"check": "chk_1", "answers": [{"id": "0", "decisions": {"search": decided()}}]},
        {"check": "chk_1", "answers": [{"id": "0", "decisions": {"train-ai": "allow"}}]},
        *(
            {"check": "chk_1", "answers": [{"id": "0", "decisions": {"train-ai": said}}]}
            for said in (
                decided("Allow"),
                decided() | {"decision": ["allow"]},
                decided() | {"statements": [1]},
                decided() | {"matched_by": 1},
                without("rule"),
                without("matched_by"),
                without("explanation"),
            )
        ),
    ],
)
def test_check_raises_on_every_answer_that_does_not_fit(scripted: Scripted, reply: Any) -> None:
    scripted.reply(reply)

    with pytest.raises(RegistryError) as caught:
        Registry(scripted.url, "key").check(ITEMS[:1], [Purpose.TRAIN_AI])

    assert caught.value.code == "malformed_answer"


def test_check_raises_on_an_answer_that_breaks_off(scripted: Scripted, naps: list[float]) -> None:
    whole = json.dumps(answered("0")).encode()
    for _ in range(5):
        scripted.reply(whole, Content_Length=str(len(whole) + 10))

    with pytest.raises(RegistryError) as caught:
        Registry(scripted.url, "key").check(ITEMS[:1], [Purpose.TRAIN_AI])

    assert caught.value.code == "unreachable"
    assert len(naps) == 4


def test_check_raises_on_an_endless_answer(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_ANSWER_BYTES", 20)
    scripted.reply(answered("0"))

    with pytest.raises(RegistryError, match="more than 20 bytes"):
        Registry(scripted.url, "key").check(ITEMS[:1], [Purpose.TRAIN_AI])


def test_problems_come_as_errors_with_the_registrys_code(scripted: Scripted) -> None:
    scripted.reply(
        {"title": "Not yours", "status": 403, "code": "scope_missing", "detail": "checks:write"},
        403,
    )

    with pytest.raises(RegistryError) as caught:
        Registry(scripted.url, "key").check(ITEMS, [Purpose.TRAIN_AI])

    error = caught.value
    assert (error.code, error.title, error.status, error.detail) == (
        "scope_missing",
        "Not yours",
        403,
        "checks:write",
    )
    assert str(error) == "Not yours: checks:write"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff"])
def test_errors_without_problem_details_are_errors_all_the_same(
    scripted: Scripted, body: bytes
) -> None:
    scripted.reply(body, 500)

    with pytest.raises(RegistryError) as caught:
        Registry(scripted.url, "key").receipt("chk_1")

    assert (caught.value.code, caught.value.status) == ("http_500", 500)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_troubles_are_retried_under_one_idempotency_key(
    scripted: Scripted, naps: list[float], status: int
) -> None:
    scripted.reply({}, status)
    scripted.reply({}, status)
    scripted.reply({"id": "mdl_1"})

    model = Registry(scripted.url, "key").register_model({"name": "m"})

    assert model == {"id": "mdl_1"}
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in scripted.requests}) == 1
    assert {body for *_, body in scripted.requests} == {b'{"name":"m"}'}
    assert 0.25 <= naps[0] <= 0.5 <= naps[1] <= 1.0


def test_every_call_has_an_idempotency_key_of_its_own(scripted: Scripted) -> None:
    registry = Registry(scripted.url, "key")
    for _ in range(2):
        scripted.reply({})
        registry.report_queries([{"external_id": "q1"}])

    first, second = (headers["Idempotency-Key"] for _, _, headers, _ in scripted.requests)
    assert first != second


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 501])
def test_lasting_refusals_are_not_retried(
    scripted: Scripted, naps: list[float], status: int
) -> None:
    scripted.reply({}, status)

    with pytest.raises(RegistryError):
        Registry(scripted.url, "key").register_model({})

    assert naps == []


def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    scripted: Scripted, naps: list[float]
) -> None:
    scripted.reply({}, 429, Retry_After="7")
    scripted.reply({}, 503, Retry_After=formatdate(time.time() + 20, usegmt=True))
    scripted.reply({}, 503, Retry_After=formatdate(0, usegmt=True))
    scripted.reply({}, 503, Retry_After="soon")
    scripted.reply({"ok": 1})

    Registry(scripted.url, "key").receipt("chk_1")

    assert naps[0] == 7
    assert 15 < naps[1] <= 20
    assert naps[2] == 0
    assert 2 <= naps[3] <= 4


def test_a_long_wait_is_left_to_the_caller(scripted: Scripted, naps: list[float]) -> None:
    scripted.reply({"code": "throttled", "title": "Slow down"}, 429, Retry_After="3600")

    with pytest.raises(RegistryError, match="Slow down"):
        Registry(scripted.url, "key").receipt("chk_1")

    assert naps == []


def test_an_unreachable_registry_is_tried_five_times(naps: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(RegistryError) as caught:
        Registry(f"http://127.0.0.1:{port}", "key", timeout=2).receipt("chk_1")

    assert (caught.value.code, caught.value.status) == ("unreachable", 0)
    assert len(naps) == 4


def test_redirects_are_errors_and_take_the_key_nowhere(scripted: Scripted) -> None:
    with serving(Scripted()) as elsewhere:
        scripted.reply({}, 302, Location=f"{elsewhere.url}/v1/checks")

        with pytest.raises(RegistryError) as caught:
            Registry(scripted.url, "key").receipt("chk_1")

    assert caught.value.code == "http_302"
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda r: r.receipt("chk/1"), "GET", "/v1/checks/chk%2F1/receipt", b""),
        (
            lambda r: r.lookup(url="https://e.com/?a=1"),
            "GET",
            "/v1/lookup?url=https%3A%2F%2Fe.com%2F%3Fa%3D1",
            b"",
        ),
        (lambda r: r.lookup(iscc="ISCC:X"), "GET", "/v1/lookup?iscc=ISCC%3AX", b""),
        (
            lambda r: r.put_manifest("mdl_1", iter([{"url": "é"}, {"url": "b"}])),
            "PUT",
            "/v1/models/mdl_1/manifest",
            '{"url":"é"}\n{"url":"b"}\n'.encode(),
        ),
        (
            lambda r: r.report_queries([{"external_id": "q1"}]),
            "POST",
            "/v1/queries",
            b'{"queries":[{"external_id":"q1"}]}',
        ),
    ],
)
def test_calls_go_where_the_interface_says(
    scripted: Scripted, call: Callable[[Registry], Any], method: str, path: str, body: bytes
) -> None:
    scripted.reply({"ok": True})

    assert call(Registry(scripted.url, "key")) == {"ok": True}

    [(sent_method, sent_path, _, sent_body)] = scripted.requests
    assert (sent_method, sent_path, sent_body) == (method, path, body)


@pytest.mark.parametrize(
    ("items", "purposes"),
    [([], [Purpose.SEARCH]), (ITEMS, []), ([{"url": "u"}] * 10_001, [Purpose.SEARCH])],
)
def test_check_refuses_to_ask_nothing_or_too_much(items: Any, purposes: Any) -> None:
    with pytest.raises(ValueError, match="1 to 10000 items"):
        Registry("https://registry.example", "key").check(items, purposes)


def test_other_calls_refuse_what_the_registry_would() -> None:
    registry = Registry("https://registry.example", "key")

    with pytest.raises(ValueError, match="exactly one"):
        registry.lookup(url="u", iscc="i")
    with pytest.raises(ValueError, match="1 to 1000"):
        registry.report_queries([])


@pytest.mark.parametrize("url", ["registry.example", "ftp://registry.example", "https://", ""])
def test_the_address_must_be_http(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        Registry(url, "key")


def test_the_key_never_travels_in_the_clear_unasked() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        Registry("http://registry.example", "key")

    Registry("http://registry.example", "key", allow_plain_http=True)
    Registry("http://localhost:8000", "key")
    Registry("http://[::1]:8000", "key")


def test_the_key_cannot_smuggle_headers() -> None:
    with pytest.raises(ValueError, match="printable"):
        Registry("https://registry.example", "key\r\nHost: elsewhere")


def test_a_top_up_travels_under_the_callers_own_name_for_it(scripted: Scripted) -> None:
    scripted.reply({"url": "https://pay.example/1"})

    Registry(scripted.url, "trb_key").top_up(50_000_000, "EUR", key="november")

    [(method, path, headers, body)] = scripted.requests
    assert (method, path, headers["Idempotency-Key"]) == ("POST", "/v1/topups", "november")
    assert json.loads(body) == {"amount": {"amount_micros": 50_000_000, "currency": "EUR"}}


# Large checks, as Arrow streams -------------------------------------------------------------------

MANY = [{"url": f"https://example.com/{number}"} for number in range(ARROW_FROM)]


def streamed(count: int, check: str = "chk_1") -> bytes:
    rows = [decided("deny") | {"considered": ["stm_1"]}] * count
    columns = [
        pa.array([str(number) for number in range(count)]),
        pa.array(rows, arrow_checks.DECISION),
        pa.nulls(count, arrow_checks.ERROR),
    ]
    schema = arrow_checks.answer_schema([Purpose.TRAIN_AI], {"check": check})
    return arrow_checks.stream(pa.RecordBatch.from_arrays(columns, schema=schema))


def test_large_checks_travel_as_arrow_streams(scripted: Scripted) -> None:
    scripted.reply(streamed(len(MANY)), 201)

    result = Registry(scripted.url, "key").check(MANY, [Purpose.TRAIN_AI])

    [(_, path, headers, body)] = scripted.requests
    assert path == "/v1/checks?purposes=train-ai"
    assert headers["Content-Type"] == arrow_checks.MEDIA_TYPE
    assert headers["Accept"].startswith(arrow_checks.MEDIA_TYPE)
    sent = pa.ipc.open_stream(body).read_all().to_pylist()
    assert sent == [{"id": str(n), **item} for n, item in enumerate(MANY)]
    assert result.items == tuple(sent)
    assert result.check == "chk_1"
    assert {answer.decisions[Purpose.TRAIN_AI].decision for answer in result.answers} == {
        Decision.DENY
    }


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"{}",
        streamed(ARROW_FROM)[:-200],
        streamed(ARROW_FROM - 1),
        streamed(0),
        arrow_checks.question(MANY),
    ],
)
def test_a_stream_that_does_not_fit_raises(scripted: Scripted, reply: bytes) -> None:
    scripted.reply(reply, 201)

    with pytest.raises(RegistryError) as caught:
        Registry(scripted.url, "key").check(MANY, [Purpose.TRAIN_AI])

    assert caught.value.code == "malformed_answer"


def test_a_registry_that_reads_no_arrow_is_asked_in_json(scripted: Scripted) -> None:
    scripted.reply({"code": "unsupported_media_type"}, 415)
    for _ in range(2):
        scripted.reply(answered(*map(str, range(len(MANY)))))
    registry = Registry(scripted.url, "key")

    for _ in range(2):
        assert len(registry.check(MANY, [Purpose.TRAIN_AI]).answers) == len(MANY)

    kinds = [headers["Content-Type"] for _, _, headers, _ in scripted.requests]
    assert kinds == [arrow_checks.MEDIA_TYPE, "application/json", "application/json"]


def test_without_pyarrow_json_does(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "find_spec", lambda _name: None)
    scripted.reply(answered(*map(str, range(len(MANY)))))

    Registry(scripted.url, "key").check(MANY, [Purpose.TRAIN_AI])

    assert scripted.requests[0][2]["Content-Type"] == "application/json"


def test_a_field_that_no_item_has_is_not_sent() -> None:
    with pytest.raises(ValueError, match="'address'"):
        arrow_checks.question([{"address": "https://example.com/"}])


def test_a_signed_report_travels_as_the_bytes_that_were_signed() -> None:
    with serving(Scripted()) as scripted:
        scripted.reply({"queries": []})
        body = b'{"queries": [ ]}'

        Registry(scripted.url, "key").report_signed(body, "head..value")

    ((method, path, headers, sent),) = scripted.requests
    assert (method, path, sent) == ("POST", "/v1/queries", body)
    assert headers["Tribute-Signature"] == "head..value"
    assert headers["Content-Type"] == "application/json"
