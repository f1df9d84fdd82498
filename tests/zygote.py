"""Python processes that start at once, because they are forked from one that is ready.

That one has loaded torch and transformers already, which takes any other process up to ten seconds.
The tests start one such server. `start` forks a process from it: with its own folder, environment,
files and session, killed with the connection that asked for it. `python` is a stand-in for the
interpreter that does the same, for all that start `sys.executable`: the tests, `accelerate launch`,
the snippets of a card, the embedded Hub.
"""

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import warnings
from pathlib import Path
from typing import IO, Any

import hubtweets
from hubtweets.card import model_card, typst
from hubtweets.curation import language
from hubtweets.record import serialization

ROOT = Path(__file__).parent.parent
LOADED = (
    *(
        "accelerate",
        "huggingface_hub.hf_api",
        "jinja2",
        "markdown_it",
        "pandas",
        "peft",
        "PIL.Image",
        "pyarrow.dataset",
    ),
    *("anyio._backends._asyncio", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "py3langid.langid"),
    *("pyarrow.parquet", "pydantic", "regex", "starlette.applications", "tensorboardX", "torch"),
    *("uvicorn.lifespan.on", "uvicorn.loops.uvloop"),
    *(
        "transformers.models.auto.modeling_auto",
        "transformers.models.gpt2.modeling_gpt2",
        "typst",
        "uvicorn",
    ),
)
STAND_IN = """#!{python} -IS
import marshal, os, resource, signal, socket, sys
real, arguments = {python!r}, sys.argv[1:]
if not arguments or "multiprocessing" in " ".join(arguments[:3]) or arguments[0].startswith("-X"):
    os.execv(real, [real, *arguments])
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
limits = [(one, resource.getrlimit(one)) for one in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)]
request = marshal.dumps((arguments, os.getcwd(), dict(os.environ), limits))
socket.send_fds(connection, [len(request).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(request)
child = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), "big")
os.symlink(str(child), {address!r} + "." + str(os.getpid()))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: os.kill(child, number))
code = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), "big", signed=True)
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class Process:
    """A process that was forked, for as long as this object lives."""

    def __init__(
        self,
        address: str,
        arguments: list[str],
        folder: Path,
        environment: dict[str, str],
        files: list[IO[Any]],
    ) -> None:
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(address)
        request = marshal.dumps((arguments, str(folder), environment, []))
        socket.send_fds(
            self.connection, [len(request).to_bytes(4, "big")], [file.fileno() for file in files]
        )
        self.connection.sendall(request)
        self.pid = int.from_bytes(receive(self.connection, 4), "big")

    def wait(self, seconds: float) -> int:
        """Return how the process ended, as subprocess has it."""
        self.connection.settimeout(seconds)
        return int.from_bytes(receive(self.connection, 4), "big", signed=True)


def start_server() -> tuple[str, str]:
    """Start the server, which ends with this process.

    Return its address and the path of the stand-in for Python.
    """
    folder = Path(tempfile.mkdtemp(prefix="zygote-"))
    address, python = str(folder / "socket"), folder / "python"
    python.write_text(STAND_IN.format(python=sys.executable, address=address))
    python.chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    command = [sys.executable, "-m", "tests.zygote", str(listener.fileno()), str(python)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()], stdin=subprocess.PIPE
    )
    listener.close()
    atexit.register(server.wait)
    atexit.register(server.stdin.close)  # type: ignore[union-attr]  # upon which it ends
    return address, str(python)


def find_forked(pid: int) -> int:
    """Return the process that does the work of a stand-in."""
    return int(os.readlink(f"{os.environ['ZYGOTE']}.{pid}"))


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("the other side is gone")
        data += piece
    return data


def main() -> None:
    listener, python = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    load_all()
    gc.collect()
    gc.freeze()  # what is there already is never collected, so that its pages stay shared
    sys.executable = python
    wakes, woken = socket.socketpair()
    for end in (wakes, woken):
        end.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    selector, children = selectors.DefaultSelector(), dict[int, socket.socket]()
    for file in (listener, wakes, sys.stdin):
        selector.register(file, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:  # the tests are over, or were killed
                for child in children:
                    kill(child)
                return
            if key.fileobj is listener:
                connection = listener.accept()[0]
                size, files, _, _ = socket.recv_fds(connection, 4, 3)
                request = marshal.loads(receive(connection, int.from_bytes(size, "big")))
                child = os.fork()
                if not child:
                    selector.close()
                    for end in (listener, wakes, woken, connection, *children.values()):
                        end.close()
                    become(files, *request)
                for file in files:
                    os.close(file)
                children[child] = connection
                connection.sendall(child.to_bytes(4, "big"))
                selector.register(connection, selectors.EVENT_READ, child)
            elif key.fileobj is wakes:
                wakes.recv(1000)
                reap(children, selector)
            elif key.data in children:  # whoever asked for this process is gone
                kill(key.data)
                selector.unregister(key.fileobj)


def load_all() -> None:
    """Load what most processes load, and the templates and fonts that most of them use."""
    for name in LOADED:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(hubtweets.__path__, "hubtweets."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for warm in (language.load_identifier, model_card.load_template, typst.load_fonts):
        warm()
    serialization.create_record_adapter()
    # 900 patterns, which every process that loads a model would compile
    importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("")


def kill(child: int) -> None:
    """Kill a process with those that it started; it leads a group once it has begun."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)


def reap(children: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    """Say of every process that has ended how it did."""
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        connection = children.pop(child)
        if connection in selector.get_map():
            selector.unregister(connection)
        with contextlib.suppress(OSError):
            connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
        connection.close()


def become(
    files: list[int],
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    limits: list[Any],
) -> None:
    """Be the process that was asked for, and end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for one, limit in limits:
        resource.setrlimit(one, limit)
    code = 1
    try:
        read_environment()
        execute(arguments)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)  # to take all of torch down would touch every page


def read_environment() -> None:
    """Read the environment again, as huggingface_hub and its users did when they were loaded."""
    from huggingface_hub import constants, hf_api

    before = {name: value for name, value in vars(constants).items() if name.isupper()}
    importlib.reload(constants)
    changed = {name: value for name, value in before.items() if vars(constants)[name] != value}
    for module in [
        module
        for name, module in sys.modules.items()
        if name.startswith(("huggingface_hub.", "transformers."))
    ]:
        for name in changed.keys() & vars(module).keys():
            vars(module)[name] = vars(constants)[name]
    hf_api.api.endpoint = constants.ENDPOINT
    for name in (
        "transformers.utils.hub",
        "transformers.utils",
        "transformers.dynamic_module_utils",
    ):
        vars(sys.modules[name])["HF_MODULES_CACHE"] = os.path.join(constants.HF_HOME, "modules")


def execute(arguments: list[str]) -> None:
    """Do what `python` does with these arguments."""
    sys.path[:] = [
        *os.environ.get("PYTHONPATH", "").split(os.pathsep)[: "PYTHONPATH" in os.environ],
        *sys.path[1:],
    ]
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty(), write_through="-u" in arguments)  # type: ignore[union-attr]
    first: str | None = ""
    while True:
        option, *arguments = arguments
        if option == "-P":
            first = None
        elif option == "-W":
            warnings.simplefilter(arguments.pop(0))  # type: ignore[arg-type]
        elif option != "-u":
            break
    if option in ("-m", "-c"):
        what, *arguments = arguments
    if first is not None:
        sys.path.insert(
            0,
            os.getcwd()
            if option == "-m"
            else ""
            if option == "-c"
            else os.path.dirname(os.path.abspath(option)),
        )
    sys.argv = [option, *arguments]
    if option == "-m":
        sys.modules.pop(what, None)  # a process of its own would not have loaded it either
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif option == "-c":
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(compile(what, "<string>", "exec"), vars(module))
    else:
        runpy.run_path(option, run_name="__main__")


if __name__ == "__main__":
    main()
