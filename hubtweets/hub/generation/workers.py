"""A pool of worker processes that generate texts (see worker).

Each model has at most one process at work, so a model that never stops blocks no other, and at most
MAX_WORKERS work at once. An idle process stays for the next prompt, with its model loaded. A
process that takes too long, or does not stop after its client left, is killed.
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

# -P: import nothing from the folder in which the Hub was started
ARGUMENTS = ("-P", "-m", "hubtweets.hub.generation.worker")
MAX_WORKERS = 4
MAX_SECONDS = 120.0  # for a request, including the start of the process and loading the model
STOP_SECONDS = 5.0
MAX_LINE_BYTES = 2**20

Message = dict[str, Any]


class WorkerError(Exception):
    """A process does not answer, or not in time."""


class WorkerPool:
    """The worker processes of one Hub, on its event loop."""

    def __init__(self) -> None:
        self.busy = 0  # number of processes that generate or are being stopped
        self.idle: Process | None = None
        self.processes: set[Process] = set()
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.tasks: set[asyncio.Task[None]] = set()

    async def generate(
        self, repo_id: str, request: dict[str, Any]
    ) -> AsyncGenerator[Message, None]:
        """Yield the messages of a request to the repo's model; the last has `done` or `error`."""
        async with self.locks[repo_id]:
            if self.busy >= MAX_WORKERS:
                yield {"error": f"{MAX_WORKERS} other models are writing; try again in a minute"}
                return
            self.busy += 1
            process, ended, deadline = None, False, asyncio.get_running_loop().time() + MAX_SECONDS
            try:
                process = await self.acquire()
                send_line(process, json.dumps(request))
                while not ended:
                    message = await read_line(process, deadline)
                    ended = is_last(message)
                    yield message
            except WorkerError as error:
                yield {"error": f"{repo_id}: its model {error}"}
            finally:  # without await: a client that leaves cancels this task
                self.release(process, ended)

    async def acquire(self) -> Process:
        """Return the idle process, or a new one."""
        process, self.idle = self.idle, None
        if process and process.stdout.at_eof():  # type: ignore[union-attr]  # it was killed
            self.run_in_background(self.kill(process))
            process = None
        if process is None:
            environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *ARGUMENTS,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=environment,
                limit=MAX_LINE_BYTES,
            )
            self.processes.add(process)
        return process

    def release(self, process: Process | None, ended: bool) -> None:
        """Keep a process that ended its request, in place of the idle one; stop any other."""
        old = None
        if process and not ended:
            self.run_in_background(self.stop(process))
        else:
            self.busy -= 1
            old, self.idle = self.idle, process or self.idle
        if old and old is not self.idle:
            self.run_in_background(self.kill(old))

    async def stop(self, process: Process) -> None:
        """Stop a process's request; kill the process if it does not stop."""
        send_line(process, "")
        ended = False
        with suppress(WorkerError):
            deadline = asyncio.get_running_loop().time() + STOP_SECONDS
            while not ended:
                ended = is_last(await read_line(process, deadline))
        if not ended:
            await self.kill(process)
        self.release(process if ended else None, ended)

    async def kill(self, process: Process) -> None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self.processes.discard(process)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)  # the event loop keeps only a weak reference
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        """Kill all processes."""
        for task in self.tasks:
            task.cancel()
        for process in tuple(self.processes):
            await self.kill(process)


def send_line(process: Process, line: str) -> None:
    """Send a line; a dead process shows by its missing answer."""
    assert process.stdin
    with suppress(OSError, RuntimeError):  # RuntimeError is uvloop's
        process.stdin.write(f"{line}\n".encode())


async def read_line(process: Process, deadline: float) -> Message:
    """Return a process's next message; raise WorkerError if none comes before the deadline."""
    assert process.stdout
    try:
        async with asyncio.timeout_at(deadline):
            return json.loads(await process.stdout.readline())
    except TimeoutError:
        raise WorkerError(f"took longer than {MAX_SECONDS:g} seconds") from None
    except ValueError:  # an empty, incomplete or too long line
        raise WorkerError("crashed: it takes too much memory, or it is corrupt") from None


def is_last(message: Message) -> bool:
    return "done" in message or "error" in message
