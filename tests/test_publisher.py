"""The push, against the embedded Hub."""

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from hubtweets import publisher
from hubtweets.errors import HubtweetsError
from hubtweets.publisher import Hub, Wishes
from hubtweets.record import Published, Target


@pytest.fixture
def connected(hub: tuple[str, str]) -> Hub:
    return Hub(HfApi(endpoint=hub[0], token=hub[1]), hub[0])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, content in (("README.md", b"# hello"), ("model.safetensors", b"\0" * 5000), ("config.json", b"{}")):
        (folder / name).write_bytes(content)
    return folder


FILES = ("README.md", "config.json", "model.safetensors")


def push(hub: Hub, repo: Path, said: list[str]) -> Published:
    return publisher.push(hub, publisher.choose_target(hub, "bot", None), repo, Wishes(), said.append)


def test_one_commit_and_a_tag(connected: Hub, repo: Path) -> None:
    said: list[str] = []
    published = push(connected, repo, said)
    api, repo_id = connected.api, "huggingtweets/bot"
    assert [commit.title for commit in api.list_repo_commits(repo_id)] == ["Publish @bot", "initial commit"]
    assert published == Published(connected.endpoint, repo_id, published.commit, api.list_repo_commits(repo_id)[1].commit_id, "v1", FILES)
    assert {tag.name: tag.target_commit for tag in api.list_repo_refs(repo_id).tags} == {"v1": published.commit}
    assert set(api.list_repo_files(repo_id)) == {".gitattributes", "README.md", "model.safetensors", "config.json"}
    assert said == [f"push: 3 of 3 files, 0.0 MiB, to {connected.endpoint}/{repo_id}"]


def test_the_same_again_changes_nothing(connected: Hub, repo: Path) -> None:
    said: list[str] = []
    first = push(connected, repo, [])
    second = publisher.push(connected, Target(connected.endpoint, "huggingtweets/bot"), repo, Wishes(), said.append, first)
    assert second == first
    assert len(connected.api.list_repo_commits("huggingtweets/bot")) == 2
    assert said == [f"push: {connected.endpoint}/huggingtweets/bot has all 3 files already, nothing to commit"]


def test_only_what_changed_goes_up_and_what_others_added_stays(connected: Hub, repo: Path) -> None:
    push(connected, repo, [])
    connected.api.upload_file(path_or_fileobj=b"mine", path_in_repo="NOTES.md", repo_id="huggingtweets/bot")
    (repo / "README.md").write_text("# hello again")
    said: list[str] = []
    assert push(connected, repo, said).tag == "v2"
    assert said == [f"push: 1 of 3 files, 0.0 MiB, to {connected.endpoint}/huggingtweets/bot"]
    assert "NOTES.md" in connected.api.list_repo_files("huggingtweets/bot")


def test_what_a_push_put_there_goes_when_the_folder_drops_it(connected: Hub, repo: Path) -> None:
    first = push(connected, repo, [])
    (repo / "config.json").unlink()
    target = Target(connected.endpoint, "huggingtweets/bot")
    elsewhere = replace(first, endpoint="https://huggingface.co")
    publisher.push(connected, target, repo, Wishes(), print, elsewhere)
    assert "config.json" in connected.api.list_repo_files("huggingtweets/bot")  # that Hub's files are not this one's
    publisher.push(connected, target, repo, Wishes(), print, first)
    assert set(connected.api.list_repo_files("huggingtweets/bot")) == {".gitattributes", "README.md", "model.safetensors"}


def test_a_public_repo_does_not_turn_private_unsaid(connected: Hub, repo: Path) -> None:
    push(connected, repo, [])
    with pytest.raises(HubtweetsError, match=r"is public already; make it private in its settings, or leave --private out$"):
        publisher.choose_target(connected, "bot", None, private=True)
    assert publisher.choose_target(connected, "new", None, private=True).repo_id == "huggingtweets/new"


def test_a_tag_that_a_cut_push_left_out_is_made_up_for(connected: Hub, repo: Path) -> None:
    first = push(connected, repo, [])
    connected.api.delete_tag("huggingtweets/bot", tag="v1")
    assert push(connected, repo, []) == replace(first, parent=first.commit)


def test_a_push_in_between_is_refused(connected: Hub, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    push(connected, repo, [])
    (repo / "README.md").write_text("# mine")
    real = connected.api.list_repo_tree

    def list_while_somebody_pushes(*arguments: object, **more: object) -> object:
        found = list(real(*arguments, **more))  # type: ignore[arg-type]
        connected.api.upload_file(path_or_fileobj=b"# theirs", path_in_repo="README.md", repo_id="huggingtweets/bot")
        return found

    monkeypatch.setattr(connected.api, "list_repo_tree", list_while_somebody_pushes)
    with pytest.raises(HubtweetsError, match=r"refused \(412: .*somebody pushed in between\); somebody pushed meanwhile; type the command again$"):
        push(connected, repo, [])
    path = connected.api.hf_hub_download("huggingtweets/bot", "README.md", cache_dir=repo.parent / "cache")
    assert Path(path).read_text() == "# theirs"


def test_a_bad_card_leaves_the_repo_as_it_was(connected: Hub, repo: Path) -> None:
    push(connected, repo, [])
    (repo / "README.md").write_text("---\na: [\n---\n")
    with pytest.raises(HubtweetsError, match=r"Invalid metadata in README\.md"):
        push(connected, repo, [])
    assert len(connected.api.list_repo_commits("huggingtweets/bot")) == 2


def test_a_hub_that_is_down_gets_one_line(repo: Path) -> None:
    down = Hub(HfApi(endpoint="http://127.0.0.1:9", token="hf_x"), "http://127.0.0.1:9")
    with pytest.raises(HubtweetsError) as caught:
        publisher.choose_target(down, "bot", None)
    assert str(caught.value) == "http://127.0.0.1:9 does not answer ([Errno 111] Connection refused); type the command again, or try --hub local"


def test_a_wrong_token_gets_one_line_that_does_not_show_it(hub: tuple[str, str]) -> None:
    wrong = Hub(HfApi(endpoint=hub[0], token="hf_wrong"), hub[0])
    with pytest.raises(HubtweetsError) as caught:
        publisher.choose_target(wrong, "bot", None)
    assert str(caught.value) == (f"{hub[0]} refused (401: Invalid user token); log in with a token that is valid there: hf auth login")


def test_target() -> None:
    target = Target("https://huggingface.co", "a/b")
    assert (target.url, target.file_url("x.png")) == ("https://huggingface.co/a/b", "https://huggingface.co/a/b/resolve/main/x.png")
