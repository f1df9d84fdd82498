"""The push, against the embedded Hub."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import HfApi, get_session

from hubtweets.card import model_card
from hubtweets.errors import HubtweetsError
from hubtweets.publishing import push as publisher
from hubtweets.publishing import retry
from hubtweets.publishing.connection import Hub, choose_target
from hubtweets.publishing.push import PushOptions
from hubtweets.record.run_record import Metrics, Published, RunRecord, Target
from hubtweets.record.serialization import dumps_public
from tests.faults import Quirky
from tests.records import RECORD
from tests.served import Served

REPO = "huggingtweets/bot"
FILES = ("README.md", "config.json", "hubtweets.json", "model.safetensors")


@pytest.fixture
def connected(hub: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=lambda _: None))
    return Hub(HfApi(endpoint=hub[0], token=hub[1]), hub[0])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, content in (("model.safetensors", b"\0" * 5000), ("config.json", b"{}")):
        (folder / name).write_bytes(content)
    render(folder, "# hello\n")
    return folder


def render(folder: Path, text: str) -> None:
    """Write a card and the record that has it, as the stage does."""
    (folder / "README.md").write_text(text)
    (folder / "hubtweets.json").write_text(json.dumps({"card": text}))


def push(
    hub: Hub,
    repo: Path,
    said: list[str] | None = None,
    last: Published | None = None,
    **options: object,
) -> Published:
    said = [] if said is None else said
    push_options = PushOptions(**options)  # type: ignore[arg-type]
    return publisher.push(hub, Target(hub.endpoint, REPO), repo, push_options, said.append, last)


def titles(hub: Hub, revision: str | None = None) -> list[str]:
    return [commit.title for commit in hub.api.list_repo_commits(REPO, revision=revision)]


def tags(hub: Hub) -> dict[str, str]:
    return {tag.name: tag.target_commit for tag in hub.api.list_repo_refs(REPO).tags}


def content(hub: Hub, name: str = "README.md", revision: str = "main") -> str:
    return (
        get_session()
        .get(f"{hub.endpoint}/{REPO}/resolve/{revision.replace('/', '%2F')}/{name}")
        .text
    )


def edit(hub: Hub, text: str, revision: str | None = None) -> None:
    hub.api.upload_file(
        path_or_fileobj=text.encode(), path_in_repo="README.md", repo_id=REPO, revision=revision
    )


def test_one_commit_and_a_tag(connected: Hub, repo: Path) -> None:
    said: list[str] = []
    published = push(connected, repo, said)
    assert titles(connected) == ["Publish @bot", "initial commit"]
    first = connected.api.list_repo_commits(REPO)[1].commit_id
    assert published == Published(connected.endpoint, REPO, published.commit, first, "v1", FILES)
    assert tags(connected) == {"v1": published.commit}
    assert set(connected.api.list_repo_files(REPO)) == {".gitattributes", *FILES}
    assert said == [f"push: 4 of 4 files, 5.0 KB, to {connected.endpoint}/{REPO}"]


def test_the_same_again_changes_nothing(connected: Hub, repo: Path) -> None:
    said: list[str] = []
    first = push(connected, repo)
    assert push(connected, repo, said, first) == first
    assert len(titles(connected)) == 2
    assert said == [f"push: all 4 files are at {connected.endpoint}/{REPO} already"]


def test_only_what_changed_goes_up_and_what_others_added_stays(connected: Hub, repo: Path) -> None:
    push(connected, repo)
    connected.api.upload_file(path_or_fileobj=b"mine", path_in_repo="NOTES.md", repo_id=REPO)
    render(repo, "# hello again\n")
    said: list[str] = []
    assert push(connected, repo, said).tag == "v2"
    assert said == [f"push: 2 of 4 files, 41 bytes, to {connected.endpoint}/{REPO}"]
    assert "NOTES.md" in connected.api.list_repo_files(REPO)


def test_what_a_push_put_there_goes_when_the_folder_drops_it(connected: Hub, repo: Path) -> None:
    first = push(connected, repo)
    (repo / "config.json").unlink()
    push(connected, repo, last=replace(first, endpoint="https://huggingface.co"))
    assert "config.json" in connected.api.list_repo_files(
        REPO
    )  # that Hub's files are not this one's
    proposed = push(connected, repo, last=first, create_pr=True)
    assert "config.json" in connected.api.list_repo_files(
        REPO
    ) and "config.json" not in connected.api.list_repo_files(REPO, revision="refs/pr/1")
    push(connected, repo, last=proposed)
    assert set(connected.api.list_repo_files(REPO)) == {".gitattributes", *FILES} - {"config.json"}


def test_who_may_see_a_repo_is_not_changed_by_a_push(connected: Hub, repo: Path) -> None:
    push(connected, repo)
    public = r"is public already; make it private in its settings, or pass --public$"
    with pytest.raises(HubtweetsError, match=public):
        choose_target(connected, "bot", None, private=True)
    with pytest.raises(HubtweetsError, match=public):
        push(connected, repo, private=True)
    connected.api.update_repo_settings(REPO, private=True)
    assert len(titles(connected)) == 2 and push(connected, repo).tag == "v1"
    with pytest.raises(
        HubtweetsError, match=r"is private; make it public in its settings, or leave --public out$"
    ):
        push(connected, repo, private=False)
    assert choose_target(connected, "new", None, private=True).repo_id == "huggingtweets/new"


def test_a_new_repo_is_private_and_gated_before_anything_is_in_it(
    connected: Hub, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def commit(*arguments: object, **more: object) -> None:
        info = connected.api.model_info(REPO)
        seen.append((info.private, info.gated))
        raise ValueError("no")

    monkeypatch.setattr(connected.api, "create_commit", commit)
    with pytest.raises(HubtweetsError):
        push(connected, repo, private=True, gated="manual")
    assert seen == [(True, "manual")]


def test_message_tag_and_branch(connected: Hub, repo: Path) -> None:
    push(connected, repo)
    render(repo, "# hello again\n")
    published = push(
        connected,
        repo,
        commit_message="Second try\n\nWith more posts.",
        tag="second",
        revision="dev",
    )
    made = connected.api.list_repo_commits(REPO, revision="dev")[0]
    assert (made.title, made.message, made.commit_id) == (
        "Second try",
        "With more posts.",
        published.commit,
    )
    assert (
        titles(connected) == ["Publish @bot", "initial commit"]
        and content(connected, revision="dev") == "# hello again\n"
    )
    assert push(connected, repo, tag="second", revision="dev", last=published) == published
    assert push(connected, repo, revision="dev", last=published) == published
    assert tags(connected) == {"v1": published.parent, "second": published.commit}


def test_a_tag_that_is_taken_stops_before_anything_is_sent(connected: Hub, repo: Path) -> None:
    push(connected, repo, tag="mine")
    render(repo, "# hello again\n")
    with pytest.raises(
        HubtweetsError,
        match=r"/huggingtweets/bot has a tag mine on another commit; "
        r"choose another --tag, or leave it out$",
    ):
        push(connected, repo, tag="mine")
    assert len(titles(connected)) == 2


def test_a_tag_that_a_cut_push_left_out_is_made_up_for(connected: Hub, repo: Path) -> None:
    first = push(connected, repo)
    connected.api.delete_tag(REPO, tag="v1")
    assert push(connected, repo) == replace(first, parent=first.commit)


def test_an_edit_alone_needs_no_new_version(connected: Hub, repo: Path) -> None:
    first = push(connected, repo)
    edit(connected, "# hello\n\nMine.\n")
    assert push(connected, repo, last=first) == first
    assert content(connected) == "# hello\n\nMine.\n" and tags(connected) == {"v1": first.commit}


def test_a_push_in_between_is_merged(
    connected: Hub, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(connected, repo)
    render(repo, "# hello again\n")
    real = connected.api.create_commit
    said: list[str] = []

    def commit_after_another(*arguments: object, **more: object) -> object:
        monkeypatch.setattr(connected.api, "create_commit", real)
        edit(connected, "# hello\n\nMine.\n")
        return real(*arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(connected.api, "create_commit", commit_after_another)
    assert push(connected, repo, said).tag == "v2"
    assert content(connected) == "# hello again\n\nMine.\n"
    assert titles(connected) == [
        "Publish @bot",
        "Upload README.md with huggingface_hub",
        "Publish @bot",
        "initial commit",
    ]
    assert [line.partition("; trying again in ")[2] for line in said] == [
        "",
        "1 s",
        "",
    ]


def test_who_is_always_late_gives_up_with_one_line(
    connected: Hub, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(connected, repo)
    (repo / "config.json").write_text("{ }")
    said: list[str] = []
    real = connected.api.create_commit

    def commit_after_another(*arguments: object, **more: object) -> object:
        monkeypatch.setattr(connected.api, "create_commit", real)
        edit(connected, f"# hello\n\n{len(said)}.\n")
        monkeypatch.setattr(connected.api, "create_commit", commit_after_another)
        return real(*arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(connected.api, "create_commit", commit_after_another)
    with pytest.raises(
        HubtweetsError,
        match=r"refused \(412: .*\); another push came first; run the command again$",
    ):
        push(connected, repo, said)
    assert [
        line.rpartition("; trying again in ")[2] for line in said if "trying again in" in line
    ] == [
        "1 s",
        "2 s",
        "4 s",
        "8 s",
        "8 s",
    ]
    assert content(connected, "config.json") == "{}" and list(tags(connected)) == ["v1"]


def test_an_edit_that_was_rendered_anew_becomes_one_pull_request(
    connected: Hub, repo: Path
) -> None:
    first = push(connected, repo)
    edit(connected, "# mine\n")
    render(repo, "# hello again\n")
    said: list[str] = []
    published = push(connected, repo, said, first)
    url = f"{connected.endpoint}/{REPO}"
    assert published == replace(
        first,
        commit=published.commit,
        parent=published.parent,
        tag=None,
        pull_request=f"{url}/discussions/1",
    )
    assert said == [
        ('README.md: a rendered part was edited: line 1: on the Hub "# mine", new "# hello again"'),
        f"push: 2 of 4 files, 41 bytes, to {url} as refs/pr/1",
    ]
    assert (content(connected), content(connected, revision="refs/pr/1")) == (
        "# mine\n",
        "# hello again\n",
    )
    opened = connected.api.get_discussion_details(REPO, 1)
    assert (opened.title, opened.status, opened.conflicting_files) == ("Publish @bot", "open", [])
    assert push(connected, repo, last=published) == replace(published, parent=published.commit)
    assert titles(connected, "refs/pr/1").count("Publish @bot") == 2 and tags(connected) == {
        "v1": first.commit
    }
    connected.api.merge_pull_request(REPO, 1)
    merged = push(connected, repo, last=published)
    assert (merged.tag, merged.pull_request) == ("v2", None) and len(
        list(connected.api.get_repo_discussions(REPO))
    ) == 1


def test_an_edit_in_the_way_on_a_branch_stops_the_push(connected: Hub, repo: Path) -> None:
    push(connected, repo, revision="dev")
    edit(connected, "# mine\n", "dev")
    render(repo, "# hello again\n")
    with pytest.raises(
        HubtweetsError,
        match=r"edits of README\.md on dev conflict with this push \(see above\); "
        r"undo them, or push to a new branch: --revision NAME$",
    ):
        push(connected, repo, revision="dev")
    assert content(connected, revision="dev") == "# mine\n" and not list(
        connected.api.get_repo_discussions(REPO)
    )


@pytest.mark.parametrize("is_known", [True, False])
def test_an_edit_in_the_way_on_a_hub_without_pull_requests(
    connected: Hub, served: Served, repo: Path, is_known: bool
) -> None:
    assert served.app
    served.app = Quirky(served.app, "no discussions")
    first = push(connected, repo)
    render(repo, "# hello again\n")
    url = f"{connected.endpoint}/{REPO}"
    with pytest.raises(HubtweetsError) as caught:
        push(connected, repo, create_pr=True)
    assert str(caught.value) == (
        f"{url}: this Hub has no pull requests; push to a new branch: --revision NAME"
    )
    edit(connected, "# mine\n")
    last = first if is_known else None
    with pytest.raises(HubtweetsError) as caught:
        push(connected, repo, last=last)
    assert str(caught.value) == (
        f"{url}: edits of README.md conflict with this push (see above), "
        "and this Hub has no pull requests; undo them, or push to a new branch: --revision NAME"
    )
    published = push(connected, repo, last=last, revision="dev")
    assert (published.parent, published.tag) == (first.commit, "v2")
    assert titles(connected, "dev") == ["Publish @bot"] * 2 + ["initial commit"]
    assert content(connected, revision="dev") == "# hello again\n"
    assert content(connected) == "# mine\n"
    assert push(connected, repo, last=published, revision="dev") == published


def test_a_pull_request_is_used_again_until_it_is_closed(connected: Hub, repo: Path) -> None:
    assert (
        push(connected, repo, create_pr=True).pull_request
        == f"{connected.endpoint}/{REPO}/discussions/1"
    )
    (repo / "config.json").write_text("{ }")
    second = push(connected, repo, create_pr=True)
    assert second.pull_request == f"{connected.endpoint}/{REPO}/discussions/1"
    (repo / "extra.txt").write_text("x")
    third = push(connected, repo, create_pr=True, last=second)
    (repo / "extra.txt").unlink()
    push(connected, repo, create_pr=True, last=third)
    assert set(connected.api.list_repo_files(REPO, revision="refs/pr/1")) == {
        ".gitattributes",
        *FILES,
    }
    assert titles(connected) == ["initial commit"] and titles(connected, "refs/pr/1") == [
        "Publish @bot"
    ] * 4 + ["initial commit"]
    connected.api.change_discussion_status(REPO, 1, "closed")
    assert (
        push(connected, repo, create_pr=True, commit_message=" \n").pull_request
        == f"{connected.endpoint}/{REPO}/discussions/2"
    )
    for _ in range(2):
        assert (
            push(connected, repo, create_pr=True, commit_message="Mine \r\n\nas well").pull_request
            == f"{connected.endpoint}/{REPO}/discussions/3"
        )
    words = "as well\n\nMade by hubtweets."
    opened = connected.api.get_discussion_details(REPO, 3)
    made = connected.api.list_repo_commits(REPO, revision="refs/pr/3")[0]
    assert [opened.events[0].content, made.message] == [words, "as well"]  # type: ignore[attr-defined]
    connected.api.merge_pull_request(REPO, 2)
    said: list[str] = []
    assert (
        push(connected, repo, said, create_pr=True).pull_request is None and tags(connected) == {}
    )
    assert said == [f"push: all 4 files are at {connected.endpoint}/{REPO} already"]
    with pytest.raises(
        HubtweetsError,
        match=r"^--revision dev: a pull request is made to main; "
        r"leave --create-pr or --revision out$",
    ):
        push(connected, repo, create_pr=True, revision="dev")


CORRUPT = ("", "{", "[]", '{"card": 7}', "{}", "[" * 100_000, "\udcff")


@pytest.mark.parametrize("record", CORRUPT, ids=range(len(CORRUPT)))
def test_a_corrupt_record_on_the_hub_makes_a_pull_request(
    connected: Hub, repo: Path, record: str
) -> None:
    push(connected, repo)
    corrupt = record.encode(errors="surrogateescape")
    connected.api.upload_file(path_or_fileobj=corrupt, path_in_repo="hubtweets.json", repo_id=REPO)
    assert push(connected, repo).pull_request is None  # the card on the Hub is the new one
    connected.api.upload_file(path_or_fileobj=corrupt, path_in_repo="hubtweets.json", repo_id=REPO)
    render(repo, "# hello again\n")
    assert push(connected, repo).pull_request
    assert content(connected) == "# hello\n"


def test_a_bad_card_leaves_the_repo_as_it_was(connected: Hub, repo: Path) -> None:
    push(connected, repo)
    render(repo, "---\nlicense: [\n---\n# hello\n")
    with pytest.raises(HubtweetsError, match=r"Invalid metadata in README\.md"):
        push(connected, repo)
    assert len(titles(connected)) == 2


def bot(folder: Path, score: float) -> None:
    """Write a bot's card with a score, as it is rendered of a record."""
    assert RECORD.metrics
    record: RunRecord = replace(
        RECORD,
        metrics=Metrics(RECORD.metrics.base, replace(RECORD.metrics.tuned, bits_per_byte=score)),
    )
    text = model_card.render(record)
    (folder / "README.md").write_text(text)
    (folder / "hubtweets.json").write_text(dumps_public(record, text))


def test_what_the_owner_wrote_outlives_a_publish(connected: Hub, repo: Path) -> None:
    bot(repo, 1.25)
    push(connected, repo)
    words = "\nMy bot, my words.\n\n## "
    edited = (
        content(connected)
        .replace("\ntags:\n", "\nextra_gated_heading: mine\ntags:\n- mine\n")
        .replace("\n## ", words, 1)
    )
    edit(connected, edited)
    bot(repo, 1.125)
    assert push(connected, repo).tag == "v2"
    new = content(connected)
    metadata, _, body = new[4:].partition("\n---\n")
    rendered = (repo / "README.md").read_text()
    assert (
        "1.125" in rendered
        and "1.125" in metadata
        and body == rendered[4:].partition("\n---\n")[2].replace("\n## ", words, 1)
    )
    assert "\nextra_gated_heading: mine\ntags:\n- mine\n- huggingtweets\n" in metadata
    assert titles(connected) == [
        "Publish @bot",
        "Upload README.md with huggingface_hub",
        "Publish @bot",
        "initial commit",
    ]
    assert push(connected, repo).pull_request is None and content(connected) == new
    edit(connected, new.replace("1.125", "0.001"))
    bot(repo, 1.0625)
    said: list[str] = []
    first, again = push(connected, repo, said), push(connected, repo)
    assert first.pull_request == again.pull_request and first.commit == again.commit
    assert "0.001" in content(connected) and words in content(connected, revision="refs/pr/1")
    assert any(
        line.startswith(
            "README.md: a rendered part was edited: metadata 'model-index': on the Hub "
        )
        for line in said
    )


def test_a_hub_that_is_down_gets_one_line(repo: Path) -> None:
    down = Hub(HfApi(endpoint="http://127.0.0.1:9", token="hf_x"), "http://127.0.0.1:9")
    with pytest.raises(HubtweetsError) as caught:
        choose_target(down, "bot", None)
    assert str(caught.value) == (
        "http://127.0.0.1:9 does not answer ([Errno 111] Connection refused); "
        "run the command again, or try --hub local"
    )


def test_a_wrong_token_gets_one_line_that_does_not_show_it(hub: tuple[str, str]) -> None:
    wrong = Hub(HfApi(endpoint=hub[0], token="hf_wrong"), hub[0])
    with pytest.raises(HubtweetsError) as caught:
        choose_target(wrong, "bot", None)
    assert str(caught.value) == (
        f"{hub[0]} refused (401: Invalid user token); "
        f"log in with a token that is valid there: HF_ENDPOINT={hub[0]} hf auth login"
    )


def test_target() -> None:
    target = Target("https://huggingface.co", "a/b")
    assert (target.url, target.file_url("x.png")) == (
        "https://huggingface.co/a/b",
        "https://huggingface.co/a/b/resolve/main/x.png",
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"create_pr": True, "tag": "v9"},
            "--tag v9: a pull request has no tag; leave --create-pr or --tag out",
        ),
        (
            {"create_pr": True, "revision": "dev"},
            "--revision dev: a pull request is made to main; leave --create-pr or --revision out",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything(
    given: dict[str, object], expected: str
) -> None:
    with pytest.raises(HubtweetsError) as caught:
        PushOptions(**given)  # type: ignore[arg-type]
    assert str(caught.value) == expected
