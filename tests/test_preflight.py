"""What stands in the way of a publish is told before the training, all of it at once.

What would be pushed is shown.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from hubtweets.config import Curation, TrainingConfig
from hubtweets.errors import HubtweetsError, ProblemsError
from hubtweets.files import check_download_space, check_training_space
from hubtweets.hub.storage.storage import Storage
from hubtweets.hub.storage.tokens import create_token
from hubtweets.models import inspection
from hubtweets.models.base import resolve_base
from hubtweets.posts.post import Columns
from hubtweets.posts.sources import FetchOptions
from hubtweets.publishing import dry_run, permissions, preflight, preview, pull_requests
from hubtweets.publishing.connection import Hub
from hubtweets.publishing.push import PushOptions
from hubtweets.publishing.request import PreparedPublish, PublishRequest
from hubtweets.record.run_folder import RunFolder, open_run_folder
from hubtweets.record.run_record import Target
from hubtweets.stages import curate
from hubtweets.stages.push import push
from hubtweets.stages.render import render
from tests.conftest import run as command
from tests.faults import Fault, Faulty, Quirky
from tests.served import Served

TRAINED = TrainingConfig(num_train_epochs=1.0)
ADDRESS = "http://127.0.0.1:8086"  # the embedded Hub's in cards, wherever it listens


def said(problems: list[str]) -> str:
    return str(ProblemsError(problems))


@pytest.fixture
def place(workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run's working folder, with a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home-of-jane"))
    return workplace


@pytest.fixture
def connected(hub: tuple[str, str]) -> Hub:
    return Hub(HfApi(endpoint=hub[0], token=hub[1]), ADDRESS)


@pytest.fixture
def opened(place: Path) -> Iterator[RunFolder]:
    with open_run_folder(place / "runs", "lyons____") as run:
        yield run


def asked(base: Path | str, **changes: Any) -> PublishRequest:
    options = PushOptions(
        **{name: changes.pop(name) for name in vars(PushOptions()) if name in changes}
    )
    return replace(
        PublishRequest(
            None, str(base), None, None, TRAINED, ("tensorboard",), ("My dream is",), options
        ),
        **changes,
    )


def reading(source: str) -> dict[str, Any]:
    return {
        "named": {"lyons____": source},
        "columns": Columns(),
        "rules": Curation(),
        "fetching": FetchOptions(0.005, False, lambda _: False),
    }


def check(
    run: RunFolder, hub: Hub, wanted: PublishRequest, source: str | None = None
) -> PreparedPublish:
    archive = source or str(run.folder.parent.parent / "lyons____.zip")
    return preflight.prepare_publish(
        run, hub, wanted, lambda: reading(archive), partial(curate.curate, run)
    )


def problems(
    run: RunFolder, hub: Hub, wanted: PublishRequest, source: str | None = None
) -> list[str]:
    try:
        check(run, hub, wanted, source)
    except HubtweetsError as error:
        return error.lines if isinstance(error, ProblemsError) else [str(error)]
    return []


def test_one_problem_is_a_line_and_more_are_a_list() -> None:
    assert said(["a; type: b"]) == "a; type: b"
    assert (
        said(["a\x1b; type:\n b", "c; type: d"])
        == "2 problems found:\n- a\ufffd; type: b\n- c; type: d"
    )


def test_nothing_in_the_way(opened: RunFolder, connected: Hub, base: Path) -> None:
    before = (opened.folder / "run.json").read_bytes()
    ready = check(opened, connected, asked(base, consent="own"))
    assert (ready.target.url, ready.base.id, ready.location) == (
        f"{ADDRESS}/huggingtweets/lyons____",
        "one-layer",
        str(base),
    )
    assert (ready.terms.license.id, ready.terms.consent, ready.push_options.private) == (
        "mit",
        "own",
        None,
    )
    assert (opened.folder / "run.json").read_bytes() == before  # nor is anything done yet
    assert list(connected.api.list_models()) == []


def test_every_problem_is_told_at_once(
    opened: RunFolder, connected: Hub, hub: tuple[str, str], base: Path, tmp_path: Path
) -> None:
    connected.api.create_repo("mine/lyons____")
    connected.api.create_tag("mine/lyons____", tag="v1")
    only_reads = Hub(
        HfApi(endpoint=hub[0], token=create_token(Storage(tmp_path / "hub").blobs, "read")), ADDRESS
    )
    wanted = asked(
        base,
        namespace="mine",
        tag="v1",
        license="gpl-3.0",
        commit_message="mail me@private.example",
        prompts=(f"see {tmp_path}/home-of-jane/x", f"{only_reads.api.token}"),
        training=replace(TRAINED, block_size=1024, lora="adapter"),
        report_to=("wandb", "tensorboard"),
    )
    assert problems(opened, only_reads, wanted, "none.zip") == [
        (
            "the token of huggingtweets may only read; "
            f"make one with the role write, and type: HF_ENDPOINT={ADDRESS} hf auth login"
        ),
        (
            "--license gpl-3.0: one-layer is under mit, and so are models made from it; "
            "leave out --license"
        ),
        (
            "one-layer is not on the Hub, so others can't load an adapter for it; "
            "type --lora --merge"
        ),
        "one-layer reads 256 tokens at most, not 1024; type: --block-size 256",
        (
            f"--tag v1: {ADDRESS}/mine/lyons____ has it on another commit; "
            "choose another, or leave --tag out"
        ),
        "--prompt: contains the path of your home folder; take it out",
        "--prompt: contains your token; take it out",
        "--prompt: contains what looks like a token or a key; take it out",
        "--commit-message: contains an e-mail address; take it out",
        (
            "none.zip: file not found, and not one of x:NAME, mastodon:@NAME@HOST, bluesky:NAME, "
            "dataset:ID; name the posts: --posts FILE"
        ),
    ]


def test_a_hub_that_is_away_hides_no_other_problem(opened: RunFolder, base: Path) -> None:
    away = Hub(HfApi(endpoint="http://127.0.0.1:9", token="hf_" + "x" * 34), "http://127.0.0.1:9")
    assert problems(opened, away, asked(base, license="gpl-3.0", namespace="a/b")) == [
        (
            "http://127.0.0.1:9 does not answer ([Errno 111] Connection refused); "
            "run the command again, or try --hub local"
        ),
        (
            "a/b/lyons____: Repo id must be in the form 'repo_name' or 'namespace/repo_name'; "
            "choose another --namespace"
        ),
        (
            "--license gpl-3.0: one-layer is under mit, and so are models made from it; "
            "leave out --license"
        ),
    ]


def test_nothing_is_read_over_the_network_while_something_stands_in_the_way(
    opened: RunFolder, connected: Hub, base: Path
) -> None:
    read: list[str] = []

    def curate(named: dict[str, str], **_: object) -> None:
        read.extend(named.values())

    bluesky = partial(reading, "bluesky:a.example")
    with pytest.raises(HubtweetsError, match=r"^--license gpl-3\.0: "):
        preflight.prepare_publish(
            opened, connected, asked(base, license="gpl-3.0"), bluesky, curate
        )
    assert read == []
    preflight.prepare_publish(opened, connected, asked(base), bluesky, curate)
    assert read == ["bluesky:a.example"]


def who(
    role: str | None = "write", orgs: list[dict[str, str]] | None = None, **token: Any
) -> dict[str, Any]:
    return {"name": "me", "orgs": orgs or [], "auth": {"accessToken": {"role": role, **token}}}


def scoped(name: str, *permissions: str) -> dict[str, Any]:
    return {
        "fineGrained": {
            "global": [],
            "scoped": [{"entity": {"type": "x", "name": name}, "permissions": list(permissions)}],
        }
    }


ORGS = [{"name": "team", "roleInOrg": "write"}, {"name": "club", "roleInOrg": "read"}]
FINE = (
    "the fine-grained token of me may not write to me's repos; "
    "give it repo.write there, or use one with the role write"
)


@pytest.mark.parametrize(
    ("answer", "namespace", "create_pr", "expected"),
    [
        (who(), "me", False, []),
        (who("admin-of-2030"), "me", False, []),
        (
            who("read"),
            "me",
            False,
            [
                (
                    "the token of me may only read; "
                    "make one with the role write, and type: hf auth login"
                )
            ],
        ),
        (
            who("read"),
            "you",
            True,
            [
                (
                    "the token of me may only read; "
                    "make one with the role write, and type: hf auth login"
                )
            ],
        ),
        (who(orgs=ORGS), "team", False, []),
        (
            who(orgs=ORGS),
            "club",
            False,
            [
                (
                    "--namespace club: me may only read there; "
                    "ask an admin of it for the role write, or pass --create-pr"
                )
            ],
        ),
        (who(orgs=ORGS), "club", True, []),
        (
            who(orgs=ORGS),
            "you",
            False,
            ["--namespace you: me is not a member; use one of me, team, or pass --create-pr"],
        ),
        (
            who(),
            "you",
            False,
            ["--namespace you: me is not a member; use me, or pass --create-pr"],
        ),
        (who() | {"writesEverywhere": True}, "you", False, []),
        (who("fineGrained", **scoped("me", "repo.content.read", "repo.write")), "me", False, []),
        (who("fineGrained", **scoped("me/bot", "repo.write")), "me", False, []),
        (who("fineGrained", **scoped("me", "repo.content.read")), "me", False, [FINE]),
        (who("fineGrained", **scoped("you", "repo.write")), "me", False, [FINE]),
        (who("fineGrained"), "me", False, []),  # it does not say
        (who("fineGrained", fineGrained="?"), "me", False, []),
        ({"name": ["?"]}, "me", False, []),
        ({"name": "me"}, "team", False, []),
        ({}, "me", False, []),
    ],
)
def test_what_a_token_may_do(
    answer: dict[str, Any], namespace: str, create_pr: bool, expected: list[str]
) -> None:
    found = permissions.find_problems(answer, f"{namespace}/bot", create_pr, "hf auth login")
    assert list(found) == expected


def test_a_repo_that_may_not_be_written_to(
    opened: RunFolder, connected: Hub, served: Served, base: Path
) -> None:
    assert served.app
    served.app = faulty = Faulty(served.app)
    faulty.faults = [Fault("GET .*/auth-check/write", "403", 9)]
    assert problems(opened, connected, asked(base)) == [
        f"{ADDRESS}/huggingtweets/lyons____ may not be written to (403: 403); "
        "use a token with the role write, another --namespace, or pass --create-pr"
    ]
    assert problems(opened, connected, asked(base, create_pr=True)) == []


def test_a_hub_without_pull_requests(
    opened: RunFolder, connected: Hub, served: Served, base: Path
) -> None:
    url = f"{ADDRESS}/huggingtweets/lyons____"
    assert problems(opened, connected, asked(base, create_pr=True)) == []
    assert served.app
    served.app = Quirky(served.app, "no discussions")
    assert problems(opened, connected, asked(base, create_pr=True)) == [
        f"--create-pr: {url} takes no pull requests (404: Not Found); "
        "leave --create-pr out, or push to a new branch instead: --revision NAME"
    ]
    assert problems(opened, connected, asked(base, revision="dev")) == []


def test_a_pull_request_needs_a_repo(hub: tuple[str, str]) -> None:
    connected, target = Hub(HfApi(endpoint=hub[0], token=hub[1]), hub[0]), Target(hub[0], "you/bot")
    assert list(pull_requests.find_problems(connected, target, may_create=True)) == []
    assert list(pull_requests.find_problems(connected, target, may_create=False)) == [
        f"--create-pr: {hub[0]}/you/bot not found, or not visible to this token; "
        "choose the --namespace of a repo that exists"
    ]


def test_a_hub_without_xet_is_told_before_the_training(
    opened: RunFolder,
    connected: Hub,
    served: Served,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    caplog.set_level("INFO", "hubtweets")
    told = "the Hub has no Xet, so large files will be sent by LFS"
    assert problems(opened, connected, asked(base)) == [] and told not in caplog.messages
    assert served.app
    served.app = Quirky(served.app, "no Xet")
    assert problems(opened, connected, asked(base)) == [] and told in caplog.messages


def no_token(run: RunFolder, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> tuple[Hub, str]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return Hub(HfApi(endpoint=hub.api.endpoint), ADDRESS), (
        f"no token for {ADDRESS}; type: HF_ENDPOINT={ADDRESS} hf auth login, or set HF_TOKEN; "
        "or try --hub local"
    )


def wrong_token(run: RunFolder, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> tuple[Hub, str]:
    refused = (
        f"{ADDRESS} refused (401: Invalid user token); "
        f"log in with a token that is valid there: HF_ENDPOINT={ADDRESS} hf auth login"
    )
    return Hub(HfApi(endpoint=hub.api.endpoint, token="hf_wrong"), ADDRESS), refused


@pytest.mark.parametrize("case", [no_token, wrong_token])
def test_a_token_that_is_none(
    case: Callable[[RunFolder, Hub, pytest.MonkeyPatch], tuple[Hub, str]],
    opened: RunFolder,
    connected: Hub,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, expected = case(opened, connected, monkeypatch)
    assert problems(opened, other, asked(base)) == [expected]


def test_who_may_see_it(opened: RunFolder, connected: Hub, base: Path) -> None:
    """Posts by an open way go into a private repo, unless it is said otherwise.

    A repo that is public already is not pushed to either, unless that is said.
    """
    api, open_way = (
        connected.api,
        tuple(replace(source, kind="bluesky-api") for source in opened.record.sources),
    )
    opened.update(sources=open_way)
    assert check(opened, connected, asked(base)).push_options.private is True
    assert check(opened, connected, asked(base, private=False)).push_options.private is False
    assert check(opened, connected, asked(base, consent="own")).push_options.private is None
    api.create_repo("huggingtweets/lyons____")
    url = f"{ADDRESS}/huggingtweets/lyons____"
    assert problems(opened, connected, asked(base)) == [
        f"{url} is public already, and this push would be private, "
        "because anyone can read these posts; "
        "add --consent own if they are yours, or add --public; or make it private in its settings"
    ]
    assert problems(opened, connected, asked(base, consent="own")) == []
    assert problems(opened, connected, asked(base, private=False)) == []
    (line,) = problems(opened, connected, asked(base, consent="own", private=True))
    assert line.startswith(f"{url} is public already; make it private in its settings, or ")
    api.update_repo_settings("huggingtweets/lyons____", visibility="private")
    assert (
        problems(opened, connected, asked(base))
        == problems(opened, connected, asked(base, private=True))
        == []
    )
    (line,) = problems(opened, connected, asked(base, private=False))
    assert line.startswith(f"{url} is private; make it public in its settings, or ")


def test_the_bot_of_a_protected_account_is_private(
    opened: RunFolder, connected: Hub, base: Path
) -> None:
    opened.update(
        sources=tuple(replace(source, protected=True) for source in opened.record.sources)
    )
    assert check(opened, connected, asked(base, consent="own")).push_options.private is True
    assert check(opened, connected, asked(base, private=False)).push_options.private is False
    connected.api.create_repo("huggingtweets/lyons____")
    assert problems(opened, connected, asked(base, consent="own")) == [
        f"{ADDRESS}/huggingtweets/lyons____ is public already, and this push would be "
        "private, because the account is protected, and its posts are for "
        "its followers; add --public to publish the bot anyway; or make it private in its settings"
    ]


def config(**values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def write(name: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return change


NO_FILES = (
    "other: has no config.json and *.safetensors that can be read; take another base: --base ID"
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (config(), None),
        (config(architectures=None), None),
        (config(architectures=["GPT2Model"]), None),
        (config(architectures=["Gemma3ForConditionalGeneration"]), None),
        (
            config(architectures=["BertForMaskedLM"]),
            "other: BertForMaskedLM is no causal language model; take another base: --base ID",
        ),
        (
            config(is_encoder_decoder=True, architectures=["T5Model"]),
            "other: T5Model is no causal language model; take another base: --base ID",
        ),
        (write("config.json", b"[]"), NO_FILES),
        (write("config.json", b"[" * 100_000), NO_FILES),
        (write("config.json", b"\xff"), NO_FILES),
        (write("model.safetensors", b"no"), NO_FILES),
        (write("model.safetensors", b"\xff" * 100), NO_FILES),
    ],
)
def test_a_base_is_a_causal_language_model_in_safetensors(
    base: Path, tmp_path: Path, change: Callable[[Path], None], expected: str | None
) -> None:
    shutil.copytree(base, tmp_path / "other")
    change(tmp_path / "other")
    try:
        found = inspection.inspect_base(*resolve_base(str(tmp_path / "other")))
        assert (found.parameters, found.context, found.download) == (29_344, 256, 0)
        said = None
    except HubtweetsError as error:
        said = str(error)
    assert said == expected


def test_a_base_on_the_hub_is_read_there(
    connected: Hub, base: Path, opened: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    connected.api.create_repo("some/base")
    for path in base.iterdir():
        connected.api.upload_file(path_or_fileobj=path, path_in_repo=path.name, repo_id="some/base")
    monkeypatch.setattr(constants, "ENDPOINT", connected.api.endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        connected.api.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
    )
    inside = check(opened, connected, asked("some/base")).contents
    assert (inside.parameters, inside.download, set(inside.texts)) == (
        29_344,
        (base / "model.safetensors").stat().st_size,
        {"config.json", "tokenizer.json"},
    )
    assert problems(opened, connected, asked("some/other")) == [
        (
            f"some/other: no such model on {connected.api.endpoint}; "
            "try --base tiny or --base openai-community/gpt2"
        )
    ]


def test_a_base_that_names_a_home_folder_is_refused_where_that_would_be_pushed(
    opened: RunFolder, connected: Hub, base: Path, tmp_path: Path
) -> None:
    other, home = tmp_path / "other", f"{tmp_path}/home-of-jane/models"
    shutil.copytree(base, other)
    config(_name_or_path=home)(other)  # which is not pushed
    assert problems(opened, connected, asked(other)) == []
    config(made_from=home)(other)
    (line,) = problems(opened, connected, asked(other))
    assert line == (
        "other: config.json, line 1: contains the path of your home folder; "
        "take it out there, or use another base: --base ID"
    )


def test_a_disk_that_is_too_small(
    opened: RunFolder, connected: Hub, base: Path, tmp_path: Path
) -> None:
    header = json.dumps(
        {"x": {"dtype": "F32", "shape": [10**6, 10**8], "data_offsets": [0, 0]}}
    ).encode()
    shutil.copytree(base, tmp_path / "large")
    (tmp_path / "large" / "model.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header
    )
    (line,) = problems(opened, connected, asked(tmp_path / "large"))
    folder, rest = line.split(": ", 1)
    assert Path(folder) == opened.folder and rest.endswith(
        " MiB are free, training takes 3,051,757,812 MiB; free some, or use --runs DIR"
    )
    with pytest.raises(
        HubtweetsError,
        match=r" MiB are free, the base takes 1,000,000,000,000 MiB; "
        r"free some, or choose another folder: export HF_H",
    ):
        check_download_space(tmp_path / "not" / "there", 10**12 << 20)
    (opened.folder / "checkpoints").mkdir()
    with (opened.folder / "checkpoints" / "x").open("wb") as sparse:
        sparse.truncate(10**12)
    check_training_space(opened.folder, 10**12 // 32)  # which has its room already


def test_what_is_in_the_way_elsewhere(
    opened: RunFolder, connected: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base that is none, a missing tracker and package, a profile that tells too much."""
    (profile,) = opened.record.profiles
    opened.update(profiles=(replace(profile, bio=f"I live in {tmp_path}/home-of-jane"),))
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    assert problems(opened, connected, asked("no such", license="mti", report_to=("trackio",))) == [
        (
            "no such: neither a folder nor a model's id; "
            "try --base tiny or --base openai-community/gpt2"
        ),
        "--license mti: the Hub has no such licence; use mit",
        (
            "--report-to trackio needs a package that is not installed; "
            "type: pip install 'hubtweets[trackio]'"
        ),
        (
            "@lyons____: the name or the bio contains the path of your home folder; "
            "take it out there, and get the posts again"
        ),
    ]


def test_the_hubs_validator_has_a_say(
    opened: RunFolder, connected: Hub, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hubtweets.hub.api import validation

    seen: list[dict[str, Any]] = []

    def stricter(metadata: dict[str, Any], kind: str) -> list[str]:
        seen.append(metadata)
        return ['"tags[0]" is not to our taste']

    monkeypatch.setattr(validation, "find_faults", stricter)
    assert problems(opened, connected, asked(base)) == [
        (
            'the card\'s metadata: "tags[0]" is not to our taste; '
            "give another --license, --base or source of posts"
        )
    ]
    assert seen[0]["license"] == "mit" and seen[0]["widget"][0]["text"] == "My dream is"


def shown(run: RunFolder, hub: Hub, wanted: PublishRequest) -> list[str]:
    found = dry_run.preview_publish(run, hub, wanted, check(run, hub, wanted))
    plan = preview.format_plan(found.plan, found.tag_is_given)
    card = [line for line, _ in preview.format_card(found)]
    return ["", "", *plan, "", *preview.format_files(found.plan.files), "", *card]


def test_a_rehearsal_shows_what_a_push_would_change(
    opened: RunFolder, connected: Hub, base: Path
) -> None:
    wanted = asked(base)
    first = shown(opened, connected, wanted)
    assert first[2:5] == [
        f"to       {ADDRESS}/huggingtweets/lyons____ (new, public)",
        "commit   Publish @lyons____, on main",
        first[4],
    ]
    recorded = opened.record.base
    assert recorded
    assert first[4:9] == [
        "tag      v1, unless nothing changes",
        f"base     one-layer, 29,344 parameters, at {recorded.revision[:12]}",
        "licence  mit",
        "posts    778 to train on, 86 held out",
        "training done already",
    ]
    files = first[10 : first.index("", 10)]
    assert [line.split()[1] for line in files] == sorted(plan_files(opened)) and {
        line.split()[0] for line in files
    } == {"new"}
    ready = check(opened, connected, wanted)
    render(opened, ready.target, ready.terms)
    card = (opened.repo / "README.md").read_text()
    assert "\n".join(first[first.index("The card:") + 2 :]) == card.rstrip("\n")
    assert list(connected.api.list_models()) == []
    (opened.repo / "old.txt").write_text("x")
    push(opened, connected, ready.push_options)
    again = shown(opened, connected, wanted)
    assert [line for line in again[10:-2] if not line.startswith("same ")] == [] and again[
        -1
    ] == "The card stays as it is."
    edited = card.replace("## How it works", "Mine.\n\n## How it works")
    for name, content in (("README.md", edited), ("mine.txt", "x" * 2000)):
        connected.api.upload_file(
            path_or_fileobj=content.encode(), path_in_repo=name, repo_id="huggingtweets/lyons____"
        )
    (opened.repo / "loss.png").write_bytes(b"other")
    (opened.repo / "old.txt").rename(opened.repo / "new.txt")
    told = shown(
        opened, connected, asked(base, consent="own", create_pr=True, commit_message="Other\nwords")
    )
    assert told[3] == "commit   Other, as a pull request" and not any(
        line.startswith("tag ") for line in told
    )
    marks = {line.split()[1]: line.split()[0] for line in told[9 : told.index("", 9)]}
    assert (marks["README.md"], marks["loss.png"], marks["new.txt"], marks["old.txt"]) == (
        "changed",
        "changed",
        "new",
        "deleted",
    )
    assert (marks["mine.txt"], marks["config.json"]) == ("kept", "same")
    changes = told[told.index("The changes of the card:") + 2 :]
    assert "+The publisher says that they are the publisher's own." in changes and not any(
        line.startswith("-Mine.") for line in changes
    )


def plan_files(run: RunFolder) -> list[str]:
    return [path.relative_to(run.repo).as_posix() for path in run.repo.rglob("*") if path.is_file()]


def test_a_rehearsal_before_the_training_says_what_is_known(
    opened: RunFolder, connected: Hub, base: Path
) -> None:
    told = shown(
        opened,
        connected,
        asked(
            base, training=replace(TRAINED, seed=1), tag="first", gated="manual", revision="draft"
        ),
    )
    assert told[2:5] == [
        f"to       {ADDRESS}/huggingtweets/lyons____ (new, public, gated (manual))",
        "commit   Publish @lyons____, on draft",
        "tag      first",
    ]
    assert told[8] == "training 1 epochs at most"
    rows = [line.split(maxsplit=2) for line in told[10 : told.index("", 10)]]
    assert [row[1] for row in rows] == sorted(plan_files(opened))
    assert ["new", "model.safetensors", "about 117 KB"] in rows and ["new", "loss.png"] in rows
    card = told[told.index("---") :]
    assert "license: mit" in card and "widget:" not in card and "model-index:" not in card
    assert card[-5:] == [
        "                   @lyons____",
        "Tweets downloaded       3,086",
        "Retweets                1,225",
        "Short tweets              997",
        "Tweets kept               864",
    ]


def test_publish_dry_run_leaves_the_hub_as_it_was(workplace: Path, base: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {
            path: path.read_bytes()
            for name in ("hub", "runs/lyons____/repo")
            for path in (workplace / name).rglob("*")
            if path.is_file()
        }

    before = files()
    arguments = [
        "publish",
        "lyons____",
        "--base",
        str(base),
        "--num-train-epochs",
        "1",
        "--hub",
        "local",
        "--dry-run",
    ]
    document = json.loads(command(workplace, *arguments, "--json").stdout)
    assert (document["schema_version"], document["new"], document["tag"]) == (1, False, "v2")
    assert {file["change"] for file in document["files"]} == {"same"}
    docs = (Path(__file__).parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
    fields = [*document, *document["files"][0]]
    assert [name for name in fields if f"`{name}`" not in docs] == []
    done = command(workplace, *arguments, "--namespace", "elsewhere")
    assert (done.returncode, done.stderr) == (0, "curate: nothing changed, skipped\n")
    lines = done.stdout.splitlines()
    assert lines[13] == f"to       {ADDRESS}/elsewhere/lyons____ (new, public)"
    assert re.fullmatch(
        r"Nothing is pushed\. A publish would push 12 of 12 files, \d+ KB\.",
        lines[-1],
    )
    assert "The card:" not in lines
    assert "The card:\n" in command(workplace, *arguments, "--show-card", "--namespace", "x").stdout
    (workplace / "hubtweets.toml").write_text(
        'tag = "v1"\nprompt = ["I", "We"]\nprivate = true\nconsent = "own"\n'
    )
    refused = command(
        workplace, *arguments, HUBTWEETS_LICENSE="gpl-3.0", HUBTWEETS_PROMPT="me@private.example"
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[1:] == [
        "Error: 3 problems found:",
        (
            "- --license gpl-3.0: one-layer is under mit, and so are models made from it; "
            "leave out --license"
        ),
        "- --prompt: contains an e-mail address; take it out",
        refused.stderr.splitlines()[-1],
    ]
    assert refused.stderr.splitlines()[-1].startswith(
        f"- {ADDRESS}/huggingtweets/lyons____ is public already; make it private in its settings"
    )
    assert files() == before
