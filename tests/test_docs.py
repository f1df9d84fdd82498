"""The README and docs/, line by line, on the published example.

The two make commands that set everything up are run by CI, which installs the wheel too.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

from hubtweets.cli.main import main
from hubtweets.hub import local
from hubtweets.hub.storage.storage import Storage
from tests.conftest import HUBTWEETS, PROGRAMS, environment, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# in the order in which their commands are run
NAMES = (
    *("install", "posts", "training", "card", "hub", "hub-routes", "commands", "json"),
    *("troubleshooting", "verify", "api", "architecture"),
)
PAGES = {
    "README.md": README,
    **{f"docs/{name}.md": (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in NAMES},
    "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
}
TEXT = "\n".join(PAGES.values())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


COMMANDS = list(
    dict.fromkeys(line for block in blocks("sh") for line in block.splitlines())  # each once
)
INSTALLERS = ("pip", "pipx", "uv", "uvx")
INSTALL = r"(?:pip|pipx|uv tool|uv pip) install [^`\n]+|uvx [^`\n]+"
EVAL = 'eval "$(hubtweets hub env)"'
SHORT = "0.02"  # epochs
# By tests of their own: with a server, a shell, a terminal, several processes, two authors, and
# every claim looked at.
ELSEWHERE = {
    "hubtweets hub",
    EVAL,
    "hubtweets sample lyons____ --pick",
    "hubtweets chat lyons____",
    "hubtweets generate lyons____ - --json < prompts.txt",
    "hubtweets train lyons____ --base tiny --num-processes 2",
    "hubtweets verify huggingtweets/lyons____ --hub local",
    "hubtweets publish lyons____ carol --posts carol=carol.csv --hub local",
}


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in COMMANDS:
        if named := re.match(r"(?:\w+=\S+ )*make (\S+)", line):
            assert re.search(rf"^{named[1]}:", makefile, re.MULTILINE), line
    helped = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    for target in (
        "publish",
        "card",
        "hub",
        "test",
        "test-quick",
        "test-lowest",
        "peers",
        "bench",
        "picture",
        "style",
        "quality",
        "base",
        "clean",
        "help",
    ):
        assert re.search(rf"^{target} +\w", helped, re.MULTILINE)


def test_every_command_runs(workplace: Path, base: Path) -> None:
    storage = Storage(workplace / "hub")
    assert set(COMMANDS) >= ELSEWHERE
    with local.serve_in_thread(storage) as endpoint:
        more = {
            "HF_ENDPOINT": endpoint,
            "HF_TOKEN": storage.token,
            "HUBTWEETS_BASE_MODEL": str(base),
            "HUBTWEETS_NUM_TRAIN_EPOCHS": "1",
        }  # as it was published
        for line in COMMANDS:
            program, *arguments = shlex.split(line)
            if "make" in line.split() or program in INSTALLERS or line in ELSEWHERE:
                continue
            assert program in ("hubtweets", "accelerate", "hf")
            arguments = [str(base) if argument == "tiny" else argument for argument in arguments]
            if "takedown" in arguments:
                arguments.append("--yes")
            if "--num-train-epochs" in arguments:  # this one and all that follow, sooner done
                arguments[arguments.index("--num-train-epochs") + 1] = SHORT
                more |= {"HUBTWEETS_NUM_TRAIN_EPOCHS": SHORT, "HUBTWEETS_PROMPT": "My dream is"}
            done = run(workplace, *arguments, program=program, **more)
            assert done.returncode == 0, (line, done.stderr)


def test_the_hub_starts(workplace: Path) -> None:
    """`hubtweets hub`, on a port that is free, and the line that points others there."""
    assert {"hubtweets hub", EVAL, "hf auth whoami"} <= {*COMMANDS}
    port = str(30_000 + os.getpid() % 10_000)
    environ = environment(workplace, PYTHONUNBUFFERED="1")
    environ["PATH"] = f"{PROGRAMS}:{environ['PATH']}"
    with subprocess.Popen(
        [HUBTWEETS, "hub", "--port", port],
        cwd=workplace,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and " serves " in process.stdout.readline()
        other = f"{EVAL.replace('hub env', f'hub --port {port} env')} && hf auth whoami"
        done = subprocess.run(
            ["bash", "-c", other],
            cwd=workplace,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert done.returncode == 0 and "huggingtweets" in done.stdout, done


def test_the_snippet_runs(published: Path, tmp_path: Path) -> None:
    (snippet,) = blocks("python", README)
    with local.serve_in_thread(Storage(published / "hub")) as endpoint:
        environ = environment(tmp_path, HF_ENDPOINT=endpoint)
        done = subprocess.run(
            [sys.executable, "-c", snippet],
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert (
        done.returncode == 0
        and len(
            set(
                re.findall(
                    "'generated_text': (?:'My dream is.*?'|\"My dream is.*?\")[,}]", done.stdout
                )
            )
        )
        == 5
    )
    assert "padded" not in done.stderr  # the warning that a BOS taken for padding would bring


@pytest.mark.parametrize("path", sorted({*re.findall(r"`(\w+/[\w/]*)`", TEXT)}))
def test_every_folder_it_names_is_there(path: str, published: Path) -> None:
    places = (ROOT, ROOT / "hubtweets", published, published / "runs" / "lyons____")
    assert any((place / path).exists() for place in places) or path in ("checkpoints/", "sources/")


@pytest.mark.parametrize("line", sorted({*re.findall(INSTALL, TEXT)}))
def test_every_line_that_installs_names_the_package_and_its_extras(line: str) -> None:
    program, *words = shlex.split(line)
    wanted = next(word for word in words if word not in ("tool", "install"))
    if wanted != ".":
        requirement = Requirement(wanted)
        assert requirement.name == PROJECT["name"]
        assert requirement.extras <= PROJECT["optional-dependencies"].keys()
    command = [program, *words[: words.index(wanted)]]
    for option in (word for word in words if word.startswith("--") and program == "uv"):
        helped = subprocess.check_output([sys.executable, "-m", *command, "--help"], text=True)
        assert option in helped


def test_every_command_and_every_option_is_named_as_it_is() -> None:
    with click.Context(main) as context:
        commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    named = {*re.findall(r"\bhubtweets (?!-)([a-z]+)\b(?=[^\n]*`)", TEXT)}
    named |= {*re.findall(r"^hubtweets ([a-z]+)", TEXT, re.MULTILINE)}
    assert named & commands.keys() == commands.keys()
    options = {"--help", "--extra-index-url", "--torch-backend"}
    for command in commands.values():
        assert command
        options |= {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        if isinstance(command, click.Group):
            for inner in command.commands.values():
                options |= {option for one in inner.params for option in one.opts}
    code = " ".join((*re.findall(r"`([^`\n]+)`", TEXT), *COMMANDS))
    assert {*re.findall(r"(?<!\S)--[a-z][a-z-]*", code)} - options == set()


def test_every_error_is_as_it_is_shown(workplace: Path) -> None:
    for block in blocks("console"):
        for command, said in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE):
            program, *arguments = shlex.split(command)
            if program == "echo":
                with (workplace / arguments[-1]).open("a") as file:
                    file.write(f"{arguments[0]}\n")
                continue
            done = run(workplace, *arguments)
            assert (done.returncode, done.stderr.splitlines()[-1:]) == (1, said.splitlines())


def test_every_link_leads_to_a_page_and_a_heading() -> None:
    linked = {"README.md"}
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(((?!https?:)[^)\s]+)\)", text):
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            assert file.exists(), (page, target)
            linked.add(str(file.resolve().relative_to(ROOT)))
            assert not anchor or anchor in get_anchors(file), (page, target)
    assert (
        linked
        >= {f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")}
        >= {name for name in PAGES if name.startswith("docs/")}
    )
    assert len(PAGES) == len({*(ROOT / "docs").glob("*.md")}) + 2  # and README, CONTRIBUTING


def get_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
