"""Connections on which a request must come: its head in time, and not too many of them waiting."""

import asyncio
from itertools import count

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_SECONDS = 10.0
MAX_WAITING_CONNECTIONS = (
    256  # connections without a whole head; half of what some systems let a process open
)

wait_numbers = count()  # the clock is too coarse to tell which of two connections came first


class Connection(H11Protocol):
    """uvicorn's connection, closed if a request's head takes MAX_HEAD_SECONDS, or if it waits the longest of more than MAX_WAITING."""

    head_timer: asyncio.TimerHandle | None = None
    wait = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.wait_for_head()
        waiting = [
            one for one in self.connections if isinstance(one, Connection) and one.head_timer
        ]
        if len(waiting) > MAX_WAITING_CONNECTIONS:
            min(waiting, key=lambda one: one.wait).hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        cycle = self.cycle
        super().handle_events()
        if self.cycle is not cycle:  # uvicorn makes one of each head
            self.stop_waiting()

    def on_response_complete(self) -> None:
        self.wait_for_head()
        super().on_response_complete()  # which goes on with the next head if that is here already

    def wait_for_head(self) -> None:
        self.stop_waiting()
        self.head_timer, self.wait = (
            self.loop.call_later(MAX_HEAD_SECONDS, self.hang_up),
            next(wait_numbers),
        )

    def stop_waiting(self) -> None:
        if self.head_timer:
            self.head_timer.cancel()
            self.head_timer = None

    def hang_up(self) -> None:
        self.stop_waiting()
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Leave Upgrade headers to the application: uvicorn would advise to install a WebSocket library."""
        return False
