"""Starts `hubtweets` from a process that has loaded torch already, which takes any other one three seconds.

A command is forked from it: a process of its own, with its own folder, environment and output. Nothing that reads the environment when it is
loaded, such as huggingface_hub, is loaded before.
"""

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
LOADED = ("pandas", "pyarrow.parquet", "pydantic", "torch", "torch._dynamo", "torch.distributed.tensor")


class Zygote:
    """The process that is forked; it runs one command at a time."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.zygote", str(theirs.fileno())]
        self.process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def start(self, arguments: tuple[str, ...] | list[str], folder: Path, environment: dict[str, str], stdout: IO[Any], stderr: IO[Any]) -> int:
        """Start a command and return the id of its process."""
        request = json.dumps([arguments, str(folder), environment]).encode()
        socket.send_fds(self.connection, [len(request).to_bytes(4, "big")], [stdout.fileno(), stderr.fileno()])
        self.connection.sendall(request)
        return int.from_bytes(receive(self.connection, 4), "big")

    def wait(self, seconds: float) -> int:
        """Return how the command ended, as subprocess has it."""
        self.connection.settimeout(seconds)
        return int.from_bytes(receive(self.connection, 4), "big", signed=True)


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other side is gone")
        data += piece
    return data


def main() -> None:
    for name in LOADED:
        __import__(name)
    gc.freeze()  # what is there already is never collected, so that its pages stay shared
    connection = socket.socket(fileno=int(sys.argv[1]))
    while True:
        size, files, _, _ = socket.recv_fds(connection, 4, 2)
        if not size:
            return
        arguments, folder, environment = json.loads(receive(connection, int.from_bytes(size, "big")))
        child = os.fork()
        if not child:
            break
        for file in files:
            os.close(file)
        connection.sendall(child.to_bytes(4, "big"))
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    connection.close()
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["hubtweets", *arguments]
    from hubtweets.cli import main as command

    code = 1
    try:
        command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)  # to take all of torch down would touch every page


if __name__ == "__main__":
    main()
