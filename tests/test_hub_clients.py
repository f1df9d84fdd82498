"""The client matrix: unmodified clients against the embedded Hub, with hf_xet and without.

Each client runs in a process of its own.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from hubtweets.hub.storage.blobs import Blobs
from hubtweets.hub.storage.tokens import create_token
from tests.conftest import environment, run

Hub = tuple[str, str]
ROOT = Path(__file__).parent.parent
XET = pytest.mark.parametrize("disabled", ["0", "1"], ids=["xet", "lfs"])


def variables(hub: Hub, disabled: str) -> dict[str, str]:
    quiet = {
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }  # these two ask elsewhere
    return {"HF_ENDPOINT": hub[0], "HF_TOKEN": hub[1], "HF_HUB_DISABLE_XET": disabled, **quiet}


def start(
    hub: Hub, folder: Path, disabled: str, *arguments: str, text: str = "", **more: str
) -> str:
    """Run a script that must succeed, and return its output."""
    command, env = (
        [sys.executable, "-W", "ignore", *arguments],
        environment(folder, **variables(hub, disabled), **more),
    )
    done = subprocess.run(
        command, input=text, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert any((folder / "hub" / "xorbs").iterdir()) is (disabled == "0")
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "disabled"), [("model", "0"), ("model", "1"), ("dataset", "0"), ("space", "1")]
)
def test_every_call_about_repos(hub: Hub, tmp_path: Path, kind: str, disabled: str) -> None:
    start(
        hub,
        tmp_path,
        disabled,
        "-m",
        "tests.hub_client",
        kind,
        READ_TOKEN=create_token(Blobs(tmp_path / "hub"), "read"),
    )


@XET
def test_transformers_and_datasets(hub: Hub, tmp_path: Path, base: Path, disabled: str) -> None:
    start(
        hub,
        tmp_path,
        disabled,
        "-m",
        "tests.hub_client.libraries",
        str(base),
        HF_HUB_DISABLE_PROGRESS_BARS="1",
    )


@XET
def test_the_command(hub: Hub, tmp_path: Path, disabled: str) -> None:
    files = {
        "README.md": b"---\nlicense: mit\n---\n",
        "deep/a.txt": b"a",
        "model.safetensors": bytes(range(256)) * 1000,
    }
    for name, content in files.items():
        (tmp_path / "pushed" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pushed" / name).write_bytes(content)
    for command, wanted in (
        ("auth whoami", f"✓ Logged in\n  user: huggingtweets\n  endpoint: {hub[0]}\n"),
        (
            "upload huggingtweets/bot pushed",
            f"✓ Uploaded\n  url: {hub[0]}/huggingtweets/bot/commit/SHA\n",
        ),
        (
            "download huggingtweets/bot --local-dir pulled",
            f"✓ Downloaded\n  path: {tmp_path}/pulled\n",
        ),
    ):
        done = run(tmp_path, *command.split(), program="hf", **variables(hub, disabled))
        said = re.sub(r"\b[0-9a-f]{40}\b", "SHA", re.sub(r"\x1b\[\d*m", "", done.stdout))
        assert (done.returncode, said) == (0, wanted), done.stderr
    assert {name: (tmp_path / "pulled" / name).read_bytes() for name in files} == files
    assert any((tmp_path / "hub" / "xorbs").iterdir()) is (disabled == "0")


SESSION = """\
$ auth whoami --json
{"user": "huggingtweets", "orgs": null, "endpoint": "ENDPOINT"}
$ upload huggingtweets/bot FOLDER -q
ENDPOINT/huggingtweets/bot/commit/SHA
$ upload huggingtweets/bot FOLDER/a.bin b.bin --create-pr -q
ENDPOINT/huggingtweets/bot/commit/SHA
$ upload huggingtweets/table FOLDER data --type dataset --revision new -q
ENDPOINT/datasets/huggingtweets/table/commit/SHA
$ models ls -q
huggingtweets/bot
$ models ls --filter license:mit --expand sha,tags --json
[{"id": "huggingtweets/bot", "sha": "SHA", "tags": ["license:mit"]}]
$ models ls --filter license:apache-2.0 -q
$ models ls huggingtweets/bot -R -q
deep/
.gitattributes
README.md
a.bin
deep/a.txt
$ models info huggingtweets/bot --expand sha --json
{"id": "huggingtweets/bot", "sha": "SHA"}
$ models card huggingtweets/bot
---
license: mit
---
Hi

$ datasets ls huggingtweets/table -R -q --revision new
data/
data/deep/
.gitattributes
data/README.md
data/a.bin
data/deep/a.txt
$ repos create huggingtweets/space --type space --space-sdk static -q
huggingtweets/space
$ repos ls -q
huggingtweets/bot
huggingtweets/table
huggingtweets/space
$ repos tag create huggingtweets/bot v1 -q
v1
$ repos tag list huggingtweets/bot --json
[{"name": "v1", "target_commit": "SHA", "ref": "refs/tags/v1"}]
$ repos branch create huggingtweets/bot dev --revision v1 -q
dev
$ discussions list huggingtweets/bot -q
1
$ discussions comment huggingtweets/bot 1 --body Good -q
1
$ discussions rename huggingtweets/bot 1 Better -q
1
$ discussions diff huggingtweets/bot 1
diff --git a/b.bin b/b.bin
Binary files a/b.bin and b/b.bin differ

$ discussions merge huggingtweets/bot 1 -y -q
1
$ discussions list huggingtweets/bot --status merged -q
1
$ repos settings huggingtweets/bot --gated auto --private -q
huggingtweets/bot
$ repos delete-files huggingtweets/bot a.bin -q
huggingtweets/bot
$ repos move huggingtweets/bot huggingtweets/other -q
huggingtweets/bot
$ cp hf://huggingtweets/other/deep/a.txt -
a
$ download huggingtweets/other b.bin --revision v1 -q
exit 1
$ repos delete huggingtweets/other -y -q
huggingtweets/other
$ models ls -q
"""
SHELL = """
import sys
from huggingface_hub.cli.hf import main
from tests.hub_client.tools import left, watch
sys.addaudithook(watch)
for line in sys.stdin.read().splitlines():
    print("$", line, flush=True)
    sys.argv = ["hf", *line.split()]
    try:
        main()
    except SystemExit as end:
        if end.code:
            print("exit", end.code, flush=True)
assert not left, left
"""


@XET
def test_a_session(hub: Hub, tmp_path: Path, disabled: str) -> None:
    folder = tmp_path / "pushed"
    (folder / "deep").mkdir(parents=True)
    for name, content in {
        "README.md": b"---\nlicense: mit\n---\nHi\n",
        "deep/a.txt": b"a\n",
        "a.bin": bytes(range(256)) * 1000,
    }.items():
        (folder / name).write_bytes(content)
    commands = "\n".join(re.findall(r"^\$ (.*)$", SESSION.replace("FOLDER", str(folder)), re.M))
    said = start(hub, tmp_path, disabled, "-c", SHELL, text=commands)
    said = (
        re.sub(r"\b[0-9a-f]{40}\b", "SHA", said)
        .replace(str(folder), "FOLDER")
        .replace(hub[0], "ENDPOINT")
    )
    assert said.splitlines() == SESSION.splitlines()


UNKNOWN: list[tuple[Callable[[HfApi], object], str]] = [
    (
        lambda api: list(api.list_repo_likers("huggingtweets/bot")),
        "GET /api/models/huggingtweets/bot/likers",
    ),
    (lambda api: api.unlike("huggingtweets/bot"), "DELETE /api/models/huggingtweets/bot/like"),
    (
        lambda api: api.hide_discussion_comment("huggingtweets/bot", 1, "c"),
        "POST /api/models/huggingtweets/bot/discussions/1/comment/c/hide",
    ),
]


@pytest.mark.filterwarnings("ignore:Hidden comments")
@pytest.mark.parametrize(("call", "request_line"), UNKNOWN, ids=[line for _, line in UNKNOWN])
def test_what_it_does_not_know_it_names(
    hub: Hub, caplog: pytest.LogCaptureFixture, call: Callable[[HfApi], object], request_line: str
) -> None:
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo("huggingtweets/bot")
    with pytest.raises(HfHubHTTPError) as caught:
        call(api)
    message = f"the embedded Hub does not support {request_line}"
    assert caught.value.response.status_code in (404, 501) and caught.value.response.json() == {
        "error": message
    }
    assert [
        record.getMessage() for record in caplog.records if record.name == "hubtweets.hub.server"
    ] == [message]
