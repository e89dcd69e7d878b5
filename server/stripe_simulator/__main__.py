"""Run the simulation as a process: ``python -m server.stripe_simulator``."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from server.stripe_simulator.settings import Settings
from server.stripe_simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    settings = Settings(
        webhook_url=options.webhook_url,
        platform_secret=options.platform_secret,
        connect_secret=options.connect_secret,
        settle_delay_s=options.settle_delay,
        payout_delay_s=options.payout_delay,
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with Simulator(options.state, settings, options.port) as simulator:
        logging.getLogger(__name__).info("simulating Stripe at %s", simulator.url)
        if options.port_file:
            _write_whole(options.port_file, simulator.url.rsplit(":", 1)[1])
        ended.wait()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m server.stripe_simulator",
        description="Simulate Stripe's HTTP API on 127.0.0.1. Never run against Stripe itself.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it listens")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file, made when missing")
    parser.add_argument("--webhook-url", default="", help="where events go; none are sent without")
    parser.add_argument("--platform-secret", default="", help="signs the platform's own events")
    parser.add_argument("--connect-secret", default="", help="signs connected accounts' events")
    parser.add_argument(
        "--settle-delay", type=float, default=0.0, help="seconds until a charge is available"
    )
    parser.add_argument(
        "--payout-delay", type=float, default=2.0, help="seconds between steps of a bank payout"
    )
    options = parser.parse_args(arguments)
    if options.webhook_url and not (options.platform_secret and options.connect_secret):
        parser.error("--webhook-url needs --platform-secret and --connect-secret to sign with")
    return options


def _write_whole(path: Path, content: str) -> None:
    """Write so that a reader who waits for the file never sees half of it."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(content)
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
