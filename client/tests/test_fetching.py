import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tribute.fetching import AGENT, FetchFailed, fetcher


class Site(BaseHTTPRequestHandler):
    """A site with a page, redirects of several kinds, and pages that misbehave."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/redirect":
            self._answer(302, b"", location="/page")
        elif path == "/round":
            self._answer(302, b"", location="/round")
        elif path == "/file":
            self._answer(302, b"", location="file:///etc/passwd")
        elif path == "/ftp":
            self._answer(302, b"", location="ftp://127.0.0.1/")
        elif path == "/missing":
            self._answer(404, b"no")
        elif path in {"/endless", "/headless"}:
            self.send_response(200)
            if path == "/endless":
                self.end_headers()
            self.wfile.flush()
            while True:
                time.sleep(0.05)
                try:
                    self.wfile.write(b"drip")
                except OSError:
                    return
        else:
            agent = self.headers["User-Agent"].encode()
            self._answer(200, agent, content_type="Text/HTML; charset=utf-8")

    def _answer(self, status: int, body: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_has_everything(site: str) -> None:
    answer = fetcher(timeout=5)(f"{site}/page")

    assert (answer.url, answer.status, answer.body) == (f"{site}/page", 200, AGENT.encode())
    assert answer.media_type == "text/html"
    assert answer.complete


def test_redirects_are_followed_to_web_addresses_only(site: str) -> None:
    fetch = fetcher(timeout=5)

    assert fetch(f"{site}/redirect").url == f"{site}/page"
    assert (fetch(f"{site}/file").status, fetch(f"{site}/file").body) == (302, b"")
    with pytest.raises(FetchFailed, match="not an http"):
        fetch(f"{site}/ftp")


def test_going_round_in_circles_ends(site: str) -> None:
    assert fetcher(timeout=5)(f"{site}/round").status == 302


def test_a_refusal_is_an_answer(site: str) -> None:
    assert fetcher(timeout=5)(f"{site}/missing").status == 404


def test_a_body_is_cut_at_the_limit(site: str) -> None:
    answer = fetcher(timeout=5, limit=4)(f"{site}/page")

    assert (answer.body, answer.complete) == (AGENT.encode()[:4], False)


@pytest.mark.parametrize("path", ["/endless", "/headless"])
def test_an_answer_that_never_ends_fails(site: str, path: str) -> None:
    started = time.monotonic()

    with pytest.raises(FetchFailed, match="too long"):
        fetcher(timeout=0.3)(f"{site}{path}")

    assert time.monotonic() - started < 3  # each drip by itself comes in time


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://",
        "https://[broken",
        "data:,x",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:99999/",
        "http://exa mple.invalid:1/\n",
    ],
)
def test_what_cannot_be_fetched_fails(url: str) -> None:
    with pytest.raises(FetchFailed):
        fetcher(timeout=2)(url)


def test_spaces_and_foreign_letters_are_escaped(site: str) -> None:
    assert fetcher(timeout=5)(f"{site}/page?q=é ü").status == 200


def test_hosts_are_asked_for_in_ascii() -> None:
    """Neither name exists, and both are looked up: the letters outside ASCII are no obstacle."""
    for url in ("http://b\u00fccher.invalid:8080/\u00e4?\u00f6", "http://\u0628.invalid/"):
        with pytest.raises(FetchFailed, match=r"(?i)name|resol"):
            fetcher(timeout=5)(url)
    with pytest.raises(FetchFailed, match=r"(?i)codepoint"):
        fetcher(timeout=5)("http://a\u2024\u00e4\ufffd.invalid/")
