"""The pictures of a run: predictions.png for link previews, pipeline.png and loss.png for the card.

In: the record and the avatars. Out: PNG bytes. Jinja fills a Typst template; every value becomes a
string literal, never markup.
"""

from pathlib import Path

from hubtweets.card.loss_curve import draw_loss
from hubtweets.card.typst import draw_template
from hubtweets.record.run_record import RunRecord
from hubtweets.record.samples import Sample
from hubtweets.text import to_plain_text

MAX_AVATARS = 9  # on the thumbnail
MAX_POSTS = 3  # on the thumbnail
MAX_PROMPT_CHARS = 60
MAX_TEXT_CHARS = 600  # laid out of a post; more would not be seen, and takes Typst seconds


def draw_figures(record: RunRecord, repo: Path) -> dict[str, bytes]:
    """Draw the pictures that the record has data for, by their file names in the repo."""
    pictures = {
        "predictions.png": draw_thumbnail(record, repo),
        "pipeline.png": draw_pipeline(record, repo),
    }
    if record.history:
        pictures["loss.png"] = draw_loss(record, repo)
    return pictures


def draw_thumbnail(record: RunRecord, repo: Path) -> bytes:
    """Draw the thumbnail, 1200 x 630 pixels: avatars, names, and the first picked samples."""
    assert record.samples
    avatars = [profile.avatar for profile in record.profiles if profile.avatar]
    names = [to_plain_text(profile.name, 60) or profile.handle for profile in record.profiles]
    return draw_template(
        "thumbnail.typ.j2",
        repo,
        avatars[:MAX_AVATARS],
        name=to_plain_text(" & ".join(names), 120),
        kind="AI BOT" if len(record.profiles) == 1 else "AI CYBORG",
        record=record,
        posts=[split_sample(sample) for sample in record.samples.list_picked()[:MAX_POSTS]],
    )


def split_sample(sample: Sample) -> tuple[str, int, str]:
    """Return the prompt of a sample, the number of spaces after it, and the text added to it."""
    rest = (sample.text or "").removeprefix(sample.prompt)
    spaces = int(rest[:1].isspace())
    return (
        to_plain_text(sample.prompt, MAX_PROMPT_CHARS),
        spaces,
        to_plain_text(rest, MAX_TEXT_CHARS),
    )


def draw_pipeline(record: RunRecord, repo: Path) -> bytes:
    """Draw the steps from posts to bot, 1200 x 260 pixels, with the numbers of this run."""
    downloaded = sum(counts.downloaded for counts in record.counts)
    kept = sum(counts.kept for counts in record.counts)
    return draw_template(
        "pipeline.typ.j2", repo, [], record=record, downloaded=downloaded, kept=kept
    )
