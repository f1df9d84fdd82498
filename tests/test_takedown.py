"""A bot off the Hub: the embedded one, with the real client."""

import os
import pty
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError

from hubtweets.errors import HubtweetsError
from hubtweets.publishing.connection import Hub
from hubtweets.publishing.takedown import take_down
from hubtweets.record import serialization
from hubtweets.record.run_record import SCHEMA_VERSION, Target, Tracked
from tests.conftest import HUBTWEETS, environment, run
from tests.faults import Quirky
from tests.records import RECORD
from tests.served import Served

BOT = "huggingtweets/bot"
OURS = serialization.dumps_public(
    replace(RECORD, target=Target("https://hub.example", BOT)), "# card"
).encode()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the client's in which nothing is."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def stand(hub: tuple[str, str], cache: Path) -> Hub:
    """A Hub with a bot and its dataset, a model made from the bot, and an unrelated model."""
    api = HfApi(endpoint=hub[0], token=hub[1])
    for name, kind, path, content in (
        ("bot", "model", "hubtweets.json", OURS),
        ("bot", "dataset", "hubtweets.json", OURS),
        ("child", "model", "README.md", b"---\nbase_model: huggingtweets/bot\n---\n"),
        ("stranger", "model", "README.md", b"---\nlicense: mit\n---\n"),
    ):
        api.create_repo(f"huggingtweets/{name}", repo_type=kind)
        api.upload_file(
            path_or_fileobj=content,
            path_in_repo=path,
            repo_id=f"huggingtweets/{name}",
            repo_type=kind,
        )
    return Hub(api, hub[0])


def there(hub: Hub, repo_id: str = BOT) -> dict[str, bool | None]:
    """Return which kinds of a repo there are, and whether each is private."""
    api = hub.api
    return {
        kind: api.repo_info(repo_id, repo_type=kind).private
        for kind in ("model", "dataset")
        if api.repo_exists(repo_id, repo_type=kind)
    }


REMAINS = [
    "what may remain, and is for others or for you to remove:",
    "- models made from it: huggingtweets/child",
    "- Spaces that use it: none",
    "- collections with it: none",
    (
        "- duplicates of the repo and models trained from it under other accounts, "
        "and copies in the caches of those who downloaded it"
    ),
    "- a DOI: the Hub does not delete, hide or rename a repo that has one; ask the Hub's support",
    "- search engines and web archives",
]


def test_it_asks_first_and_names_what_goes(stand: Hub, tmp_path: Path) -> None:
    asked: list[str] = []

    def decline(question: str) -> bool:
        asked.append(question)
        return False

    assert list(take_down(stand, BOT, False, tmp_path, decline)) == ["nothing was changed"]
    counted = "public; commits: 2, files: 2"
    at = stand.endpoint
    assert asked == [
        (
            f"{at}/{BOT} ({counted}) and its dataset {at}/datasets/{BOT} ({counted}) will be "
            "deleted for good"
        )
    ]
    assert there(stand) == {"model": False, "dataset": False}


def test_deleted_with_its_dataset(stand: Hub, tmp_path: Path) -> None:
    done = list(take_down(stand, BOT, False, tmp_path, lambda question: True))
    assert done == [
        f"deleted: {stand.endpoint}/{BOT}",
        f"deleted: {stand.endpoint}/datasets/{BOT}",
        *REMAINS,
    ]
    assert there(stand) == {} and there(stand, "huggingtweets/child") == {"model": False}
    with pytest.raises(
        HubtweetsError,
        match=r"^http://.+/huggingtweets/bot: not found, or not visible to this token; "
        r"list your repos: HF_ENDPOINT=http://127\.0\.0\.1:\d+ hf repos ls$",
    ):
        next(take_down(stand, BOT, False, tmp_path, lambda question: True))


def test_a_hub_that_ignores_the_filter_names_no_stranger(
    stand: Hub, served: Served, tmp_path: Path
) -> None:
    assert served.app
    served.app = Quirky(served.app, "ignored filter")
    assert len(list(stand.api.list_models(filter=f"base_model:{BOT}"))) == 3
    done = list(take_down(stand, BOT, False, tmp_path, lambda question: True))
    assert done[2:] == REMAINS


def test_hidden_with_its_dataset(stand: Hub, tmp_path: Path) -> None:
    done = list(
        take_down(stand, BOT, True, tmp_path, lambda question: "will be private" in question)
    )
    assert done[:2] == [
        f"private: {stand.endpoint}/{BOT}",
        f"private: {stand.endpoint}/datasets/{BOT}",
    ]
    assert done[2:] == [
        *REMAINS,
        "- the repo itself, which you and those with access still see",
    ]
    assert there(stand) == {"model": True, "dataset": True}


def test_what_is_left_on_this_machine_is_named(stand: Hub, tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "runs" / "bot"
    stand.api.hf_hub_download(BOT, "hubtweets.json", cache_dir=cache)
    folder.mkdir(parents=True)
    serialization.write_record(
        replace(RECORD, tracked=(Tracked("wandb", "train", "https://wandb.ai/me/bot/runs/1"),)),
        folder / "run.json",
    )
    embedded = Hub(stand.api, "http://127.0.0.1:8086")
    done = list(take_down(embedded, BOT, False, tmp_path / "runs", lambda question: True))
    assert [line for line in done if line.startswith("- ") and line not in REMAINS] == [
        (
            f"- this machine's cache, {cache}/models--huggingtweets--bot; "
            "type: hf cache rm model/huggingtweets/bot"
        ),
        f"- the run folder with the posts, {folder}; type: rm -r {folder}",
        "- a run in wandb: https://wandb.ai/me/bot/runs/1",
        "- the files in the embedded Hub's folder; type: hubtweets hub --gc",
    ]


def test_what_hubtweets_did_not_make_is_left_alone(stand: Hub, tmp_path: Path) -> None:
    said = (
        r"so hubtweets did not make it; "
        r"to delete it anyway, type: HF_ENDPOINT=http://[\d.:]+ "
        r"hf repos delete huggingtweets/stranger --type model$"
    )
    with pytest.raises(HubtweetsError, match=said):
        next(take_down(stand, "huggingtweets/stranger", False, tmp_path, lambda question: True))
    stand.api.move_repo(BOT, "huggingtweets/renamed")
    with pytest.raises(
        HubtweetsError,
        match=r"/huggingtweets/bot was renamed; type: hubtweets takedown huggingtweets/renamed$",
    ):
        next(take_down(stand, BOT, False, tmp_path, lambda question: True))


def put(hub: Hub, kind: str, content: bytes | None) -> None:
    """Put a record into the bot's repo of a kind, or take it out."""
    if content is None:
        hub.api.delete_file("hubtweets.json", BOT, repo_type=kind)
    else:
        hub.api.upload_file(
            path_or_fileobj=content, path_in_repo="hubtweets.json", repo_id=BOT, repo_type=kind
        )


NOT_OURS = {
    "no record": (None, " has no hubtweets.json, so hubtweets did not make it"),
    "only the name of a record": (
        b"{}",
        (
            ": hubtweets.json: not a record of hubtweets (no object with a card); "
            "ask who published it to publish it again"
        ),
    ),
    "no text": (b"\xff\xfe\x00", ": hubtweets.json is not a record of hubtweets"),
    "the record of another repo": (
        OURS.replace(BOT.encode(), b"huggingtweets/child"),
        (
            ": hubtweets.json is the record of huggingtweets/child, so this repo is a copy, "
            "or was renamed"
        ),
    ),
    "a record of no repo": (
        serialization.dumps_public(replace(RECORD, target=None), "# card").encode(),
        ": hubtweets.json is the record of no repo, so this repo is a copy, or was renamed",
    ),
    "another schema": (
        OURS.replace(b'"schema_version": %d' % SCHEMA_VERSION, b'"schema_version": 99'),
        (
            ": hubtweets.json: schema 99, of another version of hubtweets; "
            "type: pip install hubtweets==0.1.0"
        ),
    ),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_a_repo_without_a_record_that_names_it_is_not_touched(
    stand: Hub, tmp_path: Path, name: str
) -> None:
    content, doubt = NOT_OURS[name]
    put(stand, "dataset", content)
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    done = list(take_down(stand, BOT, False, tmp_path, agree))
    assert asked == [
        f"{stand.endpoint}/{BOT} (public; commits: 2, files: 2) will be deleted for good"
    ]
    assert done == [
        f"deleted: {stand.endpoint}/{BOT}",
        f"left alone: {stand.endpoint}/datasets/{BOT}{doubt}",
        *REMAINS,
    ]
    assert there(stand) == {"dataset": False}
    with pytest.raises(HubtweetsError) as error:
        list(take_down(stand, BOT, False, tmp_path, lambda question: True))
    assert str(error.value) == (
        f"{stand.endpoint}/datasets/{BOT}{doubt}; "
        f"to delete it anyway, type: HF_ENDPOINT={stand.endpoint} "
        f"hf repos delete {BOT} --type dataset"
    )
    assert there(stand) == {"dataset": False}


@pytest.mark.parametrize("hide", [False, True])
def test_a_repo_that_changes_after_the_question_is_not_touched(
    stand: Hub, tmp_path: Path, hide: bool
) -> None:
    def replace_dataset(question: str) -> bool:
        stand.api.delete_repo(BOT, repo_type="dataset")
        stand.api.create_repo(BOT, repo_type="dataset")
        return True

    taking = take_down(stand, BOT, hide, tmp_path, replace_dataset)
    assert next(taking) == f"{'private' if hide else 'deleted'}: {stand.endpoint}/{BOT}"
    with pytest.raises(
        HubtweetsError,
        match=r"/datasets/huggingtweets/bot was changed after you were asked; "
        r".+ run the command again$",
    ):
        next(taking)
    assert there(stand)["dataset"] is False


def test_a_repo_that_is_gone_after_the_question_is_done(stand: Hub, tmp_path: Path) -> None:
    done = list(
        take_down(stand, BOT, False, tmp_path, lambda question: not stand.api.delete_repo(BOT))
    )
    assert done == [
        f"deleted: {stand.endpoint}/{BOT}",
        f"deleted: {stand.endpoint}/datasets/{BOT}",
        *REMAINS,
    ]


@pytest.mark.parametrize("hide", [False, True])
def test_a_lost_reply_is_settled(
    stand: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hide: bool
) -> None:
    """The client does what it is told and then hears 504, as from a proxy in between."""

    def losing(call: Callable[..., None]) -> Callable[..., None]:
        def lose(*arguments: object, **more: object) -> None:
            call(*arguments, **more)
            stand.api.create_repo(
                "huggingtweets/child"
            )  # any refusal that the client makes an error of

        return lose

    for name in ("delete_repo", "update_repo_settings"):
        monkeypatch.setattr(stand.api, name, losing(getattr(stand.api, name)))
    with pytest.raises(HfHubHTTPError):
        stand.api.create_repo("huggingtweets/child")
    done = list(take_down(stand, BOT, hide, tmp_path, lambda question: True))
    assert [line.partition(":")[0] for line in done[:2]] == ["private" if hide else "deleted"] * 2
    assert there(stand) == ({"model": True, "dataset": True} if hide else {})


def test_a_token_that_may_not_gets_one_line(stand: Hub, tmp_path: Path) -> None:
    anonymous = Hub(HfApi(endpoint=stand.endpoint, token=False), stand.endpoint)
    with pytest.raises(HubtweetsError, match=r"^http://.+ refused \(40[13]: .+\); .+$"):
        list(take_down(anonymous, BOT, False, tmp_path, lambda question: True))
    assert there(stand) == {"model": False, "dataset": False}


def test_no_terminal_no_takedown(workplace: Path) -> None:
    command = ["takedown", "huggingtweets/lyons____", "--hub", "local"]
    done = run(workplace, *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "Error: http://127.0.0.1:8086/huggingtweets/lyons____ (public; commits: 2, files: "
    )
    assert done.stderr.endswith(
        ") will be deleted for good; type the command again with --yes to delete it\n"
    )
    for typed, line in (
        ("y", "nothing was changed\n"),
        ("huggingtweets/lyons____", "deleted: http://127.0.0.1:8086/huggingtweets/lyons____\n"),
    ):
        ours, theirs = pty.openpty()
        os.write(ours, f"{typed}\n".encode())
        with os.fdopen(theirs, "rb") as terminal:
            asked = subprocess.run(
                [HUBTWEETS, *command],
                cwd=workplace,
                env=environment(workplace),
                stdin=terminal,
                capture_output=True,
                text=True,
            )
        os.close(ours)
        assert asked.stderr.endswith(
            " will be deleted for good. Type huggingtweets/lyons____ to delete it: "
        )
        assert asked.stdout.startswith(line)
    assert (
        "- the run folder with the posts, runs/lyons____; type: rm -r runs/lyons____\n"
        in asked.stdout
    )
    again = run(workplace, *command, "--yes")
    assert again.stderr == (
        "Error: http://127.0.0.1:8086/huggingtweets/lyons____: "
        "not found, or not visible to this token; "
        "list your repos: HF_ENDPOINT=http://127.0.0.1:8086 hf repos ls\n"
    )
    assert run(workplace, "verify", "huggingtweets/lyons____", "--hub", "local").stderr.endswith(
        "/huggingtweets/lyons____: not found, or not visible to this token; "
        "log in: HF_ENDPOINT=http://127.0.0.1:8086 hf auth login\n"
    )


def test_a_collection_with_it_is_named(stand: Hub, tmp_path: Path) -> None:
    slug = stand.api.create_collection("Mine").slug
    stand.api.add_collection_item(slug, BOT, "model")
    done = take_down(stand, BOT, True, tmp_path, lambda question: True)
    assert f"- collections with it: {slug}" in list(done)
