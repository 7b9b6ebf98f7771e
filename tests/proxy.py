"""A TCP proxy before a service, for faults of the network that are real ones."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 1 << 16


class Proxy:
    """Passes bytes on both ways. Its first `cut` connections break when so many bytes were asked or answered. Where it
    `holds` them instead, the first `cut` that get so far say nothing any more."""

    def __init__(self, endpoint: str, cut: int, after_bytes: int, holds: bool = False) -> None:
        host, _, port = endpoint.rpartition("/")[2].partition(":")
        self._target, self._cut, self._after_bytes = (host, int(port)), cut, after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepted = 0
        self.dropped = 0
        self._holds, self._closed = holds, threading.Event()
        self.met = threading.Event()
        """Somebody has connected."""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._closed.set()
        self._thread.join()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self.met.set()
            limit = self._after_bytes if self._holds or self.accepted <= self._cut else None
            threading.Thread(target=self._pass, args=(client, limit), daemon=True).start()

    def _pass(self, client: socket.socket, limit: int | None) -> None:
        with client, socket.create_connection(self._target) as service:
            with self._lock:
                self._open |= {client, service}
            back = threading.Thread(target=self._pump, args=(client, service, limit), daemon=True)
            back.start()
            self._pump(service, client, limit)
            back.join()
            with self._lock:
                self._open -= {client, service}

    def _drops(self) -> bool:
        with self._lock:
            if self._holds and self.dropped >= self._cut:
                return False
            self.dropped += 1
            return True

    def _pump(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                passed += len(chunk)
                if limit is not None and passed > limit and self._drops():
                    if self._holds:
                        self._closed.wait()
                    break
                target.sendall(chunk)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def before(endpoint: str, *, cut: int = 0, after_bytes: int = 0, holds: bool = False) -> Iterator[Proxy]:
    """A proxy before the service at `endpoint`."""
    proxy = Proxy(endpoint, cut, after_bytes, holds)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def silence() -> Iterator[tuple[str, threading.Event]]:
    """The endpoint of a service that takes connections and never answers, and whether somebody has connected."""
    met, held = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def swallow() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    met.set()

        thread = threading.Thread(target=swallow, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", met
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in held:
                each.close()
