"""A registry of a test's own that takes manifests in by tus, over lines as bad as it is told."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "trb_key"


class ManifestRegistry(ThreadingHTTPServer):
    """Keeps what was received in ``uploads``; the manifest last announced counts.

    break_after: bytes of a PATCH that still arrive, one for each PATCH that breaks. lose_answers:
    how many PATCHes are taken and not answered. states: statuses of the next manifest, one for
    each time it is asked, before it is in force.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.uploads: dict[str, bytearray] = {}
        self.announced: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.sent_from: list[int] = []
        self.break_after: list[int] = []
        self.lose_answers = 0
        self.states: list[dict[str, Any]] = []
        self.replies: dict[tuple[str, str], tuple[int, dict[str, str], Any]] = {}
        self.host_named = "http://elsewhere.example"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of lines that broke on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: ManifestRegistry

    def answer(self) -> None:
        where = (self.command, self.path)
        self.server.asked.append(where)
        assert self.headers["Authorization"] == f"Bearer {KEY}"
        if where in self.server.replies:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.give(*self.server.replies[where])
        elif self.command == "POST":
            self.announce()
        elif found := re.fullmatch("/v1/uploads/(.*)", self.path):
            assert self.headers["Tus-Resumable"] == "1.0.0"
            self.upload(found[1])
        elif self.path.endswith("/manifest"):
            self.give(200, {}, self.declared())
        else:
            self.give(200, {}, {"rows": 1})

    do_GET = do_POST = do_PATCH = do_HEAD = answer  # noqa: N815 - the names are the standard library's

    def announce(self) -> None:
        self.server.announced.append(
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        )
        number = len(self.server.announced)
        self.server.uploads[f"upl_{number}"] = bytearray()
        address = f"{self.server.host_named}/v1/uploads/upl_{number}"
        self.give(201, {}, {"id": f"mft_{number}", "upload": {"url": address}})

    def upload(self, name: str) -> None:
        if name not in self.server.uploads:
            return self.give(404, {}, {"code": "not_found", "title": "Not found"})
        received = self.server.uploads[name]
        if self.command == "PATCH":
            start = int(self.headers["Upload-Offset"])
            if start != len(received):
                return self.give(409, {}, {"code": "upload_offset_differs", "title": "No"})
            self.server.sent_from.append(start)
            length = int(self.headers["Content-Length"])
            if self.server.break_after:
                received += self.rfile.read(min(self.server.break_after.pop(0), length))
                return self.hang_up()
            received += self.rfile.read(length)
            if self.server.lose_answers:
                self.server.lose_answers -= 1
                return self.hang_up()
        size = self.server.announced[int(name.removeprefix("upl_")) - 1]["size"]
        offset = {"Upload-Offset": str(len(received)), "Upload-Length": str(size)}
        return self.give(204 if self.command == "PATCH" else 200, offset, None)

    def declared(self) -> dict[str, Any]:
        number = len(self.server.announced)
        manifest = {"id": f"mft_{number}", "rows_count": number, "status": "ready"}
        if self.server.states:
            return {"current": None, "next": manifest | self.server.states.pop(0)}
        return {"current": manifest, "next": None}

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def give(self, status: int, headers: dict[str, str], body: Any) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def taking_manifests() -> Iterator[ManifestRegistry]:
    """Serve for as long as the block lasts."""
    with ManifestRegistry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
