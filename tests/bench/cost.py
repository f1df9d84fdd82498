"""What publishing costs: time, memory and disk, with and without LoRA.

`make bench PARTS=cost` takes the built-in base; `BASES="tiny openai-community/gpt2"` names others,
by id or folder. The bot of the example is published on the embedded Hub with the default settings.
"""

import os
import subprocess
import time
from pathlib import Path

from tests.conftest import HUBTWEETS, environment, run


def measure(folder: Path) -> dict[str, float]:
    """Publish the example with each base; an adapter is merged, which any base allows."""
    figures: dict[str, float] = {}
    run(folder, "example", "lyons____.zip").check_returncode()
    for base in os.environ.get("BASES", "tiny").split():
        for name, options in {base: (), f"{base}, LoRA": ("--lora", "--merge")}.items():
            runs = folder / name.replace("/", "-")
            command = [HUBTWEETS, "publish", "lyons____", "--base", base, "--hub", "local"]
            command += ["--runs", str(runs), *options]
            seconds, memory, disk = watch(command, folder, runs)
            repo = get_size(runs / "lyons____" / "repo")
            figures |= {
                f"{name}, minutes": seconds / 60,
                f"{name}, GiB of memory": memory / 2**30,
                f"{name}, MB of disk while training": disk / 1e6,
                f"{name}, MB published": repo / 1e6,
            }
    return figures


def watch(command: list[str], folder: Path, runs: Path) -> tuple[float, int, int]:
    """Run a command and return its seconds, its most memory and the largest size of its runs."""
    began, size, pid = time.perf_counter(), 0, 0
    home = environment(folder, HUBTWEETS_SAMPLES="200")
    process = subprocess.Popen(command, cwd=folder, env=home, stdout=subprocess.DEVNULL)
    while not pid:
        time.sleep(0.2)
        size = max(size, get_size(runs))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - began, usage.ru_maxrss * 1024, size


def get_size(folder: Path) -> int:
    """Return the bytes of the files in a folder, some of which may vanish meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
