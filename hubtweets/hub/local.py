"""Starts the embedded Hub: in the foreground for `hubtweets hub`, in a thread for a push.

Both use the same folder, `$HUBTWEETS_HUB_DIR` or `hub` in the user's data folder, so what a push left is served the next time.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from platformdirs import user_data_path

from hubtweets.errors import HubtweetsError
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import Storage

HOST, PORT = "127.0.0.1", 8086


def storage_folder() -> Path:
    configured = os.environ.get("HUBTWEETS_HUB_DIR")
    return Path(configured) if configured else user_data_path("hubtweets") / "hub"


def open_storage() -> Storage:
    """Open the Hub's folder, made on the first call; raise HubtweetsError where it can't be written."""
    try:
        return Storage(storage_folder())
    except OSError as error:
        raise HubtweetsError(f"{storage_folder()}: {error.strerror}; choose another folder: export HUBTWEETS_HUB_DIR=DIR") from None


class Server(uvicorn.Server):
    """A server whose socket is bound at once, so that its port is known and a taken one is an error."""

    def __init__(self, storage: Storage, port: int) -> None:
        super().__init__(uvicorn.Config(create_app(storage), log_level="warning", lifespan="off"))
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind((HOST, port))
        except OSError as error:
            self.socket.close()
            raise HubtweetsError(f"{HOST}:{port}: {error.strerror}; choose another port: hubtweets hub --port {port + 1}") from None
        self.socket.listen(128)
        self.endpoint = f"http://{HOST}:{self.socket.getsockname()[1]}"

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets=[self.socket])


@contextmanager
def running(storage: Storage) -> Iterator[str]:
    """Serve on a free port while the block runs, and give its endpoint."""
    server = Server(storage, 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.endpoint  # the socket listens already: a request waits until the thread answers
    finally:
        server.should_exit = True
        thread.join()
