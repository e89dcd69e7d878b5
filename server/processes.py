"""Child processes: run one to its end, or keep a named few alive.

Owns signals, restarts, readiness and log files of the processes the demo starts.
Knows neither Django nor what the processes do.
"""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

COMMAND_NOT_FOUND = 127
"""What a shell returns for a command it cannot find."""


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``command`` in the foreground and return its exit status, as a shell would.

    Ctrl-C reaches the command from the terminal, so it is ignored here: the command
    decides when it ends. SIGTERM and SIGHUP are passed on. 128 + n means signal n.
    """
    try:
        child = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - the caller's own command line
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return COMMAND_NOT_FOUND

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """A handler rather than SIG_IGN, which the child would have inherited."""

    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, ignore),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
    }
    try:
        status = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
