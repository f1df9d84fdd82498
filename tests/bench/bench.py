"""Measure what users wait for.

`make bench` prints a table and writes bench.json; `make bench PARTS="speed memory"` measures only
these parts. Each figure is the median of several runs on this machine, in seconds unless its name
says otherwise.
"""

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench import cost, hub, quality, training
from tests.conftest import HUBTWEETS, environment, run


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the median wall time of a call."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def commands(folder: Path) -> dict[str, float]:
    """Measure commands as a person types them, on the example with the embedded base."""
    publish = ["publish", "lyons____", "--base", "tiny", "--hub", "local"]
    run(folder, "example", "lyons____.zip").check_returncode()
    figures = {"publish, first time": seconds(lambda: run(folder, *publish).check_returncode(), 1)}
    figures["publish, nothing changed"] = seconds(lambda: run(folder, *publish).check_returncode())
    figures["card"] = seconds(lambda: run(folder, "card").check_returncode())
    figures["--help"] = seconds(lambda: run(folder, "--help").check_returncode())
    return figures


PARSE = """
import json, sys, time, zipfile
archive = zipfile.ZipFile(sys.argv[1])
taken = 0.0
for name in archive.namelist():
    if "/tweets" in name:
        content = archive.read(name)
        began = time.perf_counter()
        items = json.loads(content[content.index(b"["):])
        taken += time.perf_counter() - began
        del items, content
print(taken)
"""
CURATE = """
import os, resource, sys
from hubtweets.cli.main import main
if __name__ == "__main__":
    main(["curate", "lyons____", "--quiet"], standalone_mode=False)
    own, child = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print((own + os.cpu_count() * child) / 2**20)
"""


def archives(folder: Path, posts: int = 1_000_000) -> dict[str, float]:
    """Measure the writing and the curation of an archive of a million posts.

    The command curates it, and its time is compared with what json.loads alone takes for the
    archive's files. The memory is the most that the command had, plus the most that one of its
    workers had for each worker.
    """
    from hubtweets.posts.example import x_archive

    room = folder / "million"
    room.mkdir()
    (room / "curate.py").write_text(CURATE)
    figures = {
        "example, posts/s": posts
        / seconds(lambda: x_archive.write_archive(room / "lyons____.zip", posts), 1)
    }
    parsing, curating, memory = [], [], []
    for _ in range(3):  # in turn, so that a busy moment damages both
        parsed = subprocess.run(
            [sys.executable, "-c", PARSE, str(room / "lyons____.zip")],
            capture_output=True,
            text=True,
            check=True,
        )
        parsing.append(float(parsed.stdout))
        shutil.rmtree(room / "runs", ignore_errors=True)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "curate.py"],
            cwd=room,
            env=environment(room),
            capture_output=True,
            text=True,
            check=True,
        )
        curating.append(time.perf_counter() - began)
        memory.append(float(done.stdout))
    parse, curate = statistics.median(parsing), statistics.median(curating)
    return figures | {
        "json.loads of 1 M posts": parse,
        "curate 1 M posts": curate,
        "curate / json.loads": curate / parse,
        "curate, posts/s": posts / curate,
        "curate, GiB of memory": max(memory),
    }


AUDIT = """
import random, time
from hubtweets.evaluation import memorization
from hubtweets.posts.example import sentences
def most():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 2**10
chance = random.Random(0)
posts, held_out, samples = (
    [sentences.make_sentence(chance) for _ in range(count)] for count in (100_000, 10_000, 200)
)
before, began = most(), time.perf_counter()
memorization.audit(samples, held_out, posts)
print(time.perf_counter() - began, most() - before)
"""


def audit(folder: Path) -> dict[str, float]:
    """Measure the copy audit of 200 samples against 100,000 posts of the example's author.

    The audit's floor is made of another 10,000 of the author's posts.
    """
    runs = [
        subprocess.check_output(
            [sys.executable, "-c", AUDIT], cwd=folder, env=environment(folder), text=True
        ).split()
        for _ in range(3)
    ]
    taken, memory = (statistics.median(float(one[column]) for one in runs) for column in (0, 1))
    return {"audit of 200 samples": taken, "audit, MiB of memory": memory}


def scrub(folder: Path) -> dict[str, float]:
    """Measure the masking of 100,000 posts of the example's author, and its worst case.

    The worst case is 100 kB of the text that takes longest to mask.
    """
    from hubtweets.posts.example import sentences
    from hubtweets.posts.pii import scrub
    from tests.test_personal import HOSTILE

    chance = random.Random(0)
    posts = [sentences.make_sentence(chance) for _ in range(100_000)]
    return {
        "scrub of 100,000 posts": seconds(lambda: [scrub.scrub(post) for post in posts]),
        "scrub of 100 kB, at worst": max(
            seconds(partial(scrub.scrub, text)) for text, _ in HOSTILE.values()
        ),
    }


PARTS: dict[str, Callable[[Path], dict[str, float]]] = {
    "commands": commands,
    "start": training.start,
    "speed": training.speed,
    "memory": training.memory,
    "archives": archives,
    "audit": audit,
    "scrub": scrub,
    "hub": hub.load,
    "cost": cost.measure,
    "quality": quality.measure,
}
LONG = ("cost", "quality")  # minutes to an hour: only when they are asked for


def main() -> None:
    figures: dict[str, float] = {}
    assert Path(HUBTWEETS).exists()
    for part in sys.argv[1:] or [name for name in PARTS if name not in LONG]:
        folder = Path(tempfile.mkdtemp())
        try:
            for name, figure in PARTS[part](folder).items():
                figures[name] = figure
                print(f"{name:44} {figure:12,.3f}", flush=True)
        finally:
            shutil.rmtree(folder)
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
