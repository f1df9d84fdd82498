"""What `verify` says of a bot that is as it was published, of one that its owner edited, and of those that somebody tampered with.

The published example lies on an embedded Hub; each case is a real commit on a branch of its own.
"""

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from PIL import Image

from hubtweets import card, pictures, record_json, verification
from hubtweets.errors import HubtweetsError
from hubtweets.publisher import Hub
from hubtweets.record import RunRecord
from hubtweets.verification import Claim, trials
from hubtweets.verification.claims import Bot
from tests.conftest import run

BOT = "huggingtweets/lyons____"
Files = dict[str, bytes | None]  # what a commit puts there, by path; None: it takes it away


@pytest.fixture(scope="module")
def stand(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Hub with the published example, to commit to."""
    from hubtweets.hub import local
    from hubtweets.hub.storage import Storage

    folder = tmp_path_factory.mktemp("stand")
    shutil.copytree(published / "hub", folder / "hub")
    storage = Storage(folder / "hub")
    with local.running(storage) as endpoint:
        yield Hub(HfApi(endpoint=endpoint, token=storage.token), endpoint)


@pytest.fixture(scope="module")
def repo(published: Path) -> Path:
    return published / "runs" / "lyons____" / "repo"


def claims(hub: Hub, runs: Path, revision: str) -> list[Claim]:
    """Verify up to the snippets, which take seconds and are run in the tests that are about them."""
    found = []
    for claim in verification.verify(hub, BOT, revision, runs, deep=False):
        found.append(claim)
        if claim.name == "widget":
            break
    return found


def commit(hub: Hub, branch: str, files: Files) -> str:
    """Put files on a new branch of the bot."""
    hub.api.create_branch(BOT, branch=branch, revision="v1")
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationDelete(path) if content is None else CommitOperationAdd(path, content) for path, content in files.items()
    ]
    hub.api.create_commit(BOT, operations, commit_message=branch, revision=branch)
    return branch


def test_a_whole_report(published: Path, base: Path, tmp_path: Path) -> None:
    shutil.copytree(published, tmp_path / "work")
    shutil.copytree(base, tmp_path / "work" / "one-layer")
    done = run(tmp_path / "work", "verify", BOT, "--hub", "local", "--deep")
    record = json.loads((published / "runs" / "lyons____" / "run.json").read_text())
    samples, files = record["samples"], len(record["files"])
    picked, copies = len(samples["picked"]), record["audit"]["copies"]
    withheld = f"; withheld texts: {copies}" if copies else ""
    assert done.stdout.splitlines() == [
        f"ok: revision: main is commit {record['published']['commit']}",
        f"ok: files: all {files} that were pushed are as they were",
        f"ok: record: hubtweets.json is a whole record of hubtweets {record['hubtweets_version']}",
        "ok: card: as its record renders",
        "ok: table: 3,086 posts read, 864 kept; it adds up",
        f"ok: scores: {record['metrics']['tuned']['bits_per_byte']:.3f} bits per byte, "
        f"{record['metrics']['base']['bits_per_byte']:.3f} of the untouched base; they agree with each other",
        "ok: weights: 29,344 parameters, all in safetensors; nothing is pickled",
        "ok: thumbnail: predictions.png: what the record draws",
        "ok: figures: pipeline.png and loss.png: what the record draws",
        f"ok: samples: {copies} of 10 copy; {picked} that don't are shown",
        f"ok: audit: the same again for {10 - copies} samples and 86 held-out posts{withheld}",
        f"ok: writer: these weights can have written the {picked} samples that are shown",
        f"ok: widget: {picked} samples as they were picked",
        "ok: snippets: the card's 2 Python snippets run",
        "ok: dataset: 778 posts were trained on, 86 held out",
        f"ok: evaluation: {record['metrics']['tuned']['bits_per_byte']:.4f} bits per byte again, "
        f"{record['metrics']['base']['bits_per_byte']:.4f} of the untouched base",
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert run(tmp_path / "work", "verify", "huggingtweets/nobody", "--hub", "local").stderr == (
        "Error: http://127.0.0.1:8086/huggingtweets/nobody is not there, or not for this token to see; log in: hf auth login\n"
    )


def swap(path: str, old: str, new: str) -> Callable[[Path], Files]:
    def tamper(repo: Path) -> Files:
        text = (repo / path).read_text()
        assert old in text
        return {path: text.replace(old, new).encode()}

    return tamper


def weight(repo: Path) -> Files:
    """The last bit of the last weight."""
    content = bytearray((repo / "model.safetensors").read_bytes())
    content[-4] ^= 1
    return {"model.safetensors": bytes(content)}


def record_of(repo: Path) -> RunRecord:
    return record_json.read_public((repo / "hubtweets.json").read_text(), "hubtweets.json")[0]


def told(record: RunRecord, more: Files) -> Files:
    """What a forger would push who knows how all of it hangs together: the files with their hashes in the record, and the card of that record."""
    listed = []
    for file in record.files:
        content = more.get(file.path)
        listed.append(file if content is None else replace(file, sha256=sha256(content), size=len(content)))
    record = replace(record, files=tuple(listed))
    text = card.render(record)
    return {**more, "hubtweets.json": record_json.dumps_public(record, text).encode(), "README.md": text.encode()}


def sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def other_weights(repo: Path) -> Files:
    from safetensors.torch import load_file, save

    weights = load_file(repo / "model.safetensors")
    return told(record_of(repo), {"model.safetensors": save({name: tensor.flip(0) for name, tensor in weights.items()}, {"format": "pt"})})


def better(repo: Path) -> Files:
    record = record_of(repo)
    assert record.metrics
    tuned = replace(record.metrics.tuned, bits_per_byte=1.0)
    return told(replace(record, metrics=replace(record.metrics, tuned=tuned)), {})


def other_sample(repo: Path, draw: bool = False) -> Files:
    record = record_of(repo)
    assert record.samples
    number = record.samples.picked[0] - 1
    samples = list(record.samples.samples)
    one = samples[number]
    samples[number] = replace(one, text=f"{one.prompt} QXZ{(one.text or '').removeprefix(one.prompt)}")
    record = replace(record, samples=replace(record.samples, samples=tuple(samples)))
    return told(record, {"predictions.png": pictures.predictions(record, repo)} if draw else {})


def other_sample_drawn(repo: Path) -> Files:
    return other_sample(repo, draw=True)


def less_copied(repo: Path) -> Files:
    record = record_of(repo)
    assert record.samples
    first, *others = record.samples.samples
    first = replace(first, copied=replace(first.copied, words=0, characters=0))
    return told(replace(record, samples=replace(record.samples, samples=(first, *others))), {})


def red() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1200, 630), "red").save(buffer, "PNG")
    return buffer.getvalue()


def fewer_kept(repo: Path) -> Files:
    public = json.loads((repo / "hubtweets.json").read_text())
    public["counts"][0]["kept"] += 1
    return {"hubtweets.json": json.dumps(public).encode()}


TAMPERED: dict[str, tuple[Callable[[Path], Files], dict[str, str]]] = {
    "number-on-the-card": (
        swap("README.md", "778 of the kept posts", "9,778 of the kept posts"),
        {"card": "README.md says 9,778 where the record says 778: '9,778 of the kept posts were trained on"},
    ),
    "table": (
        swap("README.md", "| Retweets | 1225 |", "| Retweets | 225 |"),
        {"card": "README.md says 225 where the record says 1225", "table": "'Retweets | 225' where the record says 'Retweets | 1225'"},
    ),
    "licence": (
        swap("README.md", "\nlicense: mit\n", "\nlicense: apache-2.0\n"),
        {"card": "README.md says license: 'apache-2.0' where the record says 'mit'"},
    ),
    "weight": (weight, {"files": "model.safetensors is not the file that was pushed (its SHA-256 is another one)"}),
    "other-weights": (other_weights, {"writer": "these weights don't write "}),
    "number-in-the-record": (
        swap("hubtweets.json", '"train_posts": 778', '"train_posts": 779'),
        {"card": "hubtweets.json has the card say "},
    ),
    "number-in-both": (better, {"scores": "1 bits per byte and a perplexity of "}),
    "funnel": (fewer_kept, {"record": "hubtweets.json: not a record of hubtweets (counts.0: Value error, "}),
    "sample": (other_sample, {"thumbnail": "of predictions.png is not what the record draws", "writer": "QXZ"}),
    "sample-and-thumbnail": (other_sample_drawn, {"writer": "QXZ"}),
    "audit": (less_copied, {"audit": " of it in the posts"}),
    "thumbnail": (
        lambda repo: {"predictions.png": red()},
        {"files": "predictions.png is not the file that was pushed", "thumbnail": "% of predictions.png is not what the record draws"},
    ),
    "thumbnail-and-hash": (
        lambda repo: told(record_of(repo), {"predictions.png": red()}),
        {"thumbnail": "% of predictions.png is not what the record draws"},
    ),
    "missing": (lambda repo: {"pipeline.png": None}, {"files": "pipeline.png is missing", "figures": "pipeline.png is missing"}),
    "pickle": (lambda repo: {"optimizer.pt": b"\x80\x02."}, {"weights": "optimizer.pt is or holds a pickle, which runs code when it is loaded"}),
    "hidden-pickle": (lambda repo: {"notes.txt": b"\x80\x04."}, {"weights": "notes.txt is or holds a pickle, which runs code when it is loaded"}),
    "path": (swap("hubtweets.json", '"avatar": "avatar.png"', '"avatar": "../../x.png"'), {"record": "it names the file ../../x.png"}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_tampered_with_is_caught(stand: Hub, repo: Path, published: Path, tmp_path: Path, name: str) -> None:
    tamper, expected = TAMPERED[name]
    runs = (
        tmp_path if tamper in (other_sample, other_sample_drawn) else published / "runs"
    )  # in posts at hand it could also be seen that it is another text
    found = claims(stand, runs, commit(stand, name, tamper(repo)))
    false = {claim.name: claim.found for claim in found if claim.holds is False}
    assert false.keys() == expected.keys(), "\n".join(map(str, found))
    for claim, text in expected.items():
        assert text in false[claim]
    unread = {claim.name for claim in found if claim.holds is None} - {"audit"}
    assert unread == ({"files", *verification.CLAIMS} - {"snippets", "audit"} if "record" in expected else set())


def test_a_widget_that_shows_what_the_model_did_not_write(stand: Hub, repo: Path, published: Path) -> None:
    from hubtweets.hub import cards

    text = (repo / "README.md").read_text()
    shown = cards.front_matter(text)["widget"][0]["output"]["text"]
    files: Files = {"README.md": text.replace(json.dumps(shown, ensure_ascii=False)[1:-1], "My dream is a bot that says this.", 1).encode()}
    false = {claim.name for claim in claims(stand, published / "runs", commit(stand, "widget", files)) if claim.holds is False}
    assert false == {"card", "widget"}


def test_what_the_owner_wrote_is_the_owners(stand: Hub, repo: Path, tmp_path: Path) -> None:
    text = (repo / "README.md").read_text()
    edited = text.replace("\ntags:\n", "\nnew_version: owner/next\ntags:\n- poetry\n", 1).replace(
        "\n## How to use\n", "\n## About me\n\nI have 3 cats.\n\n## How to use\n", 1
    )
    edited = re.sub(r"\n\| Precision .+", "", edited.replace("I was made with hubtweets", "I am proud to be made with hubtweets", 1))
    assert len(edited.splitlines()) == len(text.splitlines()) + 5
    found = claims(stand, tmp_path, commit(stand, "owner", {"README.md": edited.encode(), "NOTES.md": b"mine"}))
    assert {claim.name: claim.found for claim in found if claim.name in ("card", "files")} == {
        "files": f"all {len(record_of(repo).files)} that were pushed are as they were; not hubtweets': NOTES.md",
        "card": "as its record renders; metadata of the owner's: 1; tags of the owner's: 1; "
        "lines of the owner's: 2; lines reworded: 1; lines gone: 1",
    }
    assert [(claim.name, claim.holds) for claim in found if claim.holds is not True] == [("audit", None)]  # the posts are not at hand


def test_another_version_says_how_to_get_it(stand: Hub, repo: Path, published: Path) -> None:
    public = json.loads((repo / "hubtweets.json").read_text()) | {"schema_version": 99, "hubtweets_version": "7.0.0"}
    found = claims(stand, published / "runs", commit(stand, "version", {"hubtweets.json": json.dumps(public).encode()}))
    assert str(found[2]) == "unchecked: record: hubtweets.json: schema 99, of another version of hubtweets; type: pip install hubtweets==7.0.0"
    assert {claim.holds for claim in found[1:]} == {None}


@pytest.mark.parametrize(
    ("repo_id", "revision", "text"),
    [
        (BOT, "v9", r".+/huggingtweets/lyons____ has no revision v9; see what it has: hf repos tag list huggingtweets/lyons____"),
        ("huggingtweets/other", "main", r".+/huggingtweets/other: no bot of hubtweets \(it has no hubtweets\.json\); give the id of one that .+"),
        ("a b", "main", r".+: Repo id must .+"),
    ],
)
def test_what_can_not_be_verified_gets_one_line(stand: Hub, tmp_path: Path, repo_id: str, revision: str, text: str) -> None:
    stand.api.create_repo("huggingtweets/other", exist_ok=True)
    with pytest.raises(HubtweetsError, match=f"^{text}$"):
        next(verification.verify(stand, repo_id, revision, tmp_path, False))


def bot_of(repo: Path, record: RunRecord, readme: str, runs: Path) -> Bot:
    return Bot(repo, record, readme, readme, runs)


def test_python_that_is_not_ours_is_not_run(repo: Path, tmp_path: Path) -> None:
    record = record_of(repo)
    text = (repo / "README.md").read_text()
    strange = text.replace("from transformers import pipeline", f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom transformers import pipeline", 1)
    assert trials.check_snippets(bot_of(repo, record, strange, tmp_path)) == (
        None,
        "the Python on README.md is not what this version of hubtweets writes, and is not run",
    )
    assert record.target and record.base and record.training
    code = f"x'); open({str(tmp_path / 'ran')!r}, 'w'); ('"
    hostile = [replace(record, target=replace(record.target, repo_id=repo_id)) for repo_id in (f"a/{code}", "../a", "a/b/c")]
    base = replace(record.base, id="owner/base", on_hub=True)
    adapted = replace(record, training=replace(record.training, lora="adapter"))
    hostile += [replace(adapted, base=replace(base, revision=code)), replace(adapted, base=replace(base, id=code))]
    for one in hostile:
        try:
            text = card.render(one)
        except HubtweetsError:
            continue  # there is no card of it
        assert verification.guarded(trials.check_snippets, bot_of(repo, one, text, tmp_path))[0] is False
    assert not (tmp_path / "ran").exists()


def test_code_in_the_repo_is_not_run(repo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    shutil.copytree(repo, folder)
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    config |= {"auto_map": {"AutoModelForCausalLM": "evil.Evil", "AutoConfig": "evil.Config"}, "attn_implementation": "owner/kernel"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    model, _ = bot_of(folder, record_of(repo), "", tmp_path).model
    assert model.num_parameters() == 29_344 and not (tmp_path / "ran").exists()
