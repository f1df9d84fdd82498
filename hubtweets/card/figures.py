"""The pictures of a run: predictions.png for previews, pipeline.png and loss.png for the card.

In: the record and the avatars. Out: PNG bytes. Jinja fills a Typst template, every value as a string literal and never as markup; Typst compiles
it in an empty folder that holds the avatars only, so that nothing else can be read.
"""

from pathlib import Path

from hubtweets.card.loss_curve import draw_loss
from hubtweets.card.typst import draw_template
from hubtweets.record.run_record import RunRecord
from hubtweets.text import to_plain_text

MAX_AVATARS = 9  # on the thumbnail
MAX_POSTS = 3  # on the thumbnail
MAX_PROMPT_CHARS = 60
MAX_TEXT_CHARS = (
    600  # characters that are laid out; the rest would not be seen and takes Typst seconds
)


def draw_figures(record: RunRecord, repo: Path) -> dict[str, bytes]:
    """Draw every picture that the record has something for, by the name of its file in the repo."""
    pictures = {
        "predictions.png": draw_thumbnail(record, repo),
        "pipeline.png": draw_pipeline(record, repo),
    }
    return pictures | ({"loss.png": draw_loss(record, repo)} if record.history else {})


def draw_thumbnail(record: RunRecord, repo: Path) -> bytes:
    """Draw the thumbnail, 1200 x 630 pixels: avatars, names, and up to three of the picked samples, each after its prompt."""
    assert record.samples
    shown = record.samples.list_picked()[:MAX_POSTS]
    rests = [(one.text or "").removeprefix(one.prompt) for one in shown]
    posts = [
        (
            to_plain_text(one.prompt, MAX_PROMPT_CHARS),
            int(rest[:1].isspace()),
            to_plain_text(rest, MAX_TEXT_CHARS),
        )
        for one, rest in zip(shown, rests, strict=True)
    ]
    return draw_template(
        "thumbnail.typ.j2",
        repo,
        [profile.avatar for profile in record.profiles if profile.avatar][:MAX_AVATARS],
        name=to_plain_text(
            " & ".join(
                to_plain_text(profile.name, 60) or profile.handle for profile in record.profiles
            ),
            120,
        ),
        kind="AI BOT" if len(record.profiles) == 1 else "AI CYBORG",
        record=record,
        posts=posts,
    )


def draw_pipeline(record: RunRecord, repo: Path) -> bytes:
    """Draw how posts became a bot, 1200 x 260 pixels, with this run's own numbers."""
    downloaded, kept = (
        sum(getattr(counts, name) for counts in record.counts) for name in ("downloaded", "kept")
    )
    return draw_template(
        "pipeline.typ.j2", repo, [], record=record, downloaded=downloaded, kept=kept
    )
