"""`--open`: the bot's page in a browser, served by the embedded Hub if nothing serves it yet."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hubtweets.cli.hub import serve_page
from hubtweets.errors import HubtweetsError
from hubtweets.hub import local
from hubtweets.hub.storage.storage import Storage
from tests.conftest import PYTHON, environment

# a browser that reads the page, and presses Ctrl-C
BROWSER = """
import os, signal, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1], timeout=60).read()
open("page.html", "wb").write(page)
if "stop" in os.environ:
    os.kill(os.getppid(), signal.SIGINT)
"""
SERVE = "from hubtweets.cli.hub import serve_page; serve_page({url!r}, 'runs')"


@pytest.fixture
def browser(tmp_path: Path) -> str:
    (tmp_path / "browser.py").write_text(BROWSER)
    return f"{PYTHON} {tmp_path / 'browser.py'} %s"


def test_the_page_is_served_and_opened(published: Path, tmp_path: Path, browser: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/huggingtweets/lyons____"
    home = environment(
        tmp_path, HUBTWEETS_HUB_DIR=str(published / "hub"), BROWSER=browser, stop="yes"
    )
    done = subprocess.run(
        [sys.executable, "-c", SERVE.format(url=url)],
        cwd=tmp_path,
        env=home,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Serving the Hub until Ctrl-C.\nStopped.\n"
    assert "lyons____" in (tmp_path / "page.html").read_text()


def test_a_hub_that_runs_already_is_used(
    published: Path, tmp_path: Path, browser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROWSER", browser)
    monkeypatch.setenv("HUBTWEETS_HUB_DIR", str(tmp_path / "hub"))
    with local.serve_in_thread(Storage(published / "hub")) as endpoint:
        serve_page(f"{endpoint}/huggingtweets/lyons____", "runs")
        assert "lyons____" in (tmp_path / "page.html").read_text()
        os.remove(tmp_path / "page.html")
        with pytest.raises(HubtweetsError, match="Address already in use; choose another port"):
            serve_page(f"{endpoint}/huggingtweets/nobody", "runs")
    assert not (tmp_path / "page.html").exists()
