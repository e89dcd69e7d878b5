"""HTTP around the simulation: reads requests, writes replies, binds to 127.0.0.1 alone."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import urlsplit

from server.stripe_simulator.errors import ApiError
from server.stripe_simulator.exchange import Reply, Request
from server.stripe_simulator.forms import decode_form, decode_json
from server.stripe_simulator.pages import Shown
from server.stripe_simulator.state import Body

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
LARGEST_BODY = 1_000_000
READ_TIMEOUT_S = 30
GRACE_S = 5.0
"""How long `Listener.stop` waits for requests under way."""


class Answers(Protocol):
    """What the listener asks: pages for browsers, knobs, and the API."""

    def show(self, request: Request) -> Shown | None:
        """Answer a browser, or None when the address is no page."""
        ...

    def steer(self, request: Request) -> Body | None:
        """Answer one of the simulation's own knobs, or None."""
        ...

    def answer(self, request: Request) -> Reply:
        """Answer a call of the API."""
        ...


class Listener:
    """The socket and its threads. port 0 takes a free one."""

    def __init__(self, answers: Answers, port: int) -> None:
        self._server = _Server((HOST, port), _Handler)
        self._server.answers = answers
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="stripe-simulator-listener",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """The address it listens at."""
        return f"http://{HOST}:{self._server.server_port}"

    def start(self) -> None:
        """Listen in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, wait for those under way, then close the socket."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.drain()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    answers: Answers
    # A thread lives as long as its kept-alive connection, so `drain` waits for requests
    # instead of threads.
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._under_way = 0
        self._changed = threading.Condition()

    @contextmanager
    def one_request(self) -> Iterator[None]:
        """Count the block as a request under way."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def drain(self) -> None:
        """Wait until no request is under way, or patience ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, GRACE_S)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "StripeSimulation"
    timeout = READ_TIMEOUT_S
    # Header and body leave in one packet; in two, the client's delayed ACK costs 40 ms.
    wbufsize = -1

    def do_GET(self) -> None:
        with self.server.one_request():
            self._serve()

    def do_POST(self) -> None:
        with self.server.one_request():
            self._serve()

    def do_DELETE(self) -> None:
        with self.server.one_request():
            self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        logger.debug(format, *args)

    def _serve(self) -> None:
        try:
            request = self._read()
            if (shown := self.server.answers.show(request)) is not None:
                self._write_page(shown)
            elif (body := self.server.answers.steer(request)) is not None:
                self._write_json(HTTPStatus.OK, body, {})
            else:
                self._write_reply(self.server.answers.answer(request))
        except ApiError as error:
            self._write_json(error.status, error.body, {})

    def _read(self) -> Request:
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            raise ApiError("The body is too large.", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            written = self.rfile.read(length).decode()
        except UnicodeDecodeError as error:
            raise ApiError("The body is not UTF-8.") from error
        as_json = headers.get("content-type", "").startswith("application/json")
        sent = decode_json(written) if as_json else decode_form(written)
        origin = f"http://{headers.get('host') or f'{HOST}:{self.server.server_port}'}"
        params = {**decode_form(address.query), **sent}
        return Request(self.command, address.path, params, headers, origin)

    def _write_reply(self, reply: Reply) -> None:
        if reply.lost:
            self.close_connection = True
            return
        headers = {"Request-Id": reply.request_id}
        if reply.replayed:
            headers["Idempotent-Replayed"] = "true"
        self._write_json(reply.status, reply.body, headers)

    def _write_json(self, status: int, body: Body, headers: dict[str, str]) -> None:
        self._write(status, json.dumps(body, indent=2).encode(), "application/json", headers)

    def _write_page(self, shown: Shown) -> None:
        headers = {"Location": shown.location} if shown.location else {}
        self._write(shown.status, shown.html.encode(), "text/html; charset=utf-8", headers)

    def _write(self, status: int, content: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
