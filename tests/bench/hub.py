"""What the embedded Hub bears: a file of 1 GB, many clients at once, very many files.

The server is a process of its own, as `hubtweets hub` starts it, and its memory is the most that
it ever had. The clients are other processes.
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import HUBTWEETS, environment

Figures = dict[str, float]
ROUNDS = 3
GIGABYTE = 10**9
CLIENTS, PUSHES = 16, 25  # of three files each

TRANSFER = """
import hashlib, sys, time
from huggingface_hub import CommitOperationAdd, HfApi
api, repo = HfApi(), f"huggingtweets/{sys.argv[2]}"
api.create_repo(repo)
began = time.perf_counter()
operation = CommitOperationAdd("model.safetensors", sys.argv[1])
api.create_commit(repo, [operation], commit_message="big")
pushed = time.perf_counter()
path = api.hf_hub_download(repo, "model.safetensors")
pulled = time.perf_counter()
received, sent = (
    hashlib.file_digest(open(name, "rb"), "sha256").digest() for name in (path, sys.argv[1])
)
assert received == sent
print(pushed - began, pulled - pushed)
"""
CROWD = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from huggingface_hub import CommitOperationAdd, HfApi
api, repo, clients, pushes = HfApi(), "huggingtweets/crowd", int(sys.argv[1]), int(sys.argv[2])
api.create_repo(repo)
def client(number):
    for push in range(pushes):
        operations = [
            CommitOperationAdd(
                f"{number}/{push}/{name}", f"{name} of {push} by {number}".encode()
            )
            for name in ("a.txt", "b.txt", "c.txt")
        ]
        api.create_commit(repo, operations, commit_message=f"{number} {push}")
began = time.perf_counter()
with ThreadPoolExecutor(clients) as pool:
    list(pool.map(client, range(clients)))
taken = time.perf_counter() - began
wanted = {f"{number} {push}" for number in range(clients) for push in range(pushes)}
titles = [commit.title for commit in api.list_repo_commits(repo)]
assert len(titles) == len(wanted) + 1 and wanted < set(titles)
assert len(api.list_repo_files(repo)) == 3 * len(wanted) + 1
print(taken)
"""
MANY = """
import sys, time
from huggingface_hub import CommitOperationAdd, HfApi
api, repo, count = HfApi(), "huggingtweets/many", int(sys.argv[1])
api.create_repo(repo)
operations = [
    CommitOperationAdd(f"{number // 100}/{number}.txt", b"file %d" % number)
    for number in range(count)
]
began = time.perf_counter()
api.create_commit(repo, operations, commit_message="many")
pushed = time.perf_counter()
found = api.list_repo_files(repo)
listed = time.perf_counter()
assert len(found) == count + 1 and len(api.list_repo_commits(repo)) == 2
print(pushed - began, listed - pushed)
"""


class Server:
    """An embedded Hub in a process."""

    def __init__(self, process: "subprocess.Popen[str]", environ: dict[str, str]) -> None:
        self.process, self.environ = process, environ

    def client(self, code: str, *arguments: object, **more: str) -> list[float]:
        """Run a client and return the numbers that it prints."""
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return [
            float(word)
            for word in subprocess.check_output(command, env=self.environ | more, text=True).split()
        ]

    def memory(self) -> float:
        """Return the most memory that it ever had, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve an empty Hub while the block runs."""
    environ = environment(folder, HF_HUB_DISABLE_PROGRESS_BARS="1")
    with subprocess.Popen(
        [HUBTWEETS, "hub", "--port", "8097"], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        endpoint = process.stdout.readline().split()[0]
        try:
            yield Server(
                process,
                environ
                | {"HF_ENDPOINT": endpoint, "HF_TOKEN": (folder / "hub" / "token").read_text()},
            )
        finally:
            process.terminate()
    shutil.rmtree(folder)


def seconds(*command: object) -> float:
    began = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def weights(path: Path) -> None:
    """Write 1 GB that look like a model's weights: fp32, which pack a little."""
    import numpy as np

    generator = np.random.default_rng()
    with path.open("wb") as file:
        for _ in range(10):
            file.write(
                (generator.standard_normal(GIGABYTE // 40, dtype=np.float32) * 0.02).tobytes()
            )


def transfers(folder: Path) -> Figures:
    """Measure a push and a pull of 1 GB by Xet and by LFS.

    They are compared with `sha256sum` and `cp` of the same file, run just before.
    """
    found: dict[str, list[float]] = {}
    memory = dict.fromkeys(("Xet", "LFS"), 0.0)
    big = folder / "big.bin"
    for _ in range(ROUNDS):
        for kind, disabled in (("Xet", "0"), ("LFS", "1")):
            weights(big)
            figure = {
                "sha256sum": seconds("sha256sum", big),
                "cp": seconds("cp", big, folder / "copy.bin"),
            }
            with serving(folder / kind) as server:
                figure["push"], figure["pull"] = server.client(
                    TRANSFER, big, kind, HF_HUB_DISABLE_XET=disabled
                )
                memory[kind] = max(memory[kind], server.memory())
            figure["push / (sha256sum + cp)"] = figure["push"] / (
                figure["sha256sum"] + figure["cp"]
            )
            for name, value in figure.items():
                found.setdefault(f"1 GB by {kind}, {name}", []).append(value)
    return {name: statistics.median(values) for name, values in found.items()} | {
        f"1 GB by {kind}, server's MiB": most for kind, most in memory.items()
    }


def crowd(folder: Path) -> Figures:
    """Measure small pushes of clients at once into one repo, and one commit of 10,000 files.

    None of the pushes may be lost.
    """
    with serving(folder / "crowd") as server:
        (taken,) = server.client(CROWD, CLIENTS, PUSHES)
        many, listed = server.client(MANY, 10_000)
        return {
            f"small pushes/minute of {CLIENTS} clients": 60 * CLIENTS * PUSHES / taken,
            "10,000 files in a commit": many,
            "10,000 files listed": listed,
            "both, server's MiB": server.memory(),
        }


def load(folder: Path) -> Figures:
    return transfers(folder) | crowd(folder)
