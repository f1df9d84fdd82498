"""A server that outlives the Hubs it serves: a restart takes longer than most tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub import local


class Served:
    """An application that is served and can be changed."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.server = local.Server(self, port=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)


@contextmanager
def serve_app() -> Iterator[Served]:
    """Serve while the block runs."""
    served = Served()
    thread = threading.Thread(target=served.server.run, daemon=True)
    thread.start()
    yield served
    served.server.should_exit = True
    thread.join()
