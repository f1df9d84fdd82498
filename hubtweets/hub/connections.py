"""Closes connections whose request heads are late, and limits how many may wait for one."""

import asyncio
from itertools import count

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_SECONDS = 10.0
# connections without a complete head; half of the open files that some systems allow a process
MAX_WAITING_CONNECTIONS = 256

wait_numbers = count()  # the clock is too coarse to tell which of two connections came first


class Connection(H11Protocol):
    """uvicorn's connection with a deadline for each request's head.

    It is closed if a head takes longer than MAX_HEAD_SECONDS, or if it has waited the longest of
    more than MAX_WAITING_CONNECTIONS.
    """

    head_timer: asyncio.TimerHandle | None = None
    wait_number = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.start_head_timer()
        waiting = [
            one for one in self.connections if isinstance(one, Connection) and one.head_timer
        ]
        if len(waiting) > MAX_WAITING_CONNECTIONS:
            min(waiting, key=lambda one: one.wait_number).hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_head_timer()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        cycle = self.cycle
        super().handle_events()
        if self.cycle is not cycle:  # uvicorn creates one for each complete head
            self.stop_head_timer()

    def on_response_complete(self) -> None:
        self.start_head_timer()
        super().on_response_complete()  # it handles the next head if that has arrived

    def start_head_timer(self) -> None:
        self.stop_head_timer()
        self.head_timer = self.loop.call_later(MAX_HEAD_SECONDS, self.hang_up)
        self.wait_number = next(wait_numbers)

    def stop_head_timer(self) -> None:
        if self.head_timer:
            self.head_timer.cancel()
            self.head_timer = None

    def hang_up(self) -> None:
        self.stop_head_timer()
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Leave upgrades to the application; uvicorn would suggest a WebSocket library."""
        return False
