"""The registry for asyncio: same answers, several calls at once, in the order of the questions."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest

from tribute.async_transport import AsyncRegistry
from tribute.transport import CheckResult, RegistryError
from tribute.vocabulary import Purpose

Given = TypeVar("Given")


class Echo(ThreadingHTTPServer):
    """A registry that allows everything, the first question slowest; it counts who is inside."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.inside = self.most_inside = self.calls = 0
        self.lock = threading.Lock()
        self.refuses_from: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class EchoHandler(BaseHTTPRequestHandler):
    server: Echo

    def do_POST(self) -> None:
        with self.server.lock:
            self.server.calls += 1
            number = self.server.calls
            self.server.inside += 1
            self.server.most_inside = max(self.server.most_inside, self.server.inside)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(0.15 if number == 1 else 0.03)
        with self.server.lock:
            self.server.inside -= 1
        refused = self.server.refuses_from is not None and number >= self.server.refuses_from
        if refused:
            self.give({"code": "not_allowed", "title": "No"}, 403)
        else:
            self.give(allow(asked["items"]))

    def give(self, body: Any, status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def allow(items: list[dict[str, str]]) -> dict[str, Any]:
    decision = {
        "decision": "allow",
        "rule": "work.allow",
        "statements": ["stm_1"],
        "matched_by": "url",
        "explanation": "Because.",
    }
    rows = [{"id": item["id"], "decisions": {"train-ai": decision}} for item in items]
    return {"check": f"chk_{items[0]['id']}", "answers": rows, "log_size": 1}


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def in_a_loop(work: Coroutine[Any, Any, Given]) -> Given:
    """Run it in a loop of its own thread: the tests of pages leave one running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def pages(n: int) -> list[dict[str, str]]:
    return [{"id": str(number), "url": f"https://example.com/{number}"} for number in range(n)]


def all_of(echo: Echo, items: Any, *, batch: int = 2, at_once: int = 3) -> list[CheckResult]:
    async def ask() -> list[CheckResult]:
        async with AsyncRegistry(echo.url, "trb_key", at_once=at_once) as registry:
            asked = registry.check_all(items, [Purpose.TRAIN_AI], batch=batch)
            return [result async for result in asked]

    return in_a_loop(ask())


def test_batches_run_at_once_and_answer_in_order(echo: Echo) -> None:
    results = all_of(echo, pages(9))
    ids = [answer.id for result in results for answer in result.answers]
    assert ids == [str(number) for number in range(9)]
    assert [len(result.answers) for result in results] == [2, 2, 2, 2, 1]
    assert 1 < echo.most_inside <= 3


def test_items_may_come_as_a_stream(echo: Echo) -> None:
    async def stream() -> AsyncIterator[dict[str, str]]:
        for page in pages(5):
            await asyncio.sleep(0)
            yield page

    assert sum(len(result.answers) for result in all_of(echo, stream())) == 5
    assert all_of(echo, []) == []


def test_an_error_ends_it_and_nothing_passes_for_answered(echo: Echo) -> None:
    echo.refuses_from = 3
    with pytest.raises(RegistryError) as refused:
        all_of(echo, pages(40))
    assert refused.value.code == "not_allowed"
    assert echo.calls < 20  # what was not yet asked is not asked any more


def test_the_loop_does_not_wait(echo: Echo) -> None:
    async def ask() -> int:
        turns = 0
        async with AsyncRegistry(echo.url, "trb_key") as registry:
            task = asyncio.create_task(registry.check(pages(1), [Purpose.TRAIN_AI]))
            while not task.done():
                await asyncio.sleep(0.005)
                turns += 1
            assert (await task).answers[0].allowed
        return turns

    assert in_a_loop(ask()) > 3


def test_no_call_at_once_is_no_transport() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AsyncRegistry("https://registry.example", "trb_key", at_once=0)
