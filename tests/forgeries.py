"""Ways to make a published bot claim what is not so, each with the claims that catch it.

A forgery is made from the bot's folder: the files to change, None for one to remove. `forge` makes
the record, the card and the hashes agree, as a forger would who knows how all of it hangs together.
"""

import gzip
import hashlib
import io
import json
import math
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from hubtweets.card import model_card
from hubtweets.files import hash_files
from hubtweets.models.base import TINY
from hubtweets.record import serialization
from hubtweets.record.run_record import License, RunRecord
from hubtweets.record.samples import Sample

Files = dict[str, bytes | None]
Forgery = Callable[[Path], Files]


def read_record(repo: Path) -> RunRecord:
    return serialization.read_public_record(
        (repo / "hubtweets.json").read_text(), "hubtweets.json"
    )[0]


def forge(record: RunRecord, more: Files) -> Files:
    """Return the changed files, and the card of the record that lists them with their hashes."""
    listed = []
    for file in record.files:
        content = more.get(file.path)
        listed.append(
            file
            if content is None
            else replace(file, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        )
    record = replace(record, files=tuple(listed))
    text = model_card.render(record)
    return {
        **more,
        "hubtweets.json": serialization.dumps_public(record, text).encode(),
        "README.md": text.encode(),
    }


def edit(path: str, old: str, new: str) -> Forgery:
    """Replace the first occurrence of a text in a file."""

    def change(repo: Path) -> Files:
        text = (repo / path).read_text()
        assert old in text, old
        return {path: text.replace(old, new, 1).encode()}

    return change


def edit_table(first: str, change: Callable[[str], str]) -> Forgery:
    """Replace the table on README.md whose header begins so."""

    def edited(repo: Path) -> Files:
        text = (repo / "README.md").read_text()
        found = re.search(rf"^\| {re.escape(first)}.*?\n(?!\|)", text, re.DOTALL | re.MULTILINE)
        assert found
        return {"README.md": text.replace(found[0], change(found[0]), 1).encode()}

    return edited


def wrap(before: str, after: str, first: str = "Held-out bits per byte") -> Forgery:
    """Put HTML around the table of scores, and a table of one's own under it."""
    own = "\n| Scores | Base | This model |\n| --- | --- | --- |\n| @lyons____ | 2.427 | 0.001 |\n"
    return edit_table(first, lambda table: f"{before}\n\n{table}\n{after}\n{own}")


def put_in(element: str, attributes: str = "") -> Forgery:
    """Put the table of scores into an element, and a table of one's own under it."""
    return wrap(f"<{element} {attributes}>", f"</{element}>")


def lay_out(before: str = "<table>", cell: str = "<td>", join: int = 0) -> Forgery:
    """Write the table of scores as HTML, with so many cells of its last row joined."""

    def html(table: str) -> str:
        head, _, *rows = [
            line.strip("|").split(" | ") for line in table.replace("\\_", "_").strip().splitlines()
        ]
        rows = [[" | ".join(row[: join + 1]), *row[join + 1 :]] for row in rows]
        lines = [f"{cell}{f'</td>{cell}'.join(row)}</td>" for row in [head, *rows]]
        return f"{before}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>\n\n"

    return edit_table("Held-out bits per byte", html)


def show_loss(tag: str) -> Forgery:
    """Write the picture of the loss as HTML.

    `tag` has places for its address and its description.
    """

    def change(repo: Path) -> Files:
        text = (repo / "README.md").read_text()
        found = re.search(r"!\[([^]]*)]\(([^)]*loss\.png)\)", text)
        assert found
        return {"README.md": text.replace(found[0], tag.format(found[2], found[1])).encode()}

    return change


def add_metadata(line: str, before: str = "") -> Forgery:
    """Add a line to the front matter, and a text before all of it."""

    def change(repo: Path) -> Files:
        text = (repo / "README.md").read_text()
        return {"README.md": (before + text.replace("\n---\n", f"\n{line}\n---\n", 1)).encode()}

    return change


def add_file(path: str, content: bytes) -> Forgery:
    return lambda repo: {path: content}


def edit_config(path: str, **more: Any) -> Forgery:
    """Set keys of a JSON file, and list its new hash."""
    return lambda repo: forge(
        read_record(repo), {path: json.dumps(json.loads((repo / path).read_text()) | more).encode()}
    )


def change(**sections: dict[str, Any]) -> Forgery:
    """Set fields of the record's sections."""

    def changed(repo: Path) -> Files:
        record = read_record(repo)
        for name, values in sections.items():
            section = getattr(record, name)
            if isinstance(section, tuple):
                first = replace(section[0], **values)
                record = replace(record, **{name: (first, *section[1:])})  # type: ignore[arg-type]
            else:
                record = replace(record, **{name: replace(section, **values)})
        return forge(record, {})

    return changed


def change_record(make: Callable[[RunRecord], RunRecord]) -> Forgery:
    def changed(repo: Path) -> Files:
        record = make(read_record(repo))
        return forge(record, {})

    return changed


def rewrite_sample(record: RunRecord, number: int, text: Callable[[Sample], str]) -> RunRecord:
    assert record.samples
    samples = list(record.samples.samples)
    samples[number - 1] = replace(samples[number - 1], text=text(samples[number - 1]))
    return replace(record, samples=replace(record.samples, samples=tuple(samples)))


def invent(record: RunRecord) -> RunRecord:
    """Make all samples that are shown say what another person wrote."""
    assert record.samples
    for number in record.samples.picked:
        record = rewrite_sample(record, number, lambda one: f"{one.prompt} QXZ and that is all")
    return record


def invent_freely(repo: Path) -> Files:
    """Invented samples, with settings under which any text can be drawn."""
    record = invent(read_record(repo))
    assert record.samples
    record = replace(
        record, samples=replace(record.samples, settings=record.samples.settings | {"top_p": 1.0})
    )
    config = json.loads((repo / "generation_config.json").read_text()) | {"top_p": 1.0}
    return forge(record, {"generation_config.json": json.dumps(config).encode()})


def swap_unshown(record: RunRecord) -> RunRecord:
    """Give a hidden sample the words of another one."""
    assert record.samples and record.audit
    free = [
        number
        for number in record.audit.list_showable(record.samples.samples)
        if number not in record.samples.picked
    ]
    return rewrite_sample(record, free[0], lambda one: f"{one.prompt}, and so on")


def copy_less(record: RunRecord) -> RunRecord:
    assert record.samples
    first, *others = record.samples.samples
    first = replace(first, copied=replace(first.copied, words=0, characters=0))
    return replace(record, samples=replace(record.samples, samples=(first, *others)))


def pick_a_copy(repo: Path) -> Files:
    """Show a sample that the record itself calls a copy.

    hubtweets renders no card of such a sample, so the old card stays.
    """
    public = json.loads((repo / "hubtweets.json").read_text())
    number = public["samples"]["picked"][0] - 1
    public["samples"]["samples"][number]["copied"]["share"] = 1.0
    public["audit"]["copies"] += 1
    return {"hubtweets.json": json.dumps(public).encode()}


def flip_weights(repo: Path) -> Files:
    from safetensors.torch import load_file, save

    weights = load_file(repo / "model.safetensors")
    return forge(
        read_record(repo),
        {
            "model.safetensors": save(
                {name: tensor.flip(0) for name, tensor in weights.items()}, {"format": "pt"}
            )
        },
    )


def drop_a_tensor(repo: Path) -> Files:
    from safetensors.torch import load_file, save

    weights = load_file(repo / "model.safetensors")
    weights.pop(next(name for name in weights if "mlp" in name))
    record = read_record(repo)
    assert record.environment
    record = replace(
        record,
        environment=replace(
            record.environment, parameters=sum(tensor.numel() for tensor in weights.values())
        ),
    )
    return forge(record, {"model.safetensors": save(weights, {"format": "pt"})})


def flip_a_bit(repo: Path) -> Files:
    content = bytearray((repo / "model.safetensors").read_bytes())
    content[-4] ^= 1
    return {"model.safetensors": bytes(content)}


def add_tokens(repo: Path) -> Files:
    """A tokenizer with more tokens than the model has rows for."""
    tokenizer = json.loads((repo / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append(
        {**tokenizer["added_tokens"][0], "id": 999, "content": "<more>"}
    )
    return forge(read_record(repo), {"tokenizer.json": json.dumps(tokenizer).encode()})


def keep_more(repo: Path) -> Files:
    public = json.loads((repo / "hubtweets.json").read_text())
    public["counts"][0]["kept"] += 1
    return {"hubtweets.json": json.dumps(public).encode()}


def set_schema(repo: Path) -> Files:
    """A record that nothing here can read, and what could be pushed beside it."""
    public = json.loads((repo / "hubtweets.json").read_text()) | {
        "schema_version": 99,
        "hubtweets_version": "7.0.0",
    }
    return {
        "hubtweets.json": json.dumps(public).encode(),
        "README.md": b"# The best bot\n\n0.001 bits per byte\n",
        "model.safetensors": b"junk",
    }


def forget_events(repo: Path) -> Files:
    record = read_record(repo)
    events = {file.path for file in record.files if file.path.startswith("runs/")}
    record = replace(record, files=tuple(file for file in record.files if file.path not in events))
    return forge(record, dict.fromkeys(events))


def measure(**values: float) -> Forgery:
    """Give the first sample that copies nothing other measures."""

    def make(record: RunRecord) -> RunRecord:
        assert record.samples and record.audit
        samples = list(record.samples.samples)
        number = record.audit.list_showable(samples)[0] - 1
        copied = replace(samples[number].copied, **values)  # type: ignore[arg-type]
        samples[number] = replace(samples[number], copied=copied)
        return replace(record, samples=replace(record.samples, samples=tuple(samples)))

    return change_record(make)


@change_record
def pick_of_one_prompt(record: RunRecord) -> RunRecord:
    """Show two samples from one prompt, as if hubtweets had picked them."""
    assert record.samples and record.audit
    free = record.audit.list_showable(record.samples.samples)
    first, second = next(
        pair
        for pair in pairwise(free)
        if len({record.samples.samples[number - 1].prompt for number in pair}) == 1
    )
    return replace(record, samples=replace(record.samples, picked=(first, second)))


@change_record
def prompt_all(record: RunRecord) -> RunRecord:
    """Make the text of the first sample that is shown its prompt."""
    assert record.samples
    samples, number = list(record.samples.samples), record.samples.picked[0] - 1
    samples[number] = replace(samples[number], prompt=samples[number].text or "")
    return replace(record, samples=replace(record.samples, samples=tuple(samples)))


def red() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1200, 630), "red").save(buffer, "PNG")
    return buffer.getvalue()


class Evil:
    def __reduce__(self) -> tuple:
        return print, ("ran",)


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, pickle.dumps(Evil()))
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        member = tarfile.TarInfo("data.pkl")
        member.size = len(content := pickle.dumps(Evil()))
        file.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def score(record: RunRecord, bits_per_byte: float, perplexity: bool = False) -> RunRecord:
    """Give a bot another score, for all and for its author."""
    assert record.metrics
    tuned = replace(record.metrics.tuned, bits_per_byte=bits_per_byte)
    if perplexity:
        tuned = replace(
            tuned, perplexity=math.exp(bits_per_byte * math.log(2) * tuned.bytes / tuned.tokens)
        )
    metrics = replace(record.metrics, tuned=tuned)
    return replace(record, metrics=metrics, metrics_by_author=(metrics,))


def set_version(name: str, version: str) -> Forgery:
    return lambda repo: change(
        environment={"versions": environment_of(repo)["versions"] | {name: version}}
    )(repo)


def environment_of(repo: Path) -> dict[str, Any]:
    environment: dict[str, Any] = json.loads((repo / "hubtweets.json").read_text())["environment"]
    return environment


TINY_REVISION = hash_files(sorted(TINY.glob("*.safetensors")))
RUNS_CODE = " is or holds a pickle, which runs code when it is loaded"
ARCHIVED = " is an archive, and what is in it can't be seen on the Hub"
LIMITS = "What it writes is not fact, and was not said by"
# forgery -> the claims that say so, and a part of what each says
FORGERIES: dict[str, tuple[Forgery, dict[str, str]]] = {
    # what is on README.md
    "a figure": (
        edit("README.md", "Trained on: 778", "Trained on: 9,778"),
        {
            "card": (
                "README.md says 'Trained on: 9,778; held out: 86.' "
                "where the record says 'Trained on: 778; held"
            )
        },
    ),
    "a row of the funnel": (
        edit("README.md", "| Retweets | 1,225 |", "| Retweets | 225 |"),
        {"card": "says 'Retweets | 225' where the record says"},
    ),
    "a row of the scores": (
        edit_table(
            "Held-out bits per byte",
            lambda table: re.sub(r"\| \d+\.\d+ \|\n", "| 1.0 |\n", table),
        ),
        {"card": "README.md says '@lyons____ | "},
    ),
    "swapped headers": (
        edit("README.md", "| Base | This model |", "| This model | Base |"),
        {"card": "says 'Held-out bits per byte (lower is better) | This model"},
    ),
    "a row more": (
        edit_table(
            "Held-out bits per byte", lambda table: f"{table.rstrip()}\n| all | 2.0 | 0.1 |\n\n"
        ),
        {"card": "has a row in a generated table that the record does not know: 'all | 2.0 | 0.1"},
    ),
    "a row less": (
        edit("README.md", "| Short tweets |", "<!-- | Short tweets | -->\n| Short ones |"),
        {"card": "README.md "},
    ),
    "a table twice": (
        edit_table("Data", lambda table: f"{table}\n\n{table}"),
        {"card": "more than once, or in another place"},
    ),
    "scores in a comment": (
        wrap("<!--", "-->"),
        {"card": "README.md lacks 'Held-out bits per byte"},
    ),
    "scores not displayed": (
        wrap('<div style="display:none">', "</div>"),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in no colour": (
        wrap('<div style="color: transparent">', "</div>"),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores of no size": (
        wrap('<div style="font-size:0">', "</div>"),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in a class": (
        wrap('<div class="sr-only">', "</div>"),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "hidden scores": (wrap("<div hidden>", "</div>"), {"card": "README.md hides 'Held-out bits"}),
    "folded scores": (
        wrap("<details><summary>More</summary>", "</details>"),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in a fold of ours": (
        lambda repo: {
            "README.md": re.sub(
                r"(\| Held-out bits.*?\n\n)(<details>.*?</summary>\n\n)",
                r"\2\1",
                (repo / "README.md").read_text(),
                count=1,
                flags=re.DOTALL,
            ).encode()
        },
        {"card": "README.md hides 'Held-out bits"},
    ),
    "a definition under another summary": (
        edit("README.md", "<summary>What counts", "<summary>Nothing counts"),
        {"card": "README.md says 'Nothing counts as a copy' where the record says 'What counts"},
    ),
    "a hidden summary": (
        edit("README.md", "<summary>What counts", '<summary style="opacity: 0">What counts'),
        {"card": "README.md hides 'What counts as a copy"},
    ),
    "a definition without a summary": (
        edit("README.md", "<summary>What counts as a copy</summary>", "What counts as a copy"),
        {"card": "README.md hides 'What counts as a copy"},
    ),
    "a definition as a second summary": (
        edit(
            "README.md",
            "What counts as a copy</summary>",
            "More</summary><summary>What counts as a copy</summary>",
        ),
        {"card": "README.md hides 'What counts as a copy"},
    ),
    "scores in a template": (
        wrap("<template>", "</template>"),
        {"card": "README.md lacks 'Held-out bits"},
    ),
    "struck scores": (
        edit_table(
            "Held-out bits per byte",
            lambda table: re.sub(r"\| (\d+\.\d+) \|", r"| ~~\1~~ |", table, count=1),
        ),
        {"card": "README.md hides '@lyons____ | "},
    ),
    **{
        f"scores in an element that is not known: {name}": (
            put_in(name),
            {"card": "README.md hides 'Held-out bits"},
        )
        for name in ("dialog", "video", "x-y")
    },
    "scores of another language": (
        put_in("div", 'dir="rtl"'),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in our own style on another element": (
        put_in(
            "div",
            'style="padding:2px 10px;border-radius:12px;background:#1d4ed8;color:white;'
            'font-size:13px"',
        ),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in a formula": (
        wrap("$$\\phantom{", "}$$"),
        {"card": "README.md has $$ that is not the start of a short formula"},
    ),
    "scores in another formula": (
        wrap("\\\\(\\phantom{", "}\\\\)"),
        {"card": "README.md has \\\\( that is not the start of"},
    ),
    "scores in a footnote": (
        edit_table("Held-out bits per byte", lambda table: f"[^1]: more\n{table}"),
        {"card": "README.md has a footnote with lines right under it"},
    ),
    "scores as a narrow table": (
        lay_out(cell='<td width="0">'),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores over several columns": (
        lay_out(cell='<td colspan="2">'),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores in a column that is hidden": (
        lay_out('<table><colgroup><col><col style="visibility: collapse"></colgroup>'),
        {"card": "README.md hides 'Held-out bits"},
    ),
    "scores under another header": (lay_out(join=1), {"card": "README.md says '@lyons____ \\\\| "}),
    "an empty cell before the scores": (
        lambda repo: {
            "README.md": (lay_out()(repo)["README.md"] or b"").replace(
                b"<tr><td> @", b"<tr><td></td><td> @"
            )
        },
        {"card": "README.md says '| @lyons____ | "},
    ),
    "a figure before a figure": (
        edit("README.md", "Trained on: 778", "Trained on: 9,<x-y></x-y>778"),
        {"card": "README.md says 'Trained on: 9,778; held"},
    ),
    "a figure before a figure by a number of a list": (
        edit("README.md", "Trained on: 778", "9. Trained on: 778"),
        {"card": "README.md hides 'Trained on: 778"},
    ),
    "a paragraph as code": (
        edit("README.md", "Trained on: 778", "    Trained on: 778"),
        {"card": "README.md hides 'Trained on: 778"},
    ),
    "a picture of no size": (
        show_loss('<img src="{}" alt="{}" width="1" height="1">'),
        {"card": "README.md hides '[Loss from"},
    ),
    "a picture with another source": (
        show_loss('<img src="{}" alt="{}" srcset="better.png">'),
        {"card": "README.md hides '[Loss from"},
    ),
    "a picture with another source in an element": (
        show_loss('<picture><source srcset="better.png"><img src="{}" alt="{}"></picture>'),
        {"card": "README.md hides '[Loss from"},
    ),
    "an element that is not closed": (
        edit("README.md", "## Training data", "<div hidden>\n\n## Training data"),
        {"card": "README.md hides "},
    ),
    "a figure with an invisible character": (
        edit("README.md", "Trained on: 778", "Trained on: 77\u200b8"),
        {"card": "README.md says 'Trained on: 77"},
    ),
    "they wrote it": (
        edit(
            "README.md",
            "who did not write these posts.",
            "who wrote every word of them.",
        ),
        {"card": "where the record says "},
    ),
    "no imitation": (edit("README.md", LIMITS, "<!--" + LIMITS + "-->"), {"card": "README.md "}),
    "no bot": (edit("README.md", ">AI BOT</span>", "></span>"), {"card": "AI BOT'"}),
    "consent": (
        edit(
            "README.md",
            "The publisher has not stated whether their author agreed.",
            "Their author agreed.",
        ),
        {"card": "where the record says "},
    ),
    "another picture under the same words": (
        edit("README.md", "resolve/main/loss.png)", "resolve/main/better.png)"),
        {"card": "better.png"},
    ),
    "another licence": (
        edit("README.md", "\nlicense: mit\n", "\nlicense: apache-2.0\n"),
        {"card": "README.md says license: 'apache-2.0' where the record says 'mit'"},
    ),
    "another score in the metadata": (
        lambda repo: {
            "README.md": re.sub(
                r"(value: )\d+\.\d+", r"\g<1>0.1", (repo / "README.md").read_text(), count=1
            ).encode()
        },
        {"card": "README.md says model-index: "},
    ),
    "another base in the metadata": (
        add_metadata("base_model: owner/better"),
        {"card": "says base_model: 'owner/better' where the record says nothing"},
    ),
    "another base by a merge key": (
        add_metadata("<<: {base_model: owner/better}"),
        {"card": "merge keys are not read here", "widget": "merge keys are not read here"},
    ),
    "a better score beside ours in the metadata": (
        edit(
            "README.md",
            "\nmodel-index:\n",
            "\nmodel-index:\n"
            "- {name: best, results: [{metrics: [{type: bits_per_byte, value: 0.1}]}]}\n",
        ),
        {"card": "README.md says model-index: "},
    ),
    "another base in metadata after an empty line": (
        add_metadata("base_model: owner/better", before="\n"),
        {"card": "says base_model: 'owner/better' where the record says nothing"},
    ),
    # the record alone
    "a number in the record": (
        edit("hubtweets.json", '"train_posts": 778', '"train_posts": 779'),
        {"consistency": "", "card": "has the card say "},
    ),
    "a funnel that does not add up": (
        keep_more,
        {"record": "hubtweets.json: not a record of hubtweets (counts.0: Value error, "},
    ),
    "a path": (
        edit("hubtweets.json", '"avatar": "avatar.png"', '"avatar": "../../x.png"'),
        {"record": "it names the file ../../x.png"},
    ),
    "a copy that is shown": (
        pick_a_copy,
        {
            "card": "the record can't be rendered",
            "widget": "copies a post",
            "samples": "is picked and is a copy",
            "audit": "",
        },
    ),
    # record, card, pictures and hashes together
    "a better score": (
        change_record(lambda record: score(record, 1.0)),
        {"consistency": "bits per byte, but the evaluation of step", "scores": "don't agree"},
    ),
    "a better score and perplexity": (
        change_record(lambda record: score(record, 1.0, perplexity=True)),
        {"consistency": "1.0000 bits per byte, but the evaluation of step"},
    ),
    "a better evaluation": (
        change_record(
            lambda record: replace(
                record,
                evaluations=(
                    replace(record.evaluations[0], bits_per_byte=0.5),
                    *record.evaluations[1:],
                ),
            )
        ),
        {"consistency": "is published, but step "},
    ),
    "evaluations without end": (
        change(training={"early_stopping_patience": 1}, environment={"published_step": 1}),
        {"consistency": "step 1 is published, but step "},
    ),
    "more posts": (
        change(dataset={"train_posts": 100_000}),
        {"consistency": "864 posts are kept, and 100,000 + 86 were trained on or held out"},
    ),
    "nothing held out": (
        change(counts={"kept": 778, "short": 1083}, dataset={"validation_posts": 0}),
        {"consistency": "", "samples": "held-out posts"},
    ),
    "more masked than kept": (
        change(counts={"masked": 900}),
        {"consistency": "of which 900 are masked"},
    ),
    "fewer characters than posts": (
        change(counts={"characters": 10}),
        {"consistency": "have 10 characters"},
    ),
    "more tokens": (
        change(environment={"tokens": 9_999_999}),
        {"consistency": "are not 9,999,999 tokens"},
    ),
    "fewer epochs": (
        change(training={"num_train_epochs": 0.001}),
        {"consistency": "tokens are more than 0.001 epochs of"},
    ),
    "a step after the last": (
        change(environment={"published_step": 9999}),
        {"consistency": "step 9,999 of "},
    ),
    "a shorter history": (
        change_record(lambda record: replace(record, history=record.history[:-1])),
        {"consistency": "does not go from the first step to the last"},
    ),
    "a learning rate over its peak": (
        change(history={"learning_rate": 5.0}),
        {"consistency": "at a learning rate of 5 in step"},
    ),
    "a version that never was": (
        set_version("torch", "99.1"),
        {"consistency": "does not run with torch 99.1"},
    ),
    "a version that is none": (
        set_version("accelerate", "latest"),
        {"consistency": "accelerate latest is not a version"},
    ),
    "an old Python": (
        set_version("python", "2.7.18"),
        {"consistency": "does not run with python 2.7.18"},
    ),
    "posts from the future": (
        change(sources={"last": "2999-01-01T00:00:00+00:00"}),
        {"consistency": "to 2999-01-01T00:00:00+00:00, and the commit from"},
    ),
    "the last post first": (
        change(sources={"first": "2026-11-01T00:00:00+00:00"}),
        {"consistency": "the posts are from 2026-11-01"},
    ),
    "another author": (
        change(counts={"handle": "somebody"}),
        {"consistency": "the stats are of other authors than the profiles"},
    ),
    "Llama": (
        change(base={"id": "Llama-3-70B"}),
        {"base": "the weights have 29,344 parameters, and Llama-3-70B has about 70B"},
    ),
    "more parameters": (
        change(environment={"parameters": 70_000_000_000}),
        {"base": "and the record says 70,000,000,000", "writer": "parameters"},
    ),
    "the embedded base": (
        change(base={"id": "tiny", "revision": TINY_REVISION}),
        {"base": "the record says of `tiny` "},
    ),
    "a tokenizer of another model": (
        add_tokens,
        {"base": "the tokenizer has 1,000 tokens, and the model knows 262"},
    ),
    "other weights": (flip_weights, {"writer": "samples are others, such as "}),
    "weights that are not whole": (
        drop_a_tensor,
        {"writer": "its config asks for 29,344 parameters, and its weights are 29,216"},
    ),
    "other samples": (change_record(invent), {"writer": "QXZ", "audit": ""}),
    "other samples under other settings": (
        invent_freely,
        {"settings": "top_p is 1.0, and hubtweets samples with 0.95", "writer": "", "audit": ""},
    ),
    "another sample that is not shown": (change_record(swap_unshown), {"writer": ""}),
    "other settings in the files": (
        edit_config("generation_config.json", top_p=1.0),
        {"settings": "generation_config.json has top_p 1.0", "writer": ""},
    ),
    "more settings in the files": (
        edit_config("generation_config.json", num_beams=5),
        {"settings": "generation_config.json sets num_beams too", "writer": ""},
    ),
    "another seed": (change(samples={"seed": 12}), {"writer": "drawn again from seed 12"}),
    "less copied": (change_record(copy_less), {"audit": " of it in the posts"}),
    "a lower floor": (change(audit={"held_out_copies": 80}), {"audit": "held-out posts copy at"}),
    "fewer held-out posts": (
        change(audit={"held_out": 10, "held_out_copies": 0}),
        {"samples": "10 held-out posts make the floor, and 86 were", "audit": ""},
    ),
    "another threshold": (change(audit={"threshold": 0.99}), {"audit": "held-out posts copy at"}),
    "other lengths": (
        change(audit={"long": 400}),
        {"samples": "copies are measured from 400 and 28 characters on"},
    ),
    "another margin": (change(audit={"margin": 0.9}), {"samples": "copies are measured from"}),
    "more samples": (change(audit={"samples": 2000}), {"samples": "of 2000 are said to be copies"}),
    "a step that was not evaluated": (
        change_record(lambda record: replace(record, evaluations=())),
        {"consistency": "no evaluation of the last step"},
    ),
    "an evaluation less": (
        change_record(lambda record: replace(record, evaluations=record.evaluations[1:])),
        {"consistency": "the history is not of every 10 steps"},
    ),
    "a history with gaps": (
        change_record(
            lambda record: replace(record, history=(*record.history[:-2], record.history[-1]))
        ),
        {"consistency": "the history is not of every 10 steps"},
    ),
    "another split than was asked for": (
        change(curation={"split": "hash"}),
        {"consistency": "the posts were to be split by hash, and were split by time"},
    ),
    "a split by time without dates": (
        change(sources={"first": None, "last": None}),
        {"consistency": "split by time, and have no dates"},
    ),
    "too few posts for a tenth": (
        change(dataset={"train_posts": 854, "validation_posts": 10}),
        {
            "consistency": "10 posts were held out, and the last tenth is 86",
            "samples": "held-out posts",
        },
    ),
    "too many posts for a tenth by hash": (
        change(dataset={"train_posts": 664, "validation_posts": 200, "split": "hash"}),
        {
            "consistency": "200 of 864 posts were held out, and by hash one in ten is",
            "samples": "held-out posts",
        },
    ),
    "languages of more than everything": (
        change(dataset={"languages": {"en": 1.5, "de": -0.5}}),
        {"consistency": "the share of en is 1.5"},
    ),
    "no process": (
        change(environment={"num_processes": -4}),
        {"consistency": "num_processes is -4"},
    ),
    "a precision that never was": (
        change(environment={"mixed_precision": "fp4"}),
        {"consistency": "mixed_precision is 'fp4'"},
    ),
    "a setting that can't be": (
        change(training={"warmup_ratio": 7.0}),
        {"consistency": "warmup_ratio is 7"},
    ),
    "steps without end": (
        change(environment={"steps": 10**30}),
        {"consistency": "steps of 1,024 tokens are not"},
    ),
    "more passes": (
        change_record(lambda record: replace(record, passes=(9.0,))),
        {"consistency": "an epoch passes 9 times"},
    ),
    "event files that are not there": (
        forget_events,
        {"consistency": "there are no event files in runs/"},
    ),
    "another licence than the base's": (
        change(terms={"license": License("apache-2.0")}),
        {"consistency": "is under mit, and so are models made from it"},
    ),
    "a measure longer than the text": (measure(characters=9999), {"samples": "9999", "audit": ""}),
    "a measure of less than nothing": (measure(characters=-5), {"samples": "-5", "audit": ""}),
    "a share without a run": (
        measure(characters=0, words=0, share=0.4),
        {"samples": "share=0.4", "audit": ""},
    ),
    "samples of one prompt": (
        pick_of_one_prompt,
        {"samples": "several samples from one prompt are picked"},
    ),
    "a prompt that is the whole text": (
        prompt_all,
        {"samples": "adds nothing to its prompt", "writer": ""},
    ),
    # pictures
    "another thumbnail": (
        add_file("predictions.png", red()),
        {
            "files": "predictions.png is not the file that was pushed",
            "thumbnail": "% of predictions.png is not what the record draws",
        },
    ),
    "another thumbnail with its hash": (
        lambda repo: forge(read_record(repo), {"predictions.png": red()}),
        {"thumbnail": "% of predictions.png is not what the record draws"},
    ),
    "a missing picture": (
        lambda repo: {"pipeline.png": None},
        {"files": "pipeline.png is missing", "figures": "pipeline.png is missing"},
    ),
    # files
    "a weight": (flip_a_bit, {"files": "model.safetensors is not the file that was pushed"}),
    "a pickle": (add_file("optimizer.pt", b"\x80\x02."), {"code": f"optimizer.pt{RUNS_CODE}"}),
    "a pickle under another name": (
        add_file("notes.txt", pickle.dumps(Evil())),
        {"code": f"notes.txt{RUNS_CODE}"},
    ),
    "a pickle of protocol 0": (
        add_file("notes.txt", pickle.dumps(Evil(), 0)),
        {"code": f"notes.txt{RUNS_CODE}"},
    ),
    "a pickle that is long": (
        add_file("notes.md", pickle.dumps(["x" * 2_000_000, Evil()], 2)),
        {"code": f"notes.md{RUNS_CODE}"},
    ),
    "a packed pickle": (
        add_file("notes.txt", gzip.compress(pickle.dumps(Evil()))),
        {"code": f"notes.txt{ARCHIVED}"},
    ),
    "a zip": (add_file("data.json", zipped("archive/data.pkl")), {"code": f"data.json{ARCHIVED}"}),
    "a zip behind a picture": (
        lambda repo: {"avatar.png": (repo / "avatar.png").read_bytes() + zipped("data.pkl")},
        {"files": "avatar.png is not the file that was pushed", "code": f"avatar.png{ARCHIVED}"},
    ),
    "a tar": (add_file("notes.txt", tarred()), {"code": f"notes.txt{ARCHIVED}"}),
    "a model of code": (add_file("modeling.py", b"print('ran')"), {"code": "modeling.py is code"}),
    "a way to generate": (
        add_file("custom_generate/generate.txt", b"def generate(): ..."),
        {"code": "custom_generate/generate.txt is code"},
    ),
    "a script": (add_file("Install.SH", b"echo ran"), {"code": "Install.SH is code"}),
    "a config that names code": (
        edit_config("config.json", auto_map={"AutoModelForCausalLM": "modeling.Evil"}),
        {"code": "config.json names code to be fetched or imported (auto_map)"},
    ),
    "a config that names code deep in it": (
        edit_config(
            "tokenizer_config.json", more=[{"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}]
        ),
        {"code": "tokenizer_config.json names code to be fetched or imported (auto_map)"},
    ),
    "a kernel": (
        edit_config("config.json", attn_implementation="owner/kernel"),
        {"code": "config.json names code to be fetched"},
    ),
    "an adapter beside the weights": (
        add_file(
            "adapter_config.json",
            json.dumps(
                {"base_model_name_or_path": "owner/other", "peft_type": "LORA", "revision": None}
            ).encode(),
        ),
        {
            "files": "adapter_config.json is not hubtweets', and is loaded with the weights",
            "base": "there is an adapter_config.json",
            "writer": "",
        },
    ),
    "a template of chats": (
        add_file("chat_template.jinja", b"evil"),
        {"files": "chat_template.jinja is not hubtweets'"},
    ),
    "more tokens beside the tokenizer": (
        add_file("added_tokens.json", b"{}"),
        {"files": "added_tokens.json is not hubtweets'"},
    ),
    "other weights for llama.cpp": (
        add_file("model.gguf", b"GGUF"),
        {"files": "its weights can't be compared"},
    ),
    "a name in another case": (
        add_file("Config.json", b"{}"),
        {"files": "Config.json and config.json are one file where case does not count"},
    ),
    "more layers than can be made": (
        edit_config("config.json", n_layer=10**6),
        {"writer": "n_layer is 1e+06, and at most 1000 are loaded here"},
    ),
    "an unknown kind of file": (
        add_file("data.xyz", b"?"),
        {"code": "data.xyz is of a kind that is not known to be harmless"},
    ),
    "no record": (lambda repo: {"hubtweets.json": None}, {"record": "there is no hubtweets.json"}),
    "a record of another version": (
        set_schema,
        {
            "record": (
                "schema 99, of another version of hubtweets; type: pip install hubtweets==7.0.0"
            ),
            "weights": "is not a safetensors file",
        },
    ),
}
UNCHECKED = (
    "scores in a formula",
    "scores in another formula",
    "scores in a footnote",
    "another sample that is not shown",
    "other weights for llama.cpp",
    "an unknown kind of file",
    "no record",
)  # the others are false
UNREAD = (
    "a funnel that does not add up",
    "a path",
    "no record",
    "a record of another version",
)  # the other claims are unchecked
