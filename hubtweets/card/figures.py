"""The pictures of a run: predictions.png for link previews, pipeline.png and loss.png for the card.

In: the record and the avatars. Out: PNG bytes. Jinja fills a Typst template; every value becomes a
string literal, never markup.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from hubtweets.card.faces import list_faces
from hubtweets.card.loss_curve import draw_loss
from hubtweets.card.typst import draw_template
from hubtweets.record.run_record import RunRecord
from hubtweets.record.samples import Sample
from hubtweets.text import to_plain_text

MAX_LINE_CHARS = 200  # laid out of a line; Typst cuts it where it is too wide
MAX_QUOTES = 20  # measured; a record may have any number of picked samples
MAX_PROMPT_CHARS = 60
NO_QUOTE = "A language model that imitates a person's posts"  # if no sample may be shown
MAX_TEXT_CHARS = 400  # laid out of a quote; more would not be seen, and takes Typst seconds


@dataclass(frozen=True)
class Quote:
    """A sample for the thumbnail; `spaces` is how many stand between the prompt and the rest."""

    prompt: str
    spaces: int
    rest: str
    is_rtl: bool


def draw_figures(record: RunRecord, repo: Path) -> dict[str, bytes]:
    """Draw the pictures that the record has data for, by their file names in the repo."""
    pictures = {
        "predictions.png": draw_thumbnail(record, repo),
        "pipeline.png": draw_pipeline(record, repo),
    }
    if record.has_loss_curve:
        pictures["loss.png"] = draw_loss(record, repo)
    return pictures


def draw_thumbnail(record: RunRecord, repo: Path) -> bytes:
    """Draw the thumbnail, 1200 x 630 pixels: faces and names, and a quote.

    The quote is the first picked sample that fits whole at a readable size.
    """
    assert record.samples
    profiles, count = record.profiles, len(record.profiles)
    names = [to_plain_text(profile.name, 60) or profile.handle for profile in profiles]
    faces = list_faces(profiles)
    quotes = [split_sample(sample) for sample in record.samples.list_picked()[:MAX_QUOTES]]
    return draw_template(
        "thumbnail.typ.j2",
        repo,
        [face.image for face in faces if face.image],
        record=record,
        faces=faces,
        name=to_plain_text(" & ".join(names), MAX_LINE_CHARS),
        handles=to_plain_text(" ".join(f"@{one.handle}" for one in profiles), MAX_LINE_CHARS),
        kind="AI BOT" if count == 1 else f"AI BOT of {count} people",
        quotes=quotes or [Quote("", 0, NO_QUOTE, False)],
    )


def split_sample(sample: Sample) -> Quote:
    """Return a sample as its prompt and the text added to it."""
    text = sample.text or ""
    rest = text.removeprefix(sample.prompt)
    return Quote(
        prompt=to_plain_text(sample.prompt, MAX_PROMPT_CHARS),
        spaces=int(rest[:1].isspace()),
        rest=to_plain_text(rest, MAX_TEXT_CHARS),
        is_rtl=is_right_to_left(text),
    )


def is_right_to_left(text: str) -> bool:
    """Return True if the first letter that has a direction is written from right to left."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((way != "L" for way in directions if way in ("L", "R", "AL")), False)


def draw_pipeline(record: RunRecord, repo: Path) -> bytes:
    """Draw the steps from posts to bot, 1200 x 230 pixels, with the numbers of this run."""
    downloaded = sum(counts.downloaded for counts in record.counts)
    kept = sum(counts.kept for counts in record.counts)
    return draw_template(
        "pipeline.typ.j2", repo, [], record=record, downloaded=downloaded, kept=kept
    )
