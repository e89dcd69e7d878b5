"""A line to a server that breaks in the middle of a file, as a test says."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

BLOCK = 64 * 1024


class CutLine:
    """Carries connections to a port of this machine; ``sent`` counts bytes towards it.

    After ``cut_after`` bytes in all the line is cut once. After ``hold_after`` the connection in
    use carries nothing more, ever, and ``held`` is set: what comes after lost bytes must not pass.
    """

    def __init__(self, port: int) -> None:
        self._far = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0
        self.cut_after: int | None = None
        self.hold_after: int | None = None
        self.held = threading.Event()
        self.cuts = 0

    def serve(self) -> None:
        """Carry until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._far))
                for carry in (self._out, self._back):
                    threading.Thread(target=carry, args=(near, far), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        # Closing alone leaves a thread in accept where it is.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _out(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(far):
            while block := near.recv(BLOCK):
                if self.hold_after is not None and self.sent >= self.hold_after:
                    self._swallow(near)
                    break
                far.sendall(block)
                self.sent += len(block)
                if self.cut_after is not None and self.sent >= self.cut_after:
                    self.cut_after = None
                    self.cuts += 1
                    near.shutdown(socket.SHUT_RDWR)
                    break
            far.shutdown(socket.SHUT_RDWR)

    def _swallow(self, near: socket.socket) -> None:
        self.held.set()
        while near.recv(BLOCK):
            pass

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(near):
            while block := far.recv(BLOCK):
                near.sendall(block)


@contextmanager
def line_to(port: int) -> Iterator[CutLine]:
    """Carry connections for as long as the block lasts."""
    line = CutLine(port)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join()
