"""What a publish would do, as facts and as lines.

In: nothing but the facts, which `dry_run` finds out. Out: lines for a terminal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from hubtweets.files import format_size
from hubtweets.text import to_plain_text

DIFF_NAMES = ("on the Hub", "after this")


@dataclass(frozen=True)
class PlannedFile:
    """A file of the repo: `change` is new, changed, same, deleted, or kept (not hubtweets').

    `size` is in bytes, and None if it is not known; `estimated` if it is about that.
    """

    name: str
    change: str
    size: int | None = None
    estimated: bool = False


@dataclass(frozen=True)
class PublishPlan:
    """What a publish would push, and where.

    `new` is True if there is no such repo yet. `branch` is None for a pull request. `tag` is the
    one of the commit, if anything changes. `trained` is True if the model is trained already.
    """

    repo_id: str
    url: str
    new: bool
    private: bool
    gated: str | None
    commit_title: str
    branch: str | None
    tag: str | None
    base_model: str
    base_revision: str
    parameters: int
    license: str
    train_posts: int
    validation_posts: int
    trained: bool
    num_train_epochs: float
    files: tuple[PlannedFile, ...]


@dataclass(frozen=True)
class Preview:
    """The plan of a publish, lines that show the card or its changes, and why it is a pull request.

    `tag_is_given` is False if the tag is the next version, which only a change gets.
    """

    plan: PublishPlan
    card: tuple[str, ...]
    tag_is_given: bool
    conflicts: tuple[str, ...] = ()


def format_card(preview: Preview) -> Iterator[tuple[str, str]]:
    """Yield each line of the card with "", or of its changes with "+", "-" or "@".

    In changes, names and posts can be read: their characters are not escaped for Markdown.
    """
    is_diff = False
    for line in preview.card:
        is_diff = is_diff or line == f"--- {DIFF_NAMES[0]}"
        if not is_diff:
            yield line, ""
            continue
        mark = line[:1] if line[:1] in ("+", "-", "@") else ""
        yield unescape(line.replace("<wbr>", "")), mark


def format_end(plan: PublishPlan) -> str:
    """Return the last line of a dry run: how much would be pushed."""
    ours = [file for file in plan.files if file.change not in ("kept", "deleted")]
    pushed = [file for file in ours if file.change != "same"]
    size = format_size(sum(file.size or 0 for file in pushed))
    about = "" if plan.trained else "about "
    would = f"{len(pushed)} of {len(ours)} files, {about}{size}" if pushed else "no file"
    return f"Nothing is pushed. A publish would push {would}."


def format_plan(plan: PublishPlan, tag_is_given: bool) -> Iterator[str]:
    """Yield a line for each thing that is known already."""
    words = ["new" if plan.new else "there already", "private" if plan.private else "public"]
    if plan.gated:
        words.append(f"gated ({plan.gated})")
    yield f"to       {plan.url} ({', '.join(words)})"
    place = f"on {plan.branch}" if plan.branch else "as a pull request"
    yield f"commit   {plan.commit_title}, {place}"
    if plan.tag:
        yield f"tag      {plan.tag}{'' if tag_is_given else ', unless nothing changes'}"
    revision = plan.base_revision[:12]
    yield f"base     {plan.base_model}, {plan.parameters:,} parameters, at {revision}"
    yield f"licence  {plan.license}"
    yield f"posts    {plan.train_posts:,} to train on, {plan.validation_posts:,} held out"
    if plan.trained:
        yield "training done already"
    else:
        yield f"training {plan.num_train_epochs:g} epochs at most"


def format_files(files: Sequence[PlannedFile]) -> Iterator[str]:
    """Yield a line for each file: what happens to it, its name and its size."""
    rows = []
    for file in files:
        size = "" if file.size is None else format_size(file.size)
        rows.append((file.change, to_plain_text(file.name, 100), "about " * file.estimated + size))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for change, name, size in rows:
        yield f"{change:<{widths[0]}}  {name:<{widths[1]}}  {size:>{widths[2]}}".rstrip()
