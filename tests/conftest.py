"""What the tests share: a one-layer GPT-2, the embedded Hub, the example archive, a published run.

Nothing is mocked: commands run as processes of their own, with their own home and their own Hub.
"""

import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from filelock import FileLock

from hubtweets.posts.example import x_archive
from tests.served import Served, serve_app
from tests.zygote import Process, start_server

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # every core has a worker, whose threads would wait for each other
    os.environ["OMP_NUM_THREADS"] = "1"
os.environ |= {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
os.environ["HF_XET_CLIENT_RETRY_BASE_DELAY"] = "1ms"  # hf_xet reads it once in a process
# no test speaks TLS, and to read all certificates of this machine takes each client 50 ms
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "authority.pem")
if "ZYGOTE" not in os.environ:  # the processes of pytest-xdist inherit it
    os.environ["ZYGOTE"], os.environ["ZYGOTE_PYTHON"] = start_server()
Command = Callable[..., "subprocess.CompletedProcess[str]"]
PYTHON = str(
    Path(sys.prefix) / "bin" / "python"
)  # a process of which takes its time to load everything
PROGRAMS = Path(PYTHON).parent
sys.executable = os.environ["ZYGOTE_PYTHON"]
HUBTWEETS = str(PROGRAMS / "hubtweets")


def pytest_collection_finish() -> None:
    """Leave what is loaded alone in later collections: training and loading call many of them."""
    gc.collect()
    gc.freeze()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "HUBTWEETS_", "HUGGING", "COLUMNS", "LINES"))
    }
    own = {
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HUBTWEETS_HUB_DIR": str(home / "hub"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    own["HUBTWEETS_SAMPLES"] = "10"  # each takes an untrained model its whole length
    return kept | own | more


def start(
    arguments: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    out: IO[Any],
    err: IO[Any],
    typed: IO[Any] | None = None,
) -> Process:
    """Start `hubtweets`, with nothing on its standard input unless something is typed."""
    with open(os.devnull) as nothing:
        return Process(
            os.environ["ZYGOTE"],
            ["-m", "hubtweets", *arguments],
            folder,
            environment,
            [typed or nothing, out, err],
        )


def run(
    folder: Path, *arguments: str, program: str = "hubtweets", **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run `hubtweets` in a folder that is its home too, and return what it said."""
    environ = environment(folder, **more)
    if program != "hubtweets":
        return subprocess.run(
            [sys.executable, PROGRAMS / program, *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        code = start(arguments, folder, environ, out, err).wait(300)
        said = [(file.seek(0), file.read())[1] for file in (out, err)]
    return subprocess.CompletedProcess(arguments, code, *said)


def stop(
    folder: Path, command: list[str], share: float, how: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    """Run a command until its training has done a share of its steps, and stop it.

    Return what it said after that as its errors.
    """
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as said, open(writing, "wb") as err:
        process = start(command, folder, environment(folder), err, err)
        err.close()
        for line in said:
            if (at := re.match(r"train: step (\d+) of (\d+): ", line)) and int(
                at[1]
            ) >= share * int(at[2]):
                os.kill(process.pid, how)
                break
        rest = said.read()
        return subprocess.CompletedProcess(command, process.wait(300), "", rest)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder for all workers of pytest-xdist; the first one makes it, the others wait."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made = factory.mktemp(name)
            make(made)
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example archive."""
    return (
        once(
            tmp_path_factory,
            "archive",
            lambda folder: x_archive.write_archive(folder / "lyons____.zip"),
        )
        / "lyons____.zip"
    )


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a one-layer GPT-2 and a tokenizer of 300 tokens, as others would save them."""
    return (
        once(tmp_path_factory, "base", lambda folder: make_base(folder / "one-layer")) / "one-layer"
    )


def make_base(folder: Path) -> Path:
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        ["my dream is to repair the radio in the shed"],
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    end = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, **end)
    torch.manual_seed(0)
    sizes = {
        "n_positions": 256,
        "n_embd": 32,
        "n_layer": 1,
        "n_head": 2,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, archive: Path, base: Path) -> Path:
    """A working folder in which the example's bot was published on the embedded Hub.

    Tests that change it take a copy.
    """

    def make(folder: Path) -> None:
        shutil.copy(archive, folder)
        done = run(
            folder,
            "publish",
            "lyons____",
            "--base",
            str(base),
            "--hub",
            "local",
            "--num-train-epochs",
            "1",
        )
        assert done.returncode == 0, done.stderr
        (folder / "first.out").write_text(done.stdout)
        (folder / "first.err").write_text(done.stderr)

    return once(tmp_path_factory, "published", make)


@pytest.fixture
def workplace(published: Path, tmp_path: Path) -> Path:
    """A copy of the published working folder, to change at will."""
    shutil.copytree(published, tmp_path / "workplace")
    return tmp_path / "workplace"


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serve_app() as served:
        yield served


@pytest.fixture
def hub(served: Served, tmp_path: Path) -> tuple[str, str]:
    """An empty embedded Hub: its endpoint and a token that may write."""
    from hubtweets.hub.server import create_app
    from hubtweets.hub.storage.storage import Storage

    storage = Storage(tmp_path / "hub")
    served.app = create_app(storage)
    return served.server.endpoint, storage.token
