"""What `verify` says of a bot as published, of one edited by its owner, and of tampered ones.

The published example lies on an embedded Hub; each case is a real commit on a branch of its own.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice, takewhile
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from hubtweets.card import model_card
from hubtweets.errors import HubtweetsError
from hubtweets.evaluation import sampling
from hubtweets.posts.pii.scrub import scrub
from hubtweets.publishing.connection import Hub
from hubtweets.record.run_record import Base, RunRecord, Target
from hubtweets.verification import dangerous_file_checks, model_checks, readme_checks
from hubtweets.verification import verify as verification
from hubtweets.verification.base_checks import compare_adapter
from hubtweets.verification.claims import Bot
from hubtweets.verification.verify import Claim
from tests.conftest import run
from tests.forgeries import (
    FORGERIES,
    UNCHECKED,
    UNREAD,
    Files,
    change_record,
    forge,
    invent,
    read_record,
)
from tests.test_card_numbers import leaves, other, put

BOT = "huggingtweets/lyons____"
FIELDS = int(os.environ.get("CORRUPT", "25"))
PICTURES = ("thumbnail", "figures")
SLOW = ("writer", *PICTURES)  # checked of the forgeries that they catch
PLACE = Target("http://127.0.0.1:8086", BOT)  # where the embedded Hub is by default


@pytest.fixture(scope="module")
def stand(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Hub with the published example, to commit to."""
    from hubtweets.hub import local
    from hubtweets.hub.storage.storage import Storage

    folder = tmp_path_factory.mktemp("stand")
    shutil.copytree(published / "hub", folder / "hub")
    storage = Storage(folder / "hub")
    with local.serve_in_thread(storage) as endpoint:
        yield Hub(HfApi(endpoint=endpoint, token=storage.token), endpoint)


@pytest.fixture(scope="module")
def repo(published: Path) -> Path:
    return published / "runs" / "lyons____" / "repo"


@pytest.fixture(scope="module")
def brief(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same bot with the samples of two prompts, which are sooner drawn again."""
    record = read_record(repo)
    assert record.samples and record.audit
    groups = groupby(record.samples.samples, key=lambda one: one.prompt)
    samples = tuple(one for _, group in islice(groups, 2) for one in group)
    record = replace(
        record,
        samples=replace(
            record.samples,
            samples=samples,
            picked=tuple(number for number in record.samples.picked if number <= len(samples)),
        ),
        audit=replace(
            record.audit,
            samples=len(samples),
            copies=sum(one.copied.share >= record.audit.threshold for one in samples),
        ),
    )
    return tampered(repo, forge(record, {}), tmp_path_factory.mktemp("brief") / "repo")


def commit(hub: Hub, branch: str, files: Files) -> str:
    """Put files on a new branch of the bot."""
    hub.api.create_branch(BOT, branch=branch, revision="v1")
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationDelete(path) if content is None else CommitOperationAdd(path, content)
        for path, content in files.items()
    ]
    hub.api.create_commit(BOT, operations, commit_message=branch, revision=branch)
    return branch


def tampered(repo: Path, files: Files, folder: Path) -> Path:
    """Copy a bot's files, with some of them changed."""
    shutil.copytree(repo, folder)
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        if content is None:
            (folder / path).unlink()
        else:
            (folder / path).write_bytes(content)
    return folder


def judge(folder: Path, runs: Path, *without: str) -> list[Claim]:
    """Verify a folder up to the snippets.

    The snippets take seconds and are run in the tests that are about them.
    """
    checks = [check for check in verification.CHECKS if check.claim not in ("snippets", *without)]
    return list(
        verification.verify_folder(folder, PLACE, runs, datetime.now(UTC).isoformat(), checks)
    )


def test_a_whole_report(published: Path, base: Path, tmp_path: Path) -> None:
    shutil.copytree(published, tmp_path / "work")
    shutil.copytree(base, tmp_path / "work" / "one-layer")
    done = run(tmp_path / "work", "verify", BOT, "--hub", "local", "--deep")
    record = json.loads((published / "runs" / "lyons____" / "run.json").read_text())
    samples, files = record["samples"], len(record["files"])
    picked, copies = len(samples["picked"]), record["audit"]["copies"]
    pushed = re.search(r"push: (\d+) of \1 files, (.+), to", (published / "first.err").read_text())
    assert pushed
    counts = f"{pushed[1]} files, {pushed[2]}"
    withheld = f"; withheld texts: {copies}" if copies else ""
    lines = done.stdout.splitlines()
    assert lines.pop() == "19 claims checked, all hold"
    assert lines.pop().startswith(
        "stated: statements (publisher): "
        "@lyons____'s posts from an X archive, and nothing of their author's consent; "
    )
    assert lines == [
        f"ok: revision (repo): main has {counts}, at commit {record['published']['commit']}",
        f"ok: code (repo): none of the {files + 2} files runs when it is loaded",
        "ok: weights (repo): 29,344 parameters, all in safetensors",
        (
            "ok: record (repo): "
            f"hubtweets.json is a whole record of hubtweets {record['hubtweets_version']}"
        ),
        (
            f"ok: files (repo): all {files} beside README.md and hubtweets.json "
            "are as they were pushed"
        ),
        (
            f"ok: consistency (repo): 864 kept posts, {record['environment']['steps']} steps, "
            "versions and dates agree with each other"
        ),
        "ok: card (repo): as its record renders",
        f"ok: widget (repo): {picked} samples as they were picked",
        (
            f"ok: scores (repo): {record['metrics']['tuned']['bits_per_byte']:.3f} bits per byte, "
            f"{record['metrics']['base']['bits_per_byte']:.3f} of the untouched base; "
            "they agree with each other"
        ),
        (
            "ok: base (repo): 29,344 parameters and 262 tokens, as the record says; "
            "the base itself is compared with --deep"
        ),
        "ok: settings (repo): temperature 1, top_p 0.95, top_k 0, max_new_tokens 160",
        "ok: thumbnail (repo): predictions.png: what the record draws",
        "ok: figures (repo): pipeline.png and loss.png: what the record draws",
        f"ok: samples (repo): {copies} of 10 copy; {picked} that don't are shown",
        (
            "ok: audit (dataset): "
            f"the same again for {10 - copies} samples and 86 held-out posts{withheld}"
        ),
        f"ok: writer (repo): drawn again from seed 0, all {10 - copies} samples are the same",
        "ok: snippets (repo): Python snippets that run: 1",
        "ok: dataset (dataset): 778 posts were trained on, 86 held out",
        (
            "ok: evaluation (dataset): "
            f"{record['metrics']['tuned']['bits_per_byte']:.4f} bits per byte again, "
            f"{record['metrics']['base']['bits_per_byte']:.4f} of the untouched base"
        ),
    ]
    assert (done.returncode, done.stderr) == (0, "")
    short = run(tmp_path / "work", "verify", "lyons____", "--hub", "local", "--json")
    document = json.loads(short.stdout)
    claims = document.pop("claims")
    assert short.returncode == 0 and document == {
        "schema_version": 1,
        "repo_id": BOT,
        "hub": "http://127.0.0.1:8086",
        "revision": "main",
        "exit_code": 0,
    }
    assert [(claim["name"], claim["holds"]) for claim in claims] == [
        *((line.split()[1], True) for line in lines[:-2]),
        ("statements", None),
    ]
    docs = (Path(__file__).parent.parent / "docs" / "json.md").read_text(encoding="utf-8")
    assert [name for name in (*document, *claims[0]) if f"`{name}`" not in docs] == []
    gone = run(tmp_path / "work", "verify", "huggingtweets/missing", "--hub", "local", "--json")
    assert gone.stdout == ""
    assert (gone.returncode, gone.stderr) == (
        3,
        (
            "Error: http://127.0.0.1:8086/huggingtweets/missing: "
            "not found, or not visible to this token; "
            "log in: HF_ENDPOINT=http://127.0.0.1:8086 hf auth login\n"
        ),
    )


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_caught(
    repo: Path, brief: Path, published: Path, tmp_path: Path, name: str
) -> None:
    forge, expected = FORGERIES[name]
    without = [name for name in SLOW if name not in expected]
    bot = brief if "writer" in expected else repo
    found = judge(tampered(bot, forge(bot), tmp_path / "repo"), published / "runs", *without)
    caught = {
        claim.name: claim
        for claim in found
        if claim.holds is not True
        and claim.found != verification.NO_RECORD
        and claim.name != "statements"
    }
    assert caught.keys() == expected.keys(), "\n".join(map(str, found))
    for claim, text in expected.items():
        assert text in caught[claim].found
    assert verification.exit_code(found) == (3 if name in UNCHECKED else 1)
    assert any(claim.found == verification.NO_RECORD for claim in found) == (name in UNREAD)


def test_a_forgery_on_the_hub_is_caught(stand: Hub, repo: Path, published: Path) -> None:
    """The same by way of a real commit; what a command says of it."""
    revision = commit(stand, "forged", FORGERIES["a figure"][0](repo))
    claims = verification.verify(stand, BOT, revision, published / "runs", False)
    before = list(takewhile(lambda claim: claim.holds is not False, claims))
    assert [claim.name for claim in before][-1] == "consistency"  # and the card comes next


def from_another_machine(record: RunRecord) -> RunRecord:
    assert record.environment
    return replace(record, environment=replace(record.environment, device="Another CPU"))


def test_samples_of_another_machine_are_within_what_the_weights_can_write(
    repo: Path, tmp_path: Path
) -> None:
    honest = judge(
        tampered(repo, change_record(from_another_machine)(repo), tmp_path / "honest"),
        tmp_path,
        *PICTURES,
    )
    forged = judge(
        tampered(
            repo,
            change_record(lambda record: invent(from_another_machine(record)))(repo),
            tmp_path / "forged",
        ),
        tmp_path,
        *PICTURES,
    )
    assert verification.exit_code(honest) == 0
    assert {claim.name: claim.found for claim in honest}["writer"].startswith(
        "these weights can have written "
    )
    assert {claim.name: claim.found for claim in forged if claim.holds is False} == {
        "writer": "these weights don't write 'My dream is QXZ and that is all'"
    }


def test_without_the_posts_the_repo_is_proved_all_the_same(repo: Path, tmp_path: Path) -> None:
    found = judge(repo, tmp_path)
    assert [(claim.name, claim.proof) for claim in found if claim.holds is None] == [
        ("audit", "dataset"),
        ("statements", "publisher"),
    ]
    assert verification.exit_code(found) == 0


def test_a_widget_that_shows_what_the_model_did_not_write(
    repo: Path, published: Path, tmp_path: Path
) -> None:
    from hubtweets.card.card_parser import parse_front_matter

    text = (repo / "README.md").read_text()
    shown = parse_front_matter(text)["widget"][0]["output"]["text"]
    files: Files = {
        "README.md": text.replace(
            json.dumps(shown, ensure_ascii=False)[1:-1], "My dream is a bot that says this.", 1
        ).encode()
    }
    found = judge(tampered(repo, files, tmp_path / "repo"), published / "runs", *SLOW)
    assert {claim.name for claim in found if claim.holds is False} == {"card", "widget"}


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        (
            "tokenizer.json",
            b"[" + b"{}," * 3_000_001 + b"{}]",
            "tokenizer.json has more than 3,000,000 commas, more than any bot has",
        ),
        (
            "hubtweets.json",
            b" " * (2**23 + 1),
            "hubtweets.json has more than 8,388,608 bytes, more than any bot has",
        ),
        (
            "more/config.json",
            b" " * 2**22,
            "its configs have more than 4,194,304 bytes together, more than any bot has",
        ),
    ],
)
def test_files_that_would_take_too_much_are_not_read(
    repo: Path, tmp_path: Path, path: str, content: bytes, found: str
) -> None:
    assert list(map(str, judge(tampered(repo, {path: content}, tmp_path / "repo"), tmp_path))) == [
        f"FALSE: files (repo): {found}"
    ]


@pytest.mark.parametrize(
    ("endpoint", "holds"), [("https://huggingface.co", None), ("http://localhost:1", True)]
)
def test_a_record_of_another_hub(
    repo: Path, tmp_path: Path, endpoint: str, holds: bool | None
) -> None:
    claims = {
        claim.name: claim
        for claim in verification.verify_folder(repo, Target(endpoint, BOT), tmp_path, None, [])
    }
    assert claims["record"].holds is holds
    assert (
        holds
        or claims["record"].found
        == f"hubtweets.json is of {PLACE.url}, so this is a copy, or was renamed"
    )


@pytest.mark.parametrize("size", [36136, 36392])
def test_weights_whose_header_begins_like_a_pickle(tmp_path: Path, size: int) -> None:
    """The eight bytes before the header tell its length, and may be operations of a pickle.

    Such operations go on to the end.
    """
    header = (
        json.dumps({"bias": {"dtype": "F32", "shape": [2**19], "data_offsets": [0, 2**21]}})
        .encode()
        .ljust(size)
    )
    (tmp_path / "model.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + bytes(2**21)
    )
    assert dangerous_file_checks.check_code(tmp_path) == (
        True,
        "none of the 1 files runs when it is loaded",
    )
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + bytes(2**22))
    assert dangerous_file_checks.check_weights(tmp_path)[0] is False


def test_an_adapter_of_another_base() -> None:
    base = Base("owner/base", "0" * 40, None, (), True)
    assert (
        compare_adapter(base, {"base_model_name_or_path": "owner/base", "revision": "0" * 40})
        is None
    )
    found = compare_adapter(base, {"base_model_name_or_path": "owner/other", "revision": None})
    assert found == f"the adapter is loaded on owner/other at None, not on owner/base at {'0' * 40}"


def test_what_the_owner_wrote_is_the_owners(repo: Path, tmp_path: Path) -> None:
    text = (repo / "README.md").read_text()
    edited = text.replace("\ntags:\n", "\nnew_version: owner/next\ntags:\n- poetry\n", 1).replace(
        "\n## Try it\n", "\n## About me\n\nI have 3 cats.\n\n## Try it\n", 1
    )
    edited = edited.replace("Reposts, links, very", "In my bot reposts, links, very", 1)
    edited = edited.replace(
        "\n## About\n", "\nIt is $$x^2$$.[^1]\n\n[^1]: As I said.\n\n## About\n", 1
    )
    edited = edited.replace("| Data | Quantity |\n| --- |", "| Data | Quantity |\n| ---: |", 1)
    edited = edited.replace("<details>\n", "<details open>\n", 1)
    edited = edited.replace("\n## Share\n", "", 1)
    assert len(edited.splitlines()) == len(text.splitlines()) + 8
    found = judge(
        tampered(repo, {"README.md": edited.encode(), "NOTES.md": b"mine"}, tmp_path / "repo"),
        tmp_path,
        *SLOW,
    )
    assert {claim.name: claim.found for claim in found if claim.name in ("card", "files")} == {
        "files": (
            f"all {len(read_record(repo).files)} beside README.md and hubtweets.json "
            "are as they were pushed; "
            "not hubtweets': NOTES.md"
        ),
        "card": "as its record renders; metadata of the owner's: 1; tags of the owner's: 1; "
        "lines of the owner's: 5; with figures that nothing here can check: "
        "'I have 3 cats.', 'It is $$x^2$$.[^1]', '[^1]: As I said.'; "
        "lines gone: 2",
    }
    assert verification.exit_code(found) == 0


@pytest.mark.parametrize("unit", ["<div>", "![", "|a", "a|b\n-|-\n", "> "])
def test_a_card_that_is_too_long_is_not_parsed(repo: Path, tmp_path: Path, unit: str) -> None:
    files: Files = {"README.md": (unit * (2**20 // len(unit))).encode()}
    claim = next(
        claim
        for claim in judge(tampered(repo, files, tmp_path / "repo"), tmp_path, "writer")
        if claim.name == "card"
    )
    assert (claim.holds, claim.found) == (
        None,
        "README.md has more than 131,072 characters; it is not compared",
    )


@pytest.mark.parametrize(
    ("repo_id", "revision", "text"),
    [
        (
            BOT,
            "v9",
            (
                r".+/huggingtweets/lyons____ has no revision v9; "
                r"see what it has: HF_ENDPOINT=\S+ hf repos tag list huggingtweets/lyons____"
            ),
        ),
        (
            "huggingtweets/other",
            "main",
            (
                r".+/huggingtweets/other: not found, or not visible to this token; "
                r"log in: HF_ENDPOINT=\S+ hf auth login"
            ),
        ),
        (
            "huggingtweets/lyons___",
            "main",
            (
                r".+/huggingtweets/lyons___: not found, or not visible to this token; "
                r"did you mean lyons____\?"
            ),
        ),
        ("a b", "main", r".+: Repo id must .+"),
    ],
)
def test_what_can_not_be_verified_gets_one_line(
    stand: Hub, tmp_path: Path, repo_id: str, revision: str, text: str
) -> None:
    with pytest.raises(HubtweetsError, match=f"^{text}$"):
        next(verification.verify(stand, repo_id, revision, tmp_path, False))


def bot_of(repo: Path, record: RunRecord, readme: str, runs: Path) -> Bot:
    return Bot(repo, record, readme, readme, runs)


def test_python_that_is_not_ours_is_not_run(repo: Path, tmp_path: Path) -> None:
    record = read_record(repo)
    text = (repo / "README.md").read_text()
    strange = text.replace(
        "from transformers import pipeline",
        f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom transformers import pipeline",
        1,
    )
    block = text[text.index("```python") : text.index("## Training data")]
    hidden = text.replace(
        block, f"<div hidden>\n\n{block}</div>\n\n{block.replace(BOT, 'owner/other')}", 1
    )
    for readme in (strange, hidden):
        assert model_checks.check_snippets(bot_of(repo, record, readme, tmp_path)) == (
            None,
            "the Python on README.md is not what this version of hubtweets writes, and is not run",
        )
    assert record.target and record.base and record.training
    code = f"x'); open({str(tmp_path / 'ran')!r}, 'w'); ('"
    hostile = [
        replace(record, target=replace(record.target, repo_id=repo_id))
        for repo_id in (f"a/{code}", "../a", "a/b/c")
    ]
    base = replace(record.base, id="owner/base", on_hub=True)
    adapted = replace(record, training=replace(record.training, lora="adapter"))
    hostile += [
        replace(adapted, base=replace(base, revision=code)),
        replace(adapted, base=replace(base, id=code)),
    ]
    for one in hostile:
        try:
            text = model_card.render(one)
        except HubtweetsError:
            continue  # there is no card of it
        assert (
            verification.guard(
                partial(model_checks.check_snippets, bot_of(repo, one, text, tmp_path))
            )[0]
            is False
        )
    assert not (tmp_path / "ran").exists()


def test_a_model_that_writes_broken_characters(repo: Path, base: Path, tmp_path: Path) -> None:
    """An untrained model's texts are drawn again, though many of them don't tell their tokens."""
    folder = tampered(
        repo, {"model.safetensors": (base / "model.safetensors").read_bytes()}, tmp_path / "repo"
    )
    bot = bot_of(folder, read_record(repo), "", tmp_path)
    samples = bot.record.samples
    assert samples
    texts = sampling.generate_stream(*bot.model, "My dream is", 4, samples.seed)
    written = tuple(
        replace(samples.samples[0], prompt="My dream is", text=scrub(text)[0]) for text in texts
    )
    bot = replace(
        bot, record=replace(bot.record, samples=replace(samples, samples=written, picked=()))
    )
    assert not all(sampling.can_generate(*bot.model, one.prompt, one.text or "") for one in written)
    assert model_checks.check_writer(bot) == (
        True,
        f"drawn again from seed {samples.seed}, all 4 samples are the same",
    )


def test_samples_that_are_not_drawn_again(repo: Path, tmp_path: Path) -> None:
    bot = bot_of(repo, read_record(repo), "", tmp_path)
    samples = bot.record.samples
    assert samples
    known = sum(one.text is not None for one in samples.samples)
    broken = replace(
        samples,
        samples=tuple(
            replace(one, text=one.text and f"{one.text}\ufffd") for one in samples.samples
        ),
        picked=(),
    )
    other = replace(
        samples,
        samples=tuple(
            replace(one, text=one.text and f"{one.prompt} QXZ") for one in samples.samples
        ),
        picked=(),
    )
    assert model_checks.judge_texts(samples, *bot.model)[0] is True
    assert model_checks.judge_texts(broken, *bot.model) == (
        None,
        (
            f"these weights can have written 0 of {known} samples; "
            f"{known} have broken characters, of which nothing can be told"
        ),
    )
    assert model_checks.judge_texts(other, *bot.model)[1].startswith(
        f"these weights don't write {known} of {known} samples, such as "
    )


def test_code_in_the_repo_is_not_run(repo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    shutil.copytree(repo, folder)
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    config |= {
        "auto_map": {"AutoModelForCausalLM": "evil.Evil", "AutoConfig": "evil.Config"},
        "attn_implementation": "owner/kernel",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    model, _ = bot_of(folder, read_record(repo), "", tmp_path).model
    assert model.num_parameters() == 29_344 and not (tmp_path / "ran").exists()


# what nothing in the repo depends on, as docs/verify.md says, and what needs the posts, the weights
# or the pictures
FREE = r"""
terms\.license\.\w+|base\.(license\.\w+|languages\.\d+|revision)
|profiles\.\d+\.(account_id|bio|network|url)|sources\.\d+\.(sha256|protected|first)
|counts\.\d+\.(?!kept|handle|downloaded)\w+|dataset\.(train|validation)_sha256
|dataset\.(split|languages\.\w+)|dataset\.rows\.\d+\.(author|text)
|training\.(?!batch_size|block_size)\w+
|environment\.(num_processes|mixed_precision|packed|seconds|default_learning_rate|device)
|environment\.versions\.\w+
|history\.\d+\.(loss|learning_rate)|evaluations\.\d+\.bits_per_byte|tracked\.\d+\.\w+
|samples\.(seed|chosen|samples\.\d+\.copied\.\w+)|audit\.(held_out_copies|threshold)
"""


def test_what_can_be_changed_in_a_record_is_what_the_documentation_says(
    repo: Path, tmp_path: Path
) -> None:
    """Each field is changed alone, and the card is rendered from that.

    `make test CORRUPT=1000` tries all of them.
    """
    record, folder = read_record(repo), tampered(repo, {}, tmp_path / "repo")
    names = ("consistency", "card", "widget", "scores", "base", "settings", "samples", "files")
    checks = [check for check in verification.CHECKS if check.claim in names]
    free = set()
    places = list(leaves(record))
    for place, value in places[:: max(1, len(places) // FIELDS)]:
        new = not value if isinstance(value, bool) else other(place, value)
        try:
            files = forge(put(record, place, new), {}) if new is not None else {}
        except (HubtweetsError, ValueError):  # no such record, or no card of it
            continue
        for path, content in files.items():
            (folder / path).write_bytes(content or b"")
        claims = verification.verify_folder(
            folder, PLACE, tmp_path, datetime.now(UTC).isoformat(), checks
        )
        if files and verification.exit_code(list(claims)) == 0:
            free.add(".".join(map(str, place)))
    assert free and {name for name in free if not re.fullmatch(FREE, name, re.VERBOSE)} == set()


def test_a_changed_digit_is_caught_wherever_a_reader_sees_it(repo: Path, tmp_path: Path) -> None:
    record, text = read_record(repo), (repo / "README.md").read_text()
    tags = [range(*match.span()) for match in re.finditer(r"<[^>]*>", text)]
    digits = [
        match.start()
        for match in re.finditer(r"\d", text)
        if not any(match.start() in tag for tag in tags)
    ]
    for place in digits[:: max(1, len(digits) // FIELDS)]:
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        verdict, found = readme_checks.check_card(Bot(repo, record, text, changed, tmp_path))
        assert verdict is False, (text[place - 40 : place + 20], found)
