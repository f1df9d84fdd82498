"""Starts the embedded Hub: in the foreground for `hubtweets hub`, in a thread for a push.

Both use the same folder, `$HUBTWEETS_HUB_DIR` or `hub` in the user's data folder, so the server
shows what a push published.
"""

import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import uvicorn
from platformdirs import user_data_path
from starlette.types import ASGIApp

from hubtweets.config import HUB_HOST, HUB_PORT
from hubtweets.errors import HubtweetsError, printable
from hubtweets.hub.connections import Connection
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages.picks import FindChoice
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import integrity
from hubtweets.hub.storage.storage import Storage

HOST, PORT = HUB_HOST, HUB_PORT
PAGE_SECONDS = 10  # to wait for a page of a Hub that runs already
UVICORN_OPTIONS: dict[str, Any] = {
    "http": Connection,
    "ws": "none",
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 3,
}


def get_storage_folder() -> Path:
    configured = os.environ.get("HUBTWEETS_HUB_DIR")
    return Path(configured) if configured else user_data_path("hubtweets") / "hub"


def open_storage() -> Storage:
    """Open the Hub's folder, created if missing; raise HubtweetsError if it can't be written."""
    folder = get_storage_folder()
    try:
        return Storage(folder)
    except OSError as error:
        advice = "choose another folder: export HUBTWEETS_HUB_DIR=DIR"
        raise HubtweetsError(f"{folder}: {error.strerror}; {advice}") from None


def format_endpoint(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """A server that binds its socket at once, so its port is known and a taken one is an error."""

    def __init__(self, app: ASGIApp, host: str = HOST, port: int = PORT) -> None:
        super().__init__(uvicorn.Config(app, **UVICORN_OPTIONS))
        self.socket = bind_socket(host, port)
        self.endpoint = format_endpoint(host, self.socket.getsockname()[1])

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets=[self.socket])


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise HubtweetsError if the address can't be used."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        advice = f"choose another port: hubtweets hub --port {port + 1}"
        if isinstance(error, socket.gaierror):
            advice = f"choose --host {HOST}"
        raise HubtweetsError(f"{host}:{port}: {error.strerror}; {advice}") from None
    bound.listen(128)
    return bound


def create_server(host: str, port: int, find_choice: FindChoice | None = None) -> Server:
    """Return a server of the user's Hub, ready to run.

    Samples can be picked on its pages only if no other machine can reach it.
    """
    app = create_app(open_storage(), host, find_choice if is_loopback(host) else None)
    return Server(app, host, port)


def is_served(url: str) -> bool:
    """Return True if a page of this machine's Hub can be read."""
    try:
        with urlopen(url, timeout=PAGE_SECONDS) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def serve_in_thread(storage: Storage) -> Iterator[str]:
    """Serve on a free port while the block runs, and yield the endpoint."""
    server = Server(create_app(storage), port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.endpoint  # the socket already listens: requests wait until the thread answers
    finally:
        server.should_exit = True
        thread.join()


def maintain_storage(check: bool, collect: bool) -> Iterator[str]:
    """Check the user's Hub and remove its unused files, and yield lines that say what was found.

    Raises HubtweetsError if something is missing or corrupt.
    """
    storage = open_storage()
    if collect:
        orphans = collect_garbage(storage)
        yield f"removed: {count_files(orphans.old)}"
        if not check:
            yield from describe_kept(orphans)
    if check:
        yield from check_storage(storage)


def collect_garbage(storage: Storage) -> integrity.Orphans:
    try:
        return integrity.collect_garbage(storage)
    except HubError as error:
        raise HubtweetsError(f"{error}; type: hubtweets hub --check") from None


def check_storage(storage: Storage) -> Iterator[str]:
    report = integrity.check_storage(storage)
    yield from map(printable, report.faults)
    checked = f"checked: repos {report.repos:,}, commits {report.commits:,}"
    yield f"{checked}, contents {report.contents:,}, bytes {report.size:,}"
    unused = f"unused: {count_files(report.orphans.old)}"
    yield unused + ("; to remove them: hubtweets hub --gc" if report.orphans.old else "")
    yield from describe_kept(report.orphans)
    if report.faults:
        raise HubtweetsError(f"{storage.root}: corrupt (see above); publish those repos again")


def count_files(sizes: dict[Path, int]) -> str:
    return f"files {len(sizes):,}, bytes {sum(sizes.values()):,}"


def describe_kept(orphans: integrity.Orphans) -> Iterator[str]:
    """Yield a line about the unused files that are too young to be removed, if there are any."""
    if orphans.young:
        # rounded up to a minute, so that a --gc at that time removes them
        until = datetime.fromtimestamp(ceil(orphans.until / 60) * 60)
        yield (
            f"kept: {count_files(orphans.young)}, unused for less than an hour, so a push may "
            f"still need them; after {until:%H:%M}, type: hubtweets hub --gc"
        )
