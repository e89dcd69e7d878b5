"""``make demo``: start everything on this machine, play the story, leave the site running.

Owns which processes make up the demo and the environment that joins them. The story itself is the
management command ``demo``; nothing here knows Django. DEMO_EXIT=1 ends after the summary with the
story's exit status, which is non-zero when a promise was found broken.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from server.broker import Broker
from server.embedded import PROJECT, EmbeddedServerError, default_home, free_port, held_port
from server.postgres import Postgres
from server.processes import ChildFailed, Supervisor, run_to_end

WEB_PORT = 8000
SITE_HOST = "psalter.example"
MANAGE = [sys.executable, str(PROJECT / "manage.py")]


def main() -> int:
    """Run the demo; returns the exit status. SIGTERM ends it as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = default_home()
    try:
        with ExitStack() as stack:
            _say("Starting a private PostgreSQL and broker")
            environment = stack.enter_context(Postgres(home).borrowed())
            environment |= stack.enter_context(Broker(home).borrowed())
            web_port = int(os.environ.get("DEMO_PORT") or WEB_PORT)
            ports = {
                "web": stack.enter_context(held_port(web_port)),
                "stripe": free_port(),
                "site": free_port(),
            }
            environment |= _environment(home, ports)
            _say("Laying out the database")
            quiet = ["--verbosity", "0"]
            if status := run_to_end(
                [*MANAGE, "migrate", "--database", "owner", *quiet], os.environ | environment
            ):
                return status
            supervisor = stack.enter_context(Supervisor(home / "log", report=_say))
            _start_services(supervisor, home, ports, environment)
            status = run_to_end([*MANAGE, "demo"], os.environ | environment)
            if os.environ.get("DEMO_EXIT") or status:
                return status
            _say("The site runs until you press Ctrl-C; `make demo` takes it up again.")
            supervisor.wait()
    except KeyboardInterrupt:
        _say("\nStopping. What you did is kept in .tribute; `make clean` removes it.")
    except (EmbeddedServerError, ChildFailed) as error:
        _say(str(error))
        return 1
    return 0


def _environment(home: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """Everything the processes need to find each other. The secrets guard a simulation."""
    return {
        "DJANGO_SETTINGS_MODULE": "server.settings",
        "TRIBUTE_EMBEDDED": "1",
        "TRIBUTE_HOME": str(home),
        "PUBLIC_URL": f"http://localhost:{ports['web']}",
        "PAYMENT_GATEWAY": "stripe",
        "STRIPE_API_KEY": "sk_test_simulated",
        "STRIPE_API_BASE": f"http://127.0.0.1:{ports['stripe']}",
        "STRIPE_WEBHOOK_SECRET": "whsec_simulated_platform",
        "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_simulated_connect",
        # Nobody waits thirty days in a demo; the summary says so.
        "HOLDING_DAYS": "0",
        "FETCH_TEST_HOSTS": json.dumps({SITE_HOST: ["127.0.0.1", ports["site"]]}),
        "LOG_LEVEL": "WARNING",
    }


def _start_services(
    supervisor: Supervisor, home: Path, ports: Mapping[str, int], environment: Mapping[str, str]
) -> None:
    web = f"http://127.0.0.1:{ports['web']}"
    _say("Starting the Stripe simulator, the web server, the worker and the timetable")
    site = home / "site"
    site.mkdir(parents=True, exist_ok=True)
    supervisor.start(
        "site",
        [
            *(sys.executable, "-m", "http.server", str(ports["site"])),
            *("--bind", "127.0.0.1", "--directory", str(site)),
        ],
        ready=f"http://127.0.0.1:{ports['site']}/",
    )
    supervisor.start(
        "stripe",
        [
            *(sys.executable, "-m", "server.stripe_simulator"),
            *("--port", str(ports["stripe"]), "--state", str(home / "stripe.sqlite")),
            *("--webhook-url", f"{web}/webhooks/stripe"),
            *("--platform-secret", environment["STRIPE_WEBHOOK_SECRET"]),
            *("--connect-secret", environment["STRIPE_CONNECT_WEBHOOK_SECRET"]),
        ],
        environment=environment,
        ready=f"http://127.0.0.1:{ports['stripe']}/_simulator/state",
    )
    supervisor.start(
        "web",
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "server.wsgi:application"),
            *("--host", "127.0.0.1", "--port", str(ports["web"]), "--workers", "2"),
        ],
        environment=environment,
        ready=f"{web}/readyz",
    )
    celery = [sys.executable, "-m", "celery", "--app", "server.celery"]
    supervisor.start(
        "worker",
        [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"],
        environment=environment,
    )
    supervisor.start(
        "timetable",
        [*celery, "beat", "--loglevel", "WARNING"],
        environment=environment,
    )


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
