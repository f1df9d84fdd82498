"""Starts the embedded Hub: in the foreground for `hubtweets hub`, in a thread for a push.

Both use the same folder, `$HUBTWEETS_HUB_DIR` or `hub` in the user's data folder, so what a push left is served the next time.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from platformdirs import user_data_path
from starlette.types import ASGIApp

from hubtweets.errors import HubtweetsError, printable
from hubtweets.hub.connections import Connection
from hubtweets.hub.errors import HubError
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import integrity
from hubtweets.hub.storage.storage import Storage

HOST, PORT = "127.0.0.1", 8086


def get_storage_folder() -> Path:
    configured = os.environ.get("HUBTWEETS_HUB_DIR")
    return Path(configured) if configured else user_data_path("hubtweets") / "hub"


def open_storage() -> Storage:
    """Open the Hub's folder, made on the first call; raise HubtweetsError where it can't be written."""
    try:
        return Storage(get_storage_folder())
    except OSError as error:
        raise HubtweetsError(
            f"{get_storage_folder()}: {error.strerror}; choose another folder: export HUBTWEETS_HUB_DIR=DIR"
        ) from None


def format_endpoint(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """A server whose socket is bound at once, so that its port is known and a taken one is an error."""

    def __init__(self, app: ASGIApp, host: str = HOST, port: int = PORT) -> None:
        settings: dict[str, Any] = {
            "log_level": "warning",
            "server_header": False,
            "timeout_graceful_shutdown": 3,
        }
        super().__init__(uvicorn.Config(app, http=Connection, ws="none", **settings))
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind((host, port))
        except OSError as error:
            self.socket.close()
            advice = (
                "choose --host 127.0.0.1"
                if isinstance(error, socket.gaierror)
                else f"choose another port: hubtweets hub --port {port + 1}"
            )
            raise HubtweetsError(f"{host}:{port}: {error.strerror}; {advice}") from None
        self.socket.listen(128)
        self.endpoint = format_endpoint(host, self.socket.getsockname()[1])

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets=[self.socket])


def create_server(host: str, port: int) -> Server:
    """Return a server of the user's Hub that is ready to run."""
    return Server(create_app(open_storage(), host), host, port)


@contextmanager
def serve_in_thread(storage: Storage) -> Iterator[str]:
    """Serve on a free port while the block runs, and give its endpoint."""
    server = Server(create_app(storage), port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.endpoint  # the socket listens already: a request waits until the thread answers
    finally:
        server.should_exit = True
        thread.join()


def maintain_storage(check: bool, collect: bool) -> Iterator[str]:
    """Check what the user's Hub keeps, remove what nobody needs, and say what was found; raise HubtweetsError for what is not whole."""
    storage = open_storage()
    if collect:
        try:
            count, size = integrity.collect_garbage(storage)
        except HubError as error:
            raise HubtweetsError(f"{error}; type: hubtweets hub --check") from None
        yield f"removed: files {count:,}, bytes {size:,}"
    if check:
        found = integrity.check_storage(storage)
        yield from map(printable, found.faults)
        yield f"checked: repos {found.repos:,}, commits {found.commits:,}, contents {found.contents:,}, bytes {found.size:,}"
        orphans = (
            f"needed by nobody: files {len(found.orphans):,}, bytes {sum(found.orphans.values()):,}"
        )
        yield orphans + ("; to remove them: hubtweets hub --gc" if found.orphans else "")
        if found.faults:
            raise HubtweetsError(
                f"{storage.root}: not whole (see above); publish those repos again"
            )
