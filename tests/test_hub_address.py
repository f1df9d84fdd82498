"""A wrong `--hub`, and a repo's id without its namespace."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from huggingface_hub import HfApi

from hubtweets.cli.main import main
from hubtweets.errors import HubtweetsError
from hubtweets.publishing.connection import (
    Hub,
    choose_target,
    connect,
    resolve_repo_id,
)
from tests.conftest import run

NO_HUB = "type: --hub https://huggingface.co, or --hub local"


@pytest.mark.parametrize(
    ("hub", "expected"),
    [
        ("lokal", "did you mean local?"),
        ("huggingface.co", "did you mean https://huggingface.co?"),
        ("hub", NO_HUB),
        ("ftp://hub.example", NO_HUB),
        ("http://", NO_HUB),
        ("http://[", NO_HUB),
    ],
)
def test_what_is_no_address_is_told_at_once(hub: str, expected: str) -> None:
    with pytest.raises(HubtweetsError) as caught, connect(hub):
        pass
    assert str(caught.value) == f"--hub {hub}: not the address of a Hub; {expected}"


class Website(BaseHTTPRequestHandler):
    """A server that answers with pages; `found` is where it has one."""

    found = ""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == self.found else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>hello")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.mark.parametrize("found", ["", "/api/whoami-v2"])
def test_a_website_is_no_hub(tmp_path: Path, found: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Found", (Website,), {"found": found}))
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    hub = Hub(HfApi(endpoint=endpoint, token="hf_secret"), endpoint)
    with pytest.raises(HubtweetsError) as caught:
        choose_target(hub, "bot", None)
    if not found:  # and without a token
        done = run(tmp_path, "verify", "bot", "--hub", endpoint)
        assert done.returncode == 3 and done.stderr == (
            "Error: bot: not the id of a repo, which is like huggingtweets/bot; "
            f"{endpoint} is not a Hub; {NO_HUB}\n"
        )
    server.shutdown()
    server.server_close()
    said = str(caught.value)
    assert said.startswith(f"{endpoint} is not a Hub") and said.endswith(f"; {NO_HUB}")
    assert "hf_secret" not in said


def test_a_name_stands_for_the_repo_of_its_run_or_of_the_user(
    published: Path, hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Hub(HfApi(endpoint=hub[0], token=hub[1]), hub[0])
    local = Hub(HfApi(endpoint="http://127.0.0.1:9"), "http://127.0.0.1:8086")
    runs = published / "runs"
    assert resolve_repo_id(here, "a/b", runs) == "a/b"
    assert resolve_repo_id(here, "lyons____", runs) == "huggingtweets/lyons____"
    assert resolve_repo_id(local, "@Lyons____", runs) == "huggingtweets/lyons____"  # nothing asked
    monkeypatch.setenv("HUBTWEETS_HUB_DIR", str(published / "hub"))
    monkeypatch.chdir(published)
    done = CliRunner().invoke(main, ["takedown", "lyons____", "--hub", "local", "--yes"])
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: lyons____: give the full id; type: hubtweets takedown huggingtweets/lyons____\n",
    )
