"""Acme declares what it trained on by the command line, over a bad line, and later hears of a deny.

A real web server and a real worker; the ``tribute`` command runs as its users run it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from registry import collections, log_signing, receipts, tasks
from registry.models import RevocationNotice, UploadPart, WebhookEndpoint
from registry.webhooks import endpoints
from server.embedded import free_port
from server.postgres import APPLICATION, Postgres
from server.processes import Supervisor
from tests.factories import DAY, allow, deny, make_creator, make_key, make_operator, make_work
from tests.journeys.cut_lines import CutLine, line_to
from tests.registry.webhooks.receiver import URL, Receiver, receiving
from tribute.transport import Registry
from tribute.vocabulary import IdentifierKind

ROWS = 20_000
POEMS = 3
VIOLATIONS = 150
MEGABYTE = 1_000_000
PADDING = "the-same-long-way-that-addresses-of-pictures-often-have/" * 6
COMMAND = Path(sys.executable).with_name("tribute")
WORKER = """
import django
django.setup()
import time
from attribution.tasks import adopt_manifests
from registry.tasks import work_off_manifests
while True:
    work_off_manifests()
    adopt_manifests()
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Acme:
    """An operator at its terminal, and the file that says what its model learned from."""

    line: CutLine
    key: str
    file: Path
    environment: Mapping[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [COMMAND, *arguments, "--registry", self.line.url],
            env={**os.environ, "TRIBUTE_API_KEY": self.key, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        said, complained = process.communicate(timeout=120)
        assert process.returncode in {0, 1}, complained
        return process.returncode, said


@pytest.mark.timeout(600)
def test_a_manifest_over_a_bad_line_and_a_later_deny(
    committed_db: None, log_home: Path, tmp_path: Path, settings: Any
) -> None:
    began = timezone.now() - 60 * DAY
    ada, ben = make_creator("ada", at=began), make_creator("ben", at=began)
    poems = [make_work(ada, url=f"https://ada.example/{n}", at=began) for n in range(POEMS)]
    for poem in poems:
        allow(poem, at=began)
    place = collections.claim(ben, kind=IdentifierKind.HOST, value="ben.example", at=began)
    deny(place, at=began)
    operator = make_operator("acme", at=began)
    told = endpoints.add(
        operator, url=URL, events=("manifest.ready", "revocation.created"), at=timezone.now()
    )
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(corpus())
    said: list[str] = []
    with (
        receiving(settings) as receiver,
        Supervisor(tmp_path / "processes", report=said.append) as supervisor,
        line_to(start_server(supervisor)) as line,
    ):
        key = make_key(operator)[1]
        acme = Acme(line, key, file, {"TRIBUTE_LOG_KEY": str(log_signing.verifier())})
        model = Registry(line.url, key).register_model(
            {"name": "Muse", "version": "1", "currency": "EUR", "fee_micros": 10_000}
        )["id"]
        uploads_over_a_bad_line(acme, model, supervisor)
        reads_what_it_shows(acme, model)
        hears_of_a_deny(acme, poems[1])
        hears_by_webhook(receiver, told)
        gets_the_receipt(acme, tmp_path)


def corpus() -> bytes:
    """Three poems of Ada's, a hundred and fifty pages of Ben's, and what nobody has registered."""
    addresses = [f"https://ada.example/{number}" for number in range(POEMS)]
    addresses += [f"https://ben.example/{number}" for number in range(VIOLATIONS)]
    addresses += [
        f"https://cdn.example/{PADDING}{number}" for number in range(ROWS - len(addresses))
    ]
    ingested = (timezone.now() - 10 * DAY).isoformat()
    rows = ({"url": address, "ingested_at": ingested} for address in addresses)
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def uploads_over_a_bad_line(acme: Acme, model: str, supervisor: Supervisor) -> None:
    """The process is killed in the middle, the next one's line is cut, and both lose little."""
    size = acme.file.stat().st_size
    assert size > 7 * MEGABYTE + MEGABYTE // 2
    acme.line.hold_after = 5 * MEGABYTE
    process = acme.start("manifest", "upload", model, str(acme.file))
    assert acme.line.held.wait(60), process.communicate(timeout=1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [path.name for path in acme.file.parent.glob("*.tribute-upload")] != []
    acme.line.hold_after, acme.line.cut_after = None, acme.line.sent + 2 * MEGABYTE
    supervisor.start("worker", [sys.executable, "-c", WORKER], environment=surroundings())

    status, report = acme.run("manifest", "upload", model, str(acme.file), "--json")

    assert (status, acme.line.cuts) == (1, 1)
    # What had arrived was not sent again: without that, the second process would send it all.
    assert acme.line.sent < 5 * MEGABYTE + size
    counts = json.loads(report)
    assert {name: counts[name] for name in ("rows", "matched", "works", "allowed", "denied")} == {
        "rows": ROWS,
        "matched": POEMS,
        "works": POEMS,
        "allowed": POEMS,
        "denied": VIOLATIONS,
    }
    assert counts["unknown"] == ROWS - POEMS - VIOLATIONS
    assert counts["coverage_ppm"] == POEMS * 1_000_000 // ROWS
    assert list(acme.file.parent.glob("*.tribute-upload")) == []
    assert UploadPart.objects.count() == 0


def reads_what_it_shows(acme: Acme, model: str) -> None:
    status, report = acme.run("manifest", "report", model)
    assert (status, report.splitlines()[-1]) == (
        1,
        f"all rows that were not allowed: tribute manifest violations {model}",
    )
    status, lines = acme.run("manifest", "violations", model)
    rows = [json.loads(line) for line in lines.splitlines()]
    assert (status, [row["row"] for row in rows]) == (
        1,
        list(range(POEMS + 1, POEMS + 1 + VIOLATIONS)),
    )
    assert {row["decision"] for row in rows} == {"deny"}


def hears_of_a_deny(acme: Acme, poem: Any) -> None:
    """Ada changes her mind; the notice is listed until Acme takes note of it."""
    assert acme.run("revocations", "list") == (0, "")
    statement = deny(poem, at=timezone.now())
    assert tasks.notify_revocations() == 1

    status, listed = acme.run("revocations", "list", "--open", "--json")

    [notice] = json.loads(listed)
    assert (status, notice["work"], notice["statement"]) == (1, poem.pk, statement.pk)
    assert acme.run("revocations", "acknowledge", notice["id"])[0] == 0
    assert acme.run("revocations", "list", "--open") == (0, "")
    assert f"{notice['id']}\t{poem.pk}" in acme.run("revocations", "list")[1]
    assert RevocationNotice.objects.get().acknowledgement.acknowledged_at is not None


def hears_by_webhook(receiver: Receiver, endpoint: WebhookEndpoint) -> None:
    assert tasks.send_webhooks() == 2
    secret = Webhook(endpoints.secret(endpoint))
    came = [secret.verify(body, headers) for _, headers, body in receiver.came]
    assert [event["type"] for event in came] == ["manifest.ready", "revocation.created"]
    assert came[0]["data"]["violations"] == VIOLATIONS


def gets_the_receipt(acme: Acme, folder: Path) -> None:
    """Acme asks about the poem again, and keeps a receipt that the log proves."""
    status, answer = acme.run(
        "check", "--url", "https://ada.example/1", "--purpose", "train-ai", "--json"
    )
    check = json.loads(answer)["check"]
    tasks.sequence_log()
    key, kept = receipts.public_key().hex(), folder / "receipt.json"

    status, said = acme.run("receipt", check, "--key", key, "--output", str(kept))

    assert (status, said.splitlines()[0].partition(":")[0]) == (0, check)
    assert "  logged: entry " in said
    assert acme.run("receipt", str(kept), "--key", key) == (0, said)


def start_server(supervisor: Supervisor) -> int:
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "server.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    ready = f"http://127.0.0.1:{port}/readyz"
    supervisor.start("web", command, environment=surroundings(), ready=ready)
    return port


def surroundings() -> dict[str, str]:
    name = str(connection.settings_dict["NAME"])
    return {
        "DATABASE_URL": Postgres().url(role=APPLICATION, database=name),
        "DJANGO_SETTINGS_MODULE": "server.settings",
        "TRIBUTE_EMBEDDED": "1",
        "TRIBUTE_HOME": str(settings.HOME),
        "LOG_FOLDER": str(settings.LOG_FOLDER),
        "LOG_LAST_SIGNED": str(settings.LOG_LAST_SIGNED),
        "LOG_SIGNING_KEY": settings.LOG_SIGNING_KEY,
        "LOG_ORIGIN": settings.LOG_ORIGIN,
    }
