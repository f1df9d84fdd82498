"""Run huggingface_hub's own tests against the embedded Hub, and list those that fail.

`make peers` counts the tests that ask the Hub for something other than buckets. The tests come from
the client's source distribution; what that lacks (conftest.py, fixtures) from its git repository,
or from `make peers REPO=path/to/a/clone`. `make peers TESTS=test_hf_api.py` runs one file.
Everything lies in .peers/, and nothing of it is part of this project.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hubtweets.hub.api.requests import USER
from hubtweets.hub.server import create_app
from hubtweets.hub.storage.storage import Storage
from hubtweets.hub.storage.tokens import get_token_path
from tests.served import serve_app

FOLDER = Path(".peers")
CLIENT = f"huggingface_hub-{version('huggingface_hub')}"
REPO = "https://github.com/huggingface/huggingface_hub"
PLUGINS = ["pytest-asyncio", "pytest-mock", "pytest-rerunfailures", "pytest-vcr"]
OF_OTHERS = ("test_generate_cli_reference", "test_oauth", "test_webhooks_server")  # ask no Hub
BESIDES = ["vcrpy", "wrapt", "jedi", "parso", "python-dotenv"]  # what these and the tests import


class Recorder:
    """The Hub, and what each test asked it for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked: dict[str, list[str]] = {}
        self.test = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["raw_path"].decode("latin-1")
            if path.startswith("/-/"):
                self.test = unquote(path.removeprefix("/-/"))
                await Response()(scope, receive, send)
                return
            self.asked.setdefault(self.test, []).append(f"{scope['method']} {path}")
        await self.app(scope, receive, send)


def install(repo: str) -> None:
    """Download the tests and the plugins of pytest that they need, unless they are here."""
    pip = [sys.executable, "-m", "pip"]
    if not (FOLDER / "packages").exists():
        target = ["--target", str(FOLDER / "packages")]
        subprocess.run(
            [*pip, "install", "-q", "--no-deps", *target, *PLUGINS, *BESIDES], check=True
        )
    if not (FOLDER / CLIENT).exists():
        name = CLIENT.replace("-", "==")
        options = ["--no-deps", "--no-binary", ":all:", "--dest", str(FOLDER)]
        subprocess.run([*pip, "download", "-q", *options, name], check=True)
        with tarfile.open(FOLDER / f"{CLIENT}.tar.gz") as archive:
            archive.extractall(FOLDER, filter="data")
    if not (FOLDER / CLIENT / "tests" / "conftest.py").exists():
        add_missing(repo)


def add_missing(repo: str) -> None:
    """Copy what the source distribution lacks from a clone of the repository."""
    with tempfile.TemporaryDirectory() as folder:
        clone = ["git", "clone", "-q", "--depth", "1", repo, folder]
        subprocess.run(clone, check=True)
        for path in (Path(folder) / "tests").rglob("*"):
            target = FOLDER / CLIENT / path.relative_to(folder)
            if path.is_file() and not target.exists() and not path.name.startswith("test_"):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)


def point_to(endpoint: str, storage: Storage) -> None:
    """Write the Hub's address and user into the tests' constants, and accept their token."""
    path = FOLDER / CLIENT / "tests" / "testing_constants.py"
    text = path.read_text()
    for name, value in {"ENDPOINT_STAGING": endpoint, "USER": USER, "FULL_NAME": USER}.items():
        text = re.sub(rf"^{name} = .*$", f'{name} = "{value}"', text, flags=re.M)
    path.write_text(text)
    token = re.search(r'^TOKEN = "(.*)"$', text, flags=re.M)
    assert token
    storage.write(get_token_path(storage.root, token[1]), "write")


def run_pytest(endpoint: str, home: Path, tests: list[str]) -> Path:
    """Run the tests in a process of their own; return the path of its report."""
    report = home / "report.xml"
    paths = [Path(__file__).parent, (FOLDER / "packages").resolve()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {
        "HOME": str(home),
        "HF_ENDPOINT": endpoint,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    options = [
        "-q",
        "-p",
        "hub_plugin",
        "-o",
        "env=",
        "-m",
        "not production",
        "-o",
        "junit_family=xunit1",
    ]
    options += ["-o", "addopts=-Werror::FutureWarning", f"--junit-xml={report}"]
    options += [f"--ignore=tests/{name}.py" for name in OF_OTHERS]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    subprocess.run(command, cwd=FOLDER / CLIENT, env=environment, check=False)
    return report


def read_results(report: Path) -> dict[str, str]:
    """Return "passed", "skipped" or the first line of the failure for each test."""
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        bad = next((one for one in case if one.tag in ("failure", "error", "skipped")), None)
        name = name_test(case.get("file", ""), case.get("classname", ""), case.get("name", ""))
        result = "passed" if bad is None else bad.get("message", "").partition("\n")[0]
        results[name] = "skipped" if bad is not None and bad.tag == "skipped" else result
    return results


def name_test(file: str, owner: str, name: str) -> str:
    """Return a test's name as pytest does on its command line."""
    names = owner.removeprefix(file.removesuffix(".py").replace("/", ".")).split(".")
    return "::".join([file, *filter(None, names), name])


def is_counted(asked: list[str]) -> bool:
    """Check whether a test asked the Hub for something else than a bucket."""
    return any("/buckets/" not in line for line in asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repo", default=REPO, help="a clone of the client's git repository")
    parser.add_argument("tests", nargs="*", default=["tests"])
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    install(options.repo)
    with tempfile.TemporaryDirectory() as folder, serve_app() as served:
        storage, endpoint = Storage(Path(folder) / "hub"), served.server.endpoint
        served.app = recorder = Recorder(create_app(storage))
        point_to(endpoint, storage)
        results = read_results(run_pytest(endpoint, Path(folder), options.tests))
    counted = [test for test, asked in recorder.asked.items() if test and is_counted(asked)]
    failed = {test: results[test] for test in counted if results[test] not in ("passed", "skipped")}
    for test, reason in sorted(failed.items()):
        print(f"{test.removeprefix('tests/')}: {reason[:160].replace(endpoint, 'HUB')}")
    ran = sum(results[test] != "skipped" for test in counted)
    print(f"{ran - len(failed)} of {ran} tests that ask the Hub pass")


if __name__ == "__main__":
    main()
