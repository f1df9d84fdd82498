"""The commands as a person types them, each in a process of its own."""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from pyarrow import parquet

from hubtweets.cli import options
from hubtweets.cli.main import main
from hubtweets.cli.settings_file import read_settings
from hubtweets.errors import HubtweetsError
from hubtweets.posts.example import sentences, x_archive
from tests.conftest import HUBTWEETS, PYTHON, environment, run, stop
from tests.test_posts_x_archive import archive_files, javascript, tweet, write_zip

FUNNEL = """
                   @lyons____
Tweets downloaded       3,086
Retweets                1,225
Short tweets              997
Tweets kept               864

"""
TABLE = FUNNEL + "For example:\n"
PUBLISH = ["publish", "lyons____", "--hub", "local", "--num-train-epochs", "1", "--base"]


def python(folder: Path, code: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PYTHON, "-c", code],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_publish_prints_the_url_the_commit_and_a_post_of_each_prompt(published: Path) -> None:
    lines = (published / "first.out").read_text().splitlines()
    assert lines[0] == "http://127.0.0.1:8086/huggingtweets/lyons____"
    assert re.fullmatch(r"commit [0-9a-f]{40}, tag v1", lines[1])
    prompts = [
        next(prompt for prompt in options.PROMPTS if line.startswith(f"- {prompt}"))
        for line in lines[2:]
    ]
    assert len(prompts) >= 3 and prompts == [
        prompt for prompt in options.PROMPTS if prompt in prompts
    ]
    said = (published / "first.err").read_text()
    assert TABLE in said and "\nTweets kept   " in said and "\nRetweets      RT @" in said
    assert re.search(
        r"train: step \d+ of \d+: loss \d\.\d{3}, [\d,]+ tokens/s, 0:\d\d left\n", said
    )
    assert re.search(
        r"evaluate: \d\.\d{3} bits per byte for the untouched base, "
        r"\d\.\d{3} for the tuned model \(-\d+\.\d%\)\n",
        said,
    )


def test_the_repo_is_the_folder_and_nothing_else(published: Path) -> None:
    repo = published / "runs" / "lyons____" / "repo"
    assert sorted(path.name for path in repo.iterdir()) == [
        "README.md",
        "avatar.png",
        "config.json",
        "generation_config.json",
        "hubtweets.json",
        "loss.png",
        "model.safetensors",
        "pipeline.png",
        "predictions.png",
        "runs",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert sorted(path.name for path in repo.parent.iterdir()) == [
        ".lock",
        "dataset",
        "posts.parquet",
        "repo",
        "run.json",
        "tracking",
    ]
    record = json.loads((repo.parent / "run.json").read_text())
    assert (
        (record["metrics"]["tuned"]["bits_per_byte"]) < record["metrics"]["base"]["bits_per_byte"]
    )
    assert (
        str(published)
        not in (repo / "hubtweets.json").read_text() + (repo / "README.md").read_text()
    )
    token = (published / "hub" / "token").read_text()
    for path in repo.parent.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()


def test_a_second_publish_does_nothing(workplace: Path, base: Path) -> None:
    before = (workplace / "first.out").read_text()
    done = run(workplace, *PUBLISH, str(base))
    assert (done.returncode, done.stdout) == (0, before)
    assert done.stderr.splitlines() == [
        "curate: nothing changed, skipped",
        "train: nothing changed, skipped",
        "evaluate: nothing changed, skipped",
        "sample: nothing changed, skipped",
        "card: drawing the pictures",
        "card: README.md, predictions.png, pipeline.png, loss.png, hubtweets.json",
        "snippets: nothing changed, skipped",
        "push: hashing the files",
        "push: all 12 files are at http://127.0.0.1:8086/huggingtweets/lyons____ already",
        "See it: hubtweets hub",
    ]


def test_a_stage_whose_output_was_damaged_runs_again(workplace: Path, base: Path) -> None:
    path = workplace / "runs" / "lyons____" / "dataset" / "validation.parquet"
    whole = path.read_bytes()
    path.write_bytes(b"cut")
    done = run(workplace, *PUBLISH, str(base))
    assert (
        done.returncode == 0
        and TABLE in done.stderr
        and "train: nothing changed, skipped" in done.stderr
    )
    assert path.read_bytes() == whole


def test_corrupt_weights_are_not_pushed(workplace: Path) -> None:
    path = workplace / "runs" / "lyons____" / "repo" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    done = run(workplace, "push", "lyons____", "--hub", "local")
    assert done.stderr.endswith(
        "Error: runs/lyons____: a file of the stage train was changed; "
        "type: hubtweets publish lyons____\n"
    )
    assert run(workplace, "generate", "lyons____", "I").stderr.startswith(
        "Error: runs/lyons____/repo: the weights can't be loaded ("
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seed", "-1"],
        ["--num-train-epochs", "nan"],
        ["--num-train-epochs", "inf"],
        ["--learning-rate", "0"],
        ["--batch-size", "x"],
        ["--save-seconds", "nan"],
    ],
)
def test_impossible_options_are_usage_errors(tmp_path: Path, arguments: list[str]) -> None:
    done = run(tmp_path, "publish", "lyons____", *arguments)
    assert done.returncode == 2 and f"Error: Invalid value for '{arguments[0]}'" in done.stderr


def test_killed_at_three_random_steps_it_ends_with_the_same_weights(
    published: Path, archive: Path, base: Path, tmp_path: Path
) -> None:
    shutil.copy(archive, tmp_path)
    run(tmp_path, "curate", "lyons____").check_returncode()
    command = [
        "train",
        "lyons____",
        "--base",
        str(base),
        "--num-train-epochs",
        "1",
        "--save-steps",
        "1",
    ]
    shares = sorted(random.sample([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], 3))
    print(shares)
    reached = [0]
    for share in shares:
        assert stop(tmp_path, command, share, signal.SIGKILL).returncode == -signal.SIGKILL
        (checkpoint,) = (tmp_path / "runs" / "lyons____" / "checkpoints").glob(
            "step-*/progress.json"
        )
        reached.append(json.loads(checkpoint.read_text())["step"])
    assert reached == sorted(set(reached))
    done = run(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    assert re.search(
        rf"train: resuming from the checkpoint at step {reached[-1]} of \d+\n", done.stderr
    )
    weights = Path("runs", "lyons____", "repo", "model.safetensors")
    assert (tmp_path / weights).read_bytes() == (published / weights).read_bytes()
    assert not (tmp_path / "runs" / "lyons____" / "checkpoints").exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_asked_to_stop_it_saves_first_and_goes_on_with_the_same_settings_only(
    published: Path, base: Path, tmp_path: Path, how: signal.Signals
) -> None:
    shutil.copytree(published / "runs", tmp_path / "runs")
    command = [
        "train",
        "lyons____",
        "--base",
        str(base),
        "--seed",
        "1",
        "--max-steps",
        "20",
        "--save-seconds",
        "1e9",
    ]
    stopped = stop(tmp_path, command, 0.2, how)
    assert stopped.returncode == 130
    assert re.fullmatch(
        r"Stopped at step \d+ of \d+, which is saved; type the command again to resume",
        stopped.stderr.splitlines()[-1],
    )
    if how == signal.SIGINT:
        return
    other = run(tmp_path, *command, "--learning-rate", "0.5", "--block-size", "64")
    assert re.fullmatch(
        r"train: loading one-layer\n"
        r"Error: runs/lyons____/checkpoints: a training stopped there at step \d+, and "
        r"learning rate was None and is 0.5, block size was 128 and is 64; "
        r"type the command as it was then, or remove that folder\n",
        other.stderr,
    )
    done = run(
        tmp_path, *command, "--per-device-train-batch-size", "2", "--save-steps", "15"
    )  # which change nothing
    assert done.returncode == 0 and "train: resuming from the checkpoint at step" in done.stderr


def test_an_adapter_is_published_and_its_snippets_run(
    published: Path, base: Path, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi, ModelCard

    from hubtweets.hub import local
    from hubtweets.hub.storage.storage import Storage

    for name in ("runs", "hub"):
        shutil.copytree(published / name, tmp_path / name)
    storage = Storage(tmp_path / "hub")
    with local.serve_in_thread(storage) as endpoint:
        api = HfApi(endpoint=endpoint, token=storage.token)
        api.create_repo("huggingtweets/one-layer")
        for path in base.iterdir():
            api.upload_file(
                path_or_fileobj=path, path_in_repo=path.name, repo_id="huggingtweets/one-layer"
            )
        revision = api.model_info("huggingtweets/one-layer").sha
        more = {"HF_ENDPOINT": endpoint, "HF_TOKEN": storage.token}
        command = ["--base", "huggingtweets/one-layer", "--lora", "--max-steps", "4"]
        for line in (
            ["train", "lyons____", *command],
            ["sample", "lyons____", "--prompt", "I"],
            ["push", "lyons____"],
        ):
            done = run(tmp_path, *line, **more)
            assert done.returncode == 0, done.stderr
        assert "snippets: Python snippets that run: 2\n" in done.stderr and done.stdout.endswith(
            ", tag v2\n"
        )
        repo = tmp_path / "runs" / "lyons____" / "repo"
        card = ModelCard.load(repo / "README.md")
        assert (card.data.base_model, card.data["base_model_relation"], card.data.library_name) == (
            "huggingtweets/one-layer",
            "adapter",
            "peft",
        )
        adapter = json.loads((repo / "adapter_config.json").read_text())
        assert (adapter["base_model_name_or_path"], adapter["revision"]) == (
            "huggingtweets/one-layer",
            revision,
        )
        assert str(tmp_path) not in "".join(
            path.read_text(errors="replace") for path in repo.rglob("*") if path.is_file()
        )
        assert (repo / "adapter_model.safetensors").stat().st_size < (
            base / "model.safetensors"
        ).stat().st_size
        assert not (repo / "model.safetensors").exists()


def test_an_adapter_of_a_base_that_is_not_on_the_hub_is_refused(workplace: Path) -> None:
    done = run(workplace, "train", "lyons____", "--base", "tiny", "--lora")
    assert (
        done.stderr == "train: loading tiny\n"
        "Error: tiny is not on the Hub, so others can't load an adapter for it; "
        "type --lora --merge\n"
    )
    assert run(workplace, "train", "lyons____", "--merge").returncode == 2


def test_trackers_keep_everything_in_the_run_folder(
    published: Path, base: Path, tmp_path: Path
) -> None:
    shutil.copytree(published / "runs", tmp_path / "runs")
    command = [
        "train",
        "lyons____",
        "--base",
        str(base),
        "--max-steps",
        "4",
        "--report-to",
        "wandb",
        "--report-to",
        "trackio",
    ]
    done = run(tmp_path, *command, WANDB_MODE="offline")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "lyons____"
    record = json.loads((folder / "run.json").read_text())
    assert record["tracked"] == [
        {"tracker": "wandb", "kind": "preprocess", "url": None},
        {"tracker": "wandb", "kind": "train", "url": None},
        {"tracker": "trackio", "kind": "train", "url": None},
    ]
    assert sorted(path.name for path in (folder / "tracking").iterdir()) == [
        "tensorboard",
        "trackio",
        "wandb",
    ]  # the first is the former's
    assert len(list((folder / "tracking" / "wandb").glob("**/offline-run-*/run-*.wandb"))) == 2
    assert not (
        folder / "repo" / "runs" / "events.out.tfevents.hubtweets"
    ).exists()  # that was the former training's
    assert {path.name for path in tmp_path.iterdir()} <= {"runs", "hf", "hub"}


def test_help_is_light_and_lists_every_command(tmp_path: Path) -> None:
    code = (
        "import sys; from hubtweets.cli.main import main; "
        "main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )
    done = python(tmp_path, code)
    assert done.returncode == 0, done.stderr
    for command in (
        "publish",
        "curate",
        "train",
        "sample",
        "card",
        "push",
        "generate",
        "example",
        "hub",
    ):
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
    assert not re.search(
        r"'(torch|transformers|huggingface_hub|pydantic|datasets|typst|starlette|numpy)'",
        done.stdout,
    )


def test_the_card_is_rendered_without_torch(workplace: Path) -> None:
    repo = workplace / "runs" / "lyons____" / "repo"
    before = {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}
    for name in ("README.md", "predictions.png", "pipeline.png", "loss.png", "hubtweets.json"):
        (repo / name).unlink()
    code = (
        "import sys; from hubtweets.cli.main import main; "
        "main(['card'], standalone_mode=False); print('torch' in sys.modules)"
    )
    done = python(workplace, code)
    assert (done.returncode, done.stdout) == (0, "runs/lyons____/repo/README.md\nFalse\n"), (
        done.stderr
    )
    assert {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()} == before


def test_generate_talks(workplace: Path) -> None:
    done = run(workplace, "generate", "lyons____", "The radio", "-n", "2")
    assert (
        done.returncode == 0
        and len(done.stdout.splitlines()) == 2
        and done.stdout.startswith("- The radio")
    )


def test_the_stages_one_by_one(archive: Path, base: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path)
    x_archive.write_archive(tmp_path / "other.zip", posts=600, seed=1)
    expected: list[tuple[list[str], str]] = [
        (
            ["train", "lyons____", "--base", str(base)],
            "Error: runs/lyons____: no such run; type: hubtweets publish lyons____\n",
        ),
        (["curate", "@Lyons____"], TABLE),
        (
            ["card", "--hub", "local"],
            "Error: @lyons____ has no base yet; type: hubtweets train lyons____\n",
        ),
        (
            ["train", "lyons____", "--base", str(base), "--num-train-epochs", "0.1"],
            "train: one-layer, ",
        ),
        (
            ["sample", "lyons____", "--prompt", "I"],
            "sample: 10 posts from 'I'\nsample: 0 of 10 copy a post (0.0%), as do ",
        ),
        (["push", "lyons____", "--hub", "local"], "push: 11 of 11 files, "),
        (
            ["curate", "lyons____", "--posts", "other.zip"],
            "\nTweets downloaded         600\n",
        ),
        (
            ["push", "lyons____", "--hub", "local"],
            "Error: @lyons____ has no base yet; type: hubtweets train lyons____\n",
        ),
    ]
    for arguments, said in expected:
        assert said in run(tmp_path, *arguments).stderr, arguments


def cut_zip(folder: Path) -> None:
    x_archive.write_archive(folder / "lyons____.zip", posts=50)
    path = folder / "lyons____.zip"
    path.write_bytes(path.read_bytes()[:-2000])


def few(folder: Path) -> None:
    x_archive.write_archive(folder / "lyons____.zip", posts=50)


def enough(folder: Path) -> None:
    x_archive.write_archive(folder / "lyons____.zip", posts=600)


def nothing(folder: Path) -> None:
    pass


def bad_settings(folder: Path) -> None:
    enough(folder)
    (folder / "hubtweets.toml").write_text('bse = "tiny"\n')


def misspelt_settings(folder: Path) -> None:
    (folder / "hubtweets.toml").write_text('base_modle = "tiny"\n')


def wrong_settings(folder: Path) -> None:
    (folder / "hubtweets.toml").write_text("runs = [1]\n")


def no_toml(folder: Path) -> None:
    (folder / "hubtweets.toml").write_text("a = " + "[" * 5000)


def file_for_runs(folder: Path) -> None:
    enough(folder)
    (folder / "runs").write_text("not a folder")


LOCAL = ["--hub", "local", "--base", "tiny"]
FAILURES: list[tuple[Callable[[Path], None], list[str], str]] = [
    (
        nothing,
        ["publish", "lyons____", *LOCAL],
        r"no posts of lyons____ here \(looked for .+\); name them: --posts FILE; X gives you yours "
        r"at https://x.com/settings/download_your_data; .+ type: hubtweets example lyons____.zip",
    ),
    (
        enough,
        ["publish", "lyons___", *LOCAL],
        r"no posts of lyons___ here \(looked for .+\); did you mean lyons____\?",
    ),
    (
        nothing,
        ["publish", "a/b", *LOCAL],
        r"a/b: not a handle \(letters, digits, _ \. - and at most 96 of them\); "
        r"type: hubtweets publish NAME",
    ),
    (
        nothing,
        ["publish", "a", "--posts", "no.zip", *LOCAL],
        r"no\.zip: file not found, and not one of x:NAME, .+; name the posts: --posts FILE",
    ),
    (
        cut_zip,
        ["publish", "lyons____", *LOCAL],
        r"lyons____\.zip: cut or damaged \(.+\); download the archive again",
    ),
    (
        few,
        ["publish", "lyons____", *LOCAL],
        r"@lyons____: [\d,]+ characters in 15 kept posts \(19 Retweets, 16 Short tweets\) "
        r"are too few, .+",
    ),
    (
        enough,
        ["publish", "lyons____", "--hub", "local", "--base", "nope"],
        r"http://127\.0\.0\.1:9 does not answer, and nope is not in the cache; .+",
    ),
    (
        enough,
        ["publish", "lyons____", "--base", "tiny"],
        r"no token for https://huggingface\.co; type: hf auth login, or set HF_TOKEN; .+",
    ),
    (
        enough,
        ["publish", "lyons____", "--base", "tiny", "--hub", "http://127.0.0.1:9"],
        r"http://127\.0\.0\.1:9 does not answer \(.+\); .+",
    ),
    (  # without a token: the address is what is wrong
        enough,
        ["publish", "lyons____", "--base", "tiny", "--hub", "http://127.0.0.1:10"],
        r"http://127\.0\.0\.1:10 does not answer \(.+\); .+",
    ),
    (
        enough,
        ["publish", "lyons____", "--runs", "/proc/none", *LOCAL],
        r"/proc/none.*: .+; fix the permissions, or choose another folder",
    ),
    (
        file_for_runs,
        ["publish", "lyons____", *LOCAL],
        r"runs.*: (Not a directory|File exists); fix the permissions, .+",
    ),
    (
        bad_settings,
        ["publish", "lyons____", *LOCAL],
        r"hubtweets\.toml: no option is called bse; take it out, or write one of .*base_model, .+",
    ),
    (
        misspelt_settings,
        ["publish", "lyons____", *LOCAL],
        r"hubtweets\.toml: no option is called base_modle; did you mean base_model\?",
    ),
    (
        enough,
        ["publish", "lyons____", "--block-size", "1024", *LOCAL],
        r"tiny reads 512 tokens at most, not 1024; type: --block-size 512",
    ),
    (
        enough,
        ["publish", "lyons____", "--namespace", "a/b", *LOCAL],
        r"a/b/lyons____: Repo id must be .+; choose another --namespace",
    ),
    (
        enough,
        ["publish", "lyons____", "--learning-rate", "1e30", *LOCAL],
        r"training diverged: the loss is nan at step \d+; "
        r"type a smaller --learning-rate than 1e\+30",
    ),
    (
        wrong_settings,
        ["card"],
        r'hubtweets\.toml: runs can\'t be \[1\]; write a line such as: base_model = "tiny"',
    ),
    (
        no_toml,
        ["card"],
        r'hubtweets\.toml: not TOML \(.+\); write lines such as: base_model = "tiny"',
    ),
    (
        nothing,
        ["publish", "a", "--posts", "/dev/null", *LOCAL],
        r"/dev/null: file not found, and not one of x:NAME, .+; name the posts: --posts FILE",
    ),
    (nothing, ["generate", "typo", "I"], r"runs/typo: no such run; type: hubtweets publish typo"),
    (nothing, ["train", "typo"], r"runs/typo: no such run; type: hubtweets publish typo"),
    (
        enough,
        ["example", "lyons____.zip"],
        r"lyons____\.zip: already exists and may be a real archive; "
        r"remove it, or give another name",
    ),
    (nothing, ["card"], r"runs: no run yet; type: hubtweets publish NAME"),
    (nothing, ["example", "nowhere/x.zip"], r"nowhere/.+: No such file or directory; .+"),
]


@pytest.mark.parametrize(
    ("prepare", "arguments", "expected"),
    FAILURES,
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_failures_are_one_line_and_leave_nothing_half_written(
    tmp_path: Path, prepare: Callable[[Path], None], arguments: list[str], expected: str
) -> None:
    prepare(tmp_path)
    more = {"HF_TOKEN": "hf_secret_of_mine"} if "http://127.0.0.1:9" in arguments else {}
    if "nope" in arguments:
        more = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    done = run(tmp_path, *arguments, **more)
    *said, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert re.fullmatch("Error: " + expected, last), last
    assert all(
        re.match(
            r"(curate|train|warning): |(Ret|Short t|T)weets |For example:| +@lyons____|$", line
        )
        for line in said
    ), done.stderr
    assert "hf_secret" not in done.stderr
    made = {path.name for path in tmp_path.glob("runs/*/**/*") if path.is_file()}
    assert made <= {
        ".lock",
        "run.json",
        "posts.parquet",
        "train.parquet",
        "validation.parquet",
        "avatar.png",
        "settings.json",
        "events.out.tfevents.hubtweets",
    }, made
    assert (".lock" in made) == ("run.json" in made)  # no folder of a run that has not begun
    assert not list((tmp_path / "runs").glob("*/repo/README.md"))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (
            50_000,
            r"runs/lyons____/.+: .*File too large.*; free some disk space|"
            r"writing failed: .*File too large.*; free some disk space",
        ),
        (
            210_000,
            r"runs/lyons____/checkpoints: the checkpoint can't be written \(.+\); "
            r"free some disk space and type the command again",
        ),
    ],
)
def test_a_full_disk_gets_one_line(
    tmp_path: Path, archive: Path, base: Path, limit: int, expected: str
) -> None:
    """A limit on a file's size stands for the full disk: the system refuses the same writes."""
    shutil.copy(archive, tmp_path)
    if "checkpoint" in expected:
        run(tmp_path, "curate", "lyons____").check_returncode()
    done = subprocess.run(
        [sys.executable, "-m", "hubtweets", *PUBLISH, str(base), "--save-seconds", "0"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    assert re.fullmatch("Error: (" + expected + ")", done.stderr.splitlines()[-1]), done.stderr
    assert not [
        path
        for path in (tmp_path / "runs").rglob("*")
        if "writing" in path.name or re.fullmatch(r"\..+\.\d+", path.name)
    ]


def test_settings_come_from_options_then_environment_then_file(
    published: Path, tmp_path: Path
) -> None:
    (tmp_path / "hubtweets.toml").write_text('runs = "from-file"\n')
    for arguments, more, expected in (
        (["card"], {}, "from-file"),
        (["card"], {"HUBTWEETS_RUNS": "from-environment"}, "from-environment"),
        (["card", "--runs", "from-option"], {"HUBTWEETS_RUNS": "from-environment"}, "from-option"),
    ):
        assert (
            run(tmp_path, *arguments, **more).stderr
            == f"Error: {expected}: no run yet; type: hubtweets publish NAME\n"
        )


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("", {}, (options.PROMPTS, None, None)),
        ('prompt = "My cat"\nprivate = true\ntag = "v7"\n', {}, (("My cat",), True, "v7")),
        ('prompt = ["My cat", "We"]\nprivate = false\n', {}, (("My cat", "We"), False, None)),
        (
            "",
            {"PROMPT": "My cat\nWe all", "PRIVATE": "0", "TAG": "x"},
            (("My cat", "We all"), False, "x"),
        ),
        (
            "prompt = [1]\n",
            {},
            'hubtweets.toml: prompt can\'t be [1]; write a line such as: base_model = "tiny"',
        ),
        (
            "tag = 1\n",
            {},
            'hubtweets.toml: tag can\'t be 1; write a line such as: base_model = "tiny"',
        ),
        (
            "license = 5\n",
            {},
            'hubtweets.toml: license can\'t be 5; write a line such as: base_model = "tiny"',
        ),
    ],
)
def test_what_a_push_is_asked_comes_from_settings_too(
    text: str,
    more: dict[str, str],
    expected: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hubtweets.toml").write_text(text)
    for name, value in more.items():
        monkeypatch.setenv(f"HUBTWEETS_{name}", value)
    command = main.commands["publish"]
    try:
        found: object = tuple(
            command.make_context(
                "publish", ["a"], default_map=read_settings(command.params)
            ).params[name]
            for name in ("prompt", "private", "tag")
        )
    except HubtweetsError as error:
        found = str(error)
    assert found == expected


def test_two_at_once_do_not_share_a_folder(workplace: Path) -> None:
    from filelock import FileLock

    with FileLock(workplace / "runs" / "lyons____" / ".lock"):
        done = run(workplace, "card")
    assert (
        done.stderr == "Error: runs/lyons____: another hubtweets is running there; "
        "wait for it, or choose another folder with --runs DIR\n"
    )


def test_hub_says_how_to_use_it_and_serves(published: Path, tmp_path: Path) -> None:
    import httpx2

    more = {"HUBTWEETS_HUB_DIR": str(published / "hub"), "PYTHONUNBUFFERED": "1"}
    port = str(20_000 + os.getpid() % 10_000)
    command = [HUBTWEETS, "hub", "--port", port]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(tmp_path, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        said = "".join(process.stdout.readline() for _ in range(3))
        answer = httpx2.get(
            f"http://127.0.0.1:{port}/api/models/huggingtweets/lyons____", timeout=60
        )
        taken = run(tmp_path, "hub", "--port", port, HUBTWEETS_HUB_DIR=str(published / "hub"))
        process.send_signal(signal.SIGTERM)  # tests/test_docs.py presses Ctrl-C
        assert process.stderr.read().endswith("Stopped.\n")
    assert process.returncode == 0
    assert answer.json()["pipeline_tag"] == "text-generation"
    assert f'eval "$(hubtweets hub --port {port} env)"\n' in said
    token = (published / "hub" / "token").read_text()
    assert token not in said
    for arguments in (["--port", port, "env"], ["env", "--port", port]):
        exports = run(tmp_path, "hub", *arguments, HUBTWEETS_HUB_DIR=str(published / "hub")).stdout
        assert exports == f"export HF_ENDPOINT=http://127.0.0.1:{port}\nexport HF_TOKEN={token}\n"
    assert (
        taken.stderr == f"Error: 127.0.0.1:{port}: Address already in use; "
        f"choose another port: hubtweets hub --port {int(port) + 1}\n"
    )


def test_two_authors_make_one_bot(archive: Path, base: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path)
    generator = random.Random(7)
    lines = [json.dumps({"text": sentences.make_sentence(generator)}) for _ in range(150)]
    (tmp_path / "bob.jsonl").write_text("\n".join([*lines, json.dumps({"text": "lol"}), lines[0]]))
    arguments = ["--base", str(base), "--hub", "local", "--max-steps", "4", "--prompt", "I"]
    command = ["publish", "lyons____", "bob", "--posts", "bob=bob.jsonl", *arguments]
    done, other, again = (
        run(tmp_path, *line)
        for line in (
            command,
            ["publish", "lyons____-bob", "--posts", "bob.jsonl", *arguments],
            command,
        )
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:8086/huggingtweets/lyons____-bob\n")
    assert (
        "\n                  @lyons____  @bob\nPosts downloaded       3,086   152\n" in done.stderr
    )
    record = json.loads((tmp_path / "runs" / "lyons____-bob" / "run.json").read_text())
    assert [counts["kept"] for counts in record["counts"]] == [864, 150] and record["counts"][1][
        "duplicates"
    ] == 1
    assert record["dataset"]["split"] == "hash" and [
        source["kind"] for source in record["sources"]
    ] == ["x-archive", "jsonl"]
    assert record["passes"][1] > 1 > record["passes"][0]
    card = (tmp_path / "runs" / "lyons____-bob" / "repo" / "README.md").read_text()
    assert "| Posts kept | 864 | 150 |\n" in card and "AI CYBORG" in card
    assert (
        "Error: runs/lyons____-bob: the bot of lyons____ bob, not of lyons____-bob; "
        "choose another folder with --runs DIR\n" in other.stderr
    )
    assert (
        again.stderr.splitlines()[0] == "curate: nothing changed, skipped"
        and again.stdout == done.stdout
    )


def test_a_base_that_does_not_know_the_language_gets_a_warning(base: Path, tmp_path: Path) -> None:
    words = (
        "Heute ist das Wetter sehr schön und ich gehe mit meinem Hund in den Park|"
        "Gestern habe ich einen Brief an meine Schwester geschrieben"
    )
    lines = [
        json.dumps({"text": f"{text}, es war der Tag Nummer {'x' * n}"})
        for n in range(1, 150)
        for text in words.split("|")
    ]
    (tmp_path / "anna.jsonl").write_text("\n".join(lines))
    shutil.copytree(base, tmp_path / "english")
    (tmp_path / "english" / "README.md").write_text("---\nlanguage: [en, fr]\nlicense: mit\n---\n")
    train = ["train", "anna", "--num-train-epochs", "0.1", "--base"]
    run(tmp_path, "curate", "anna", "--rules", "classic").check_returncode()
    other, done = (run(tmp_path, *train, name) for name in (str(base), "english"))
    assert (
        "warning: 100% of the posts are in de, and english knows en, fr; "
        "take another base: --base ID\n" in done.stderr
    )
    record = json.loads((tmp_path / "runs" / "anna" / "run.json").read_text())
    assert record["dataset"]["languages"] == {"de": 1.0} and record["base"]["license"] == {
        "id": "mit",
        "name": None,
        "link": None,
    }
    assert "knows" not in other.stderr  # it has no card to say so


def test_every_post_is_explained(archive: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path)
    for rules in ("default", "classic"):
        done = run(
            tmp_path, "curate", "lyons____", "--explain", "--rules", rules, "--split", "hash"
        )
        assert done.returncode == 0, done.stderr
        count, path = done.stdout.splitlines()
        assert re.fullmatch(r"864 posts kept: \d+ to train on, \d+ held out", count)
        assert path == "runs/lyons____/explained.jsonl"
        rows = [json.loads(line) for line in (tmp_path / path).read_text().splitlines()]
        assert Counter(row["verdict"] for row in rows) == {
            "reposts": 1225,
            "short": 997,
            "kept": 864,
        }
        assert [*rows[0]] == [
            *("author", "verdict", "id", "created_at", "kind", "text", "cleaned_text")
        ]
        assert {row["cleaned_text"] is None for row in rows if row["verdict"] != "kept"} == {True}
        kept = [row for row in rows if row["verdict"] == "kept"]
        assert not any(
            set(row["cleaned_text"].split()) - set(row["text"].split())
            or "https:" in row["cleaned_text"]
            for row in kept
        )
        assert (
            json.loads((tmp_path / "runs" / "lyons____" / "run.json").read_text())["curation"][
                "rules"
            ]
            == rules
        )
    assert (
        run(
            tmp_path, "curate", "lyons____", "--explain", "--rules", rules, "--split", "hash"
        ).stderr
        == f"curate: nothing changed, skipped\n{FUNNEL}"
    )


def test_sources_come_from_the_environment_and_the_file_too(archive: Path, tmp_path: Path) -> None:
    shutil.copy(archive, tmp_path / "my posts.zip")
    for more, settings in (
        ({"HUBTWEETS_POSTS": "lyons____=my posts.zip"}, ""),
        ({}, 'posts = "my posts.zip"\n'),
        ({}, 'posts = ["lyons____=my posts.zip"]\n'),
    ):
        (tmp_path / "hubtweets.toml").write_text(settings)
        done = run(tmp_path, "curate", "lyons____", "--runs", f"runs{len(settings)}", **more)
        assert TABLE in done.stderr and "curate: reading my posts.zip\n" in done.stderr


def test_money_is_spent_only_when_asked(tmp_path: Path) -> None:
    """The API's price comes before its posts; if there is no terminal to ask, --yes is needed."""

    class X(BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def do_GET(self) -> None:
            self.asked.append(self.path.partition("?")[0])
            user = {
                "id": "42",
                "username": "alice",
                "name": "Alice",
                "public_metrics": {"tweet_count": 900},
            }
            tweets = [
                {"id": str(n), "text": f"post number {n} {'word ' * 20}", "author_id": "42"}
                for n in range(1, 101)
            ]
            body = json.dumps(
                {"data": user}
                if "by/username" in self.path
                else {"data": tweets, "meta": {"result_count": 100}}
            ).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), X)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    code = f"""
import functools, sys
from hubtweets.posts.x import api as x_api
x_api.fetch = functools.partial(x_api.fetch, endpoint="http://127.0.0.1:{server.server_port}")
from hubtweets.cli.main import main
main(["curate", "alice", "--posts", "x:alice", *sys.argv[1:]])
"""
    (tmp_path / "x.py").write_text(code)

    def curate(*arguments: str) -> str:
        command = [sys.executable, "x.py", *arguments]
        more = environment(tmp_path, X_BEARER_TOKEN="secret-token")
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=more,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )
        assert "secret-token" not in done.stdout + done.stderr
        return done.stderr

    try:
        refused = curate()
        assert (
            "up to 900 posts" in refused
            and "$4.50" in refused
            and refused.splitlines()[-1].startswith("Error: ")
            and "--yes" in refused
        )
        assert X.asked == ["/2/users/by/username/alice"]
        assert "$9.00" in curate("--x-price", "0.01")
        assert "\nTweets downloaded     100\n" in curate("--yes")
        asked = len(X.asked)
        again = curate("--rules", "classic")
        assert (
            "x:alice: using the posts fetched on " in again
            and "--refresh fetches them again" in again
            and len(X.asked) == asked
        )
        assert "$4.50" in curate("--refresh", "--yes") and len(X.asked) == asked + 2
        assert not any(
            b"secret-token" in path.read_bytes()
            for path in (tmp_path / "runs").rglob("*")
            if path.is_file()
        )
    finally:
        server.shutdown()
        server.server_close()


SECRET = "NOBODY-MAY-READ-THIS"


def test_nothing_private_is_in_any_output(tmp_path: Path, base: Path) -> None:
    """Search all that a run writes and says for what is private.

    That is: messages, addresses and private posts of every archive.
    """
    generator = random.Random(3)
    tweets = [tweet(str(10**6 + n), sentences.make_sentence(generator)) for n in range(120)]
    files = archive_files(tweets)
    files = {
        name: text.replace("secret@example.org", f"{SECRET}@example.org")
        for name, text in files.items()
    }
    for name in (
        "direct-messages",
        "direct-messages-group",
        "like",
        "ip-audit",
        "email-address-change",
        "deleted-tweets",
        "twitter-circle-tweet",
    ):
        files[f"data/{name}.js"] = javascript(
            f"YTD.{name.replace('-', '_')}.part0", [tweet("5", f"this is {SECRET} indeed")]
        )
    write_zip(tmp_path / "alice.zip", files)
    public = "https://www.w3.org/ns/activitystreams#Public"
    notes = [(public, sentences.make_sentence(generator)) for _ in range(120)]
    notes += [
        ("https://host.example/users/bob/followers", f"this is {SECRET} indeed"),
        ("https://host.example/users/eve", f"oh {SECRET} and so on"),
    ]
    actor = {"id": "https://host.example/users/bob", "preferredUsername": "bob", "name": "Bob"}
    outbox = [
        {
            "type": "Create",
            "actor": actor["id"],
            "to": [to],
            "cc": [],
            "object": {
                "type": "Note",
                "id": f"{actor['id']}/statuses/{n}",
                "attributedTo": actor["id"],
                "to": [to],
                "cc": [],
            },
        }
        for n, (to, _) in enumerate(notes)
    ]
    for activity, (_, text) in zip(outbox, notes, strict=True):
        activity["object"] |= {"content": f"<p>{text}</p>"}  # type: ignore[operator]
    mastodon = {
        "outbox.json": json.dumps({"orderedItems": outbox}),
        "actor.json": json.dumps(actor),
        "likes.json": json.dumps({"a": SECRET}),
    }
    write_zip(tmp_path / "bob.zip", mastodon)
    (tmp_path / "carol.csv").write_text(
        "text,visibility,email\n"
        + "".join(
            f'"{sentences.make_sentence(generator)}",public,{SECRET}@a.org\n' for _ in range(99)
        )
    )
    with (tmp_path / "carol.csv").open("a") as file:
        file.write(
            f'"this is {SECRET} indeed",private,\n'
            f'"write me at {SECRET}@example.org tonight please",public,\n'
        )
    said = ""
    for line in (
        ["curate", "alice", "bob", "carol"],
        ["train", "alice-bob-carol", "--base", str(base), "--num-train-epochs", "0.1"],
        ["sample", "alice-bob-carol", "--prompt", "I"],
        ["card", "alice-bob-carol", "--hub", "local"],
        ["curate", "alice", "bob", "carol", "--explain"],
    ):
        done = run(tmp_path, *line)
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    assert (
        "In 1 of the kept posts an address or a number is masked.\n" in said
        and "\nNot public" in said
    )
    assert SECRET not in said
    found = []
    for path in (file for file in (tmp_path / "runs").rglob("*") if file.is_file()):
        content = (
            parquet.read_table(path).to_pandas().to_csv()
            if path.suffix == ".parquet"
            else path.read_bytes().decode(errors="replace")
        )
        found += [path.name] if SECRET in content else []
    assert found == []
    rows = [
        json.loads(line) for line in (tmp_path / done.stdout.split()[-1]).read_text().splitlines()
    ]
    assert [
        (row["author"], row["verdict"], row["text"]) for row in rows if "[email]" in row["text"]
    ] == [("carol", "kept", "write me at [email] tonight please")]
    assert Counter(row["verdict"] for row in rows if not row["text"]) == {"private": 3}


def test_what_no_stage_learns_from_costs_no_training(base: Path, tmp_path: Path) -> None:
    generator = random.Random(5)
    lines = [
        json.dumps({"id": str(n), "text": sentences.make_sentence(generator)}) for n in range(150)
    ]
    (tmp_path / "alice.jsonl").write_text("\n".join(lines))
    run(tmp_path, "curate", "alice").check_returncode()
    run(
        tmp_path, "train", "alice", "--base", str(base), "--num-train-epochs", "0.1"
    ).check_returncode()
    (tmp_path / "alice.jsonl").write_text(
        "\n".join([*lines, json.dumps({"id": "x", "text": "RT @bob: hello to everybody"})])
    )
    assert "\nReposts                1\n" in run(tmp_path, "curate", "alice").stderr
    assert (
        "train: nothing changed, skipped"
        in run(tmp_path, "train", "alice", "--base", str(base), "--num-train-epochs", "0.1").stderr
    )


def test_a_corrupt_avatar_gets_one_line(workplace: Path) -> None:
    for content in (b"hello", None):
        path = workplace / "runs" / "lyons____" / "repo" / "avatar.png"
        path.write_bytes(content) if content else path.unlink()
        assert (
            run(workplace, "card").stderr
            == "Error: runs/lyons____: a file of the stage curate was changed; "
            "type: hubtweets publish lyons____\n"
        )


def test_what_an_archive_says_is_neither_published_nor_acted_on(tmp_path: Path) -> None:
    """An address in the bio or name, and what a terminal would act on in the manifest."""
    generator = random.Random(4)
    files = archive_files([tweet(str(n), sentences.make_sentence(generator)) for n in range(120)])
    files["data/profile.js"] = javascript(
        "YTD.profile.part0",
        [{"profile": {"description": {"bio": "mail me@private.example or +1 415 555 2671"}}}],
    )
    files["data/account.js"] = files["data/account.js"].replace(
        "Alice \\ud83c\\udf19", "Alice me@private.example"
    )
    files["data/manifest.js"] = javascript(
        "__THAR_CONFIG",
        {
            "dataTypes": {
                "tweets": {"files": [{"fileName": "tweets.js", "count": "\x1b[31m9\x1b]0;own\x07"}]}
            }
        },
    )
    write_zip(tmp_path / "alice.zip", files)
    done = run(tmp_path, "curate", "alice")
    assert (
        "though manifest.js says \ufffd[31m9\ufffd]0;own\ufffd;" in done.stderr
        and "\x1b" not in done.stderr
    )
    record = (
        tmp_path / "runs" / "alice" / "run.json"
    ).read_text()  # all that a card is rendered from
    profile = json.loads(record)["profiles"][0]
    assert (profile["name"], profile["bio"]) == ("Alice [email]", "mail [email] or [phone]")
    assert "private.example" not in record


def test_the_posts_of_a_protected_account_are_read_only_if_asked_for(
    archive: Path, base: Path, tmp_path: Path
) -> None:
    shutil.copy(archive, tmp_path)
    history = [
        {"protectedHistory": {"protectedAt": "2026-03-01T10:00:00.000Z", "action": "Protect"}}
    ]
    with zipfile.ZipFile(tmp_path / "lyons____.zip", "a") as opened:
        opened.writestr(
            "data/protected-history.js", javascript("YTD.protected_history.part0", history)
        )
    refused = (
        "Error: @lyons____: 0 characters in 0 kept posts (1,225 Retweets, 1,861 Not public) "
        "are too few, 6,000 are needed; the account is protected, so its posts are for its "
        "followers; if it is yours, and you want them read, type: --protected-posts\n"
    )
    done = run(tmp_path, "curate", "lyons____", "--quiet")
    assert (done.returncode, done.stderr) == (1, refused)
    asked_for = run(tmp_path, "curate", "lyons____", "--protected-posts")
    assert asked_for.returncode == 0 and TABLE in asked_for.stderr
    record = json.loads((tmp_path / "runs" / "lyons____" / "run.json").read_text())
    assert [source["protected"] for source in record["sources"]] == [True]
    assert record["dataset"]["rows"] == []  # the card shows none of them
    planned = run(
        tmp_path, *PUBLISH, str(base), "--protected-posts", "--consent", "own", "--dry-run"
    )
    said = (
        "the repo will be private, because the account is protected, "
        "and its posts are for its followers; "
        "add --public to publish the bot anyway\n"
    )
    assert planned.returncode == 0 and said in planned.stderr
    assert (
        run(tmp_path, "curate", "lyons____", "--quiet").stderr == refused
    )  # the flag is not remembered
