"""The embedded Hub and the unmodified JavaScript client: @huggingface/hub of npm."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import environment

Hub = tuple[str, str]
NPM = Path(__file__).parent / "npm"


@pytest.fixture
def node() -> str:
    """The command node; without it or the client, skip the test, or fail it in CI."""
    path = shutil.which("node")
    if path is None or not (NPM / "node_modules").is_dir():
        missing = "no node, or no @huggingface/hub; install npm and type: make test"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return path


def test_a_session(hub: Hub, tmp_path: Path, node: str) -> None:
    env = environment(tmp_path, HF_ENDPOINT=hub[0], HF_TOKEN=hub[1])
    command = [node, str(NPM / "calls.mjs")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == (NPM / "session.txt").read_text().splitlines()
    [snapshot] = Path(env["HF_HOME"]).glob("models--huggingtweets--bot/snapshots/*")
    weights = (snapshot / "model.bin").read_bytes()
    assert ((snapshot / "README.md").read_text(), weights) == (
        "---\nlicense: mit\n---\n",
        bytes(300_000),
    )
