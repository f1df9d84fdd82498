"""The processes that write texts (see worker), started and ended.

A model has one process while it writes, so that a model that never ends holds up no other, and MAX_WORKERS write at once. One that is done stays for
the next prompt, with its model. A process that takes too long, or does not stop when nobody listens any more, is killed.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import defaultdict
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any

COMMAND = (
    sys.executable,
    "-P",
    "-m",
    "hubtweets.hub.generation.worker",
)  # -P: nothing is imported from the folder that the Hub was started in
MAX_WORKERS = 4
MAX_SECONDS = 120.0  # for a request, the start of the process and the loading of the model included
STOP_SECONDS = 5.0
MAX_LINE_BYTES = 2**20

Message = dict[str, Any]


class WorkerError(Exception):
    """A process does not answer, or not in time."""


class WorkerPool:
    """The processes of one Hub, on its event loop."""

    def __init__(self) -> None:
        self.writing = 0  # how many write, or are being stopped
        self.idle: Process | None = None
        self.processes: set[Process] = set()
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.tasks: set[asyncio.Task[None]] = set()

    async def write(self, repo_id: str, request: dict[str, Any]) -> AsyncGenerator[Message, None]:
        """Yield the lines of a request to the repo's model; the last one has `done` or `error`."""
        async with self.turns[repo_id]:
            if self.writing >= MAX_WORKERS:
                yield {"error": f"{MAX_WORKERS} other models are writing; try again in a minute"}
                return
            self.writing += 1
            process, ended, deadline = None, False, asyncio.get_running_loop().time() + MAX_SECONDS
            try:
                process = await self.take()
                send_line(process, json.dumps(request))
                while not ended:
                    line = await read_line(process, deadline)
                    ended = is_last(line)
                    yield line
            except WorkerError as error:
                yield {"error": f"{repo_id}: its model {error}"}
            finally:  # nothing is awaited here, for a client that leaves cancels this
                self.give_back(process, ended)

    async def take(self) -> Process:
        """Return the process that waits, or a new one."""
        process, self.idle = self.idle, None
        if process and process.stdout.at_eof():  # type: ignore[union-attr]  # somebody killed it
            self.start(self.end(process))
            process = None
        if process is None:
            environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment,
                limit=MAX_LINE_BYTES,
            )
            self.processes.add(process)
        return process

    def give_back(self, process: Process | None, ended: bool) -> None:
        """Keep a process that ended its request for the next one, in place of the one that was kept before; stop any other."""
        old = None
        if process and not ended:
            self.start(self.stop(process))
        else:
            self.writing -= 1
            old, self.idle = self.idle, process or self.idle
        if old and old is not self.idle:
            self.start(self.end(old))

    async def stop(self, process: Process) -> None:
        """Stop what a process does; if it goes on, end it."""
        send_line(process, "")
        ended = False
        with suppress(WorkerError):
            deadline = asyncio.get_running_loop().time() + STOP_SECONDS
            while not ended:
                ended = is_last(await read_line(process, deadline))
        if not ended:
            await self.end(process)
        self.give_back(process if ended else None, ended)

    async def end(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self.processes.discard(process)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)  # the event loop itself would forget it
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        """End all processes."""
        for task in self.tasks:
            task.cancel()
        for process in tuple(self.processes):
            await self.end(process)


def send_line(process: Process, line: str) -> None:
    assert process.stdin
    with suppress(
        OSError, RuntimeError
    ):  # it has died, as its missing answer will tell; the second is uvloop's
        process.stdin.write(f"{line}\n".encode())


async def read_line(process: Process, deadline: float) -> Message:
    """Return a process's next line; raise BrokenError if none comes, or none until the deadline."""
    assert process.stdout
    try:
        async with asyncio.timeout_at(deadline):
            return json.loads(await process.stdout.readline())
    except TimeoutError:
        raise WorkerError(f"took longer than {MAX_SECONDS:g} seconds") from None
    except ValueError:  # nothing, half a line, or far too much
        raise WorkerError(
            "broke off: it takes too much memory, or something in it is corrupt"
        ) from None


def is_last(line: Message) -> bool:
    return "done" in line or "error" in line
