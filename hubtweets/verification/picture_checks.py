"""The pictures of a bot against its record: they are drawn again, and compared pixel by pixel."""

import io

import numpy as np
from PIL import Image

from hubtweets import __version__
from hubtweets.card import figures
from hubtweets.card.avatar import AVATAR_SIDE_PIXELS
from hubtweets.card.loss_curve import draw_loss
from hubtweets.verification.claims import Bot, Verdict

WIDEST = 2000  # pixels of a picture that is looked at
SMOOTH = 32  # levels of a colour by which machines may smooth an edge differently
ANOTHER = 0.0002  # share of the pixels that differ by more, from which a picture is another one


def check_thumbnail(bot: Bot) -> Verdict:
    """predictions.png shows the picked samples of the record."""
    return compare_pictures(bot, ["predictions.png"])


def check_figures(bot: Bot) -> Verdict:
    """pipeline.png and loss.png show the record's numbers."""
    return compare_pictures(
        bot, ["pipeline.png", *(["loss.png"] if bot.record.has_loss_curve else [])]
    )


def compare_pictures(bot: Bot, names: list[str]) -> Verdict:
    if bot.record.hubtweets_version != __version__:
        return (
            None,
            "drawn by another hubtweets; "
            f"type: pip install hubtweets=={bot.record.hubtweets_version}",
        )
    files = bot.files()
    for avatar in (profile.avatar for profile in bot.record.profiles if profile.avatar):
        if avatar not in files or pixels(files[avatar].read_bytes()).shape != (
            AVATAR_SIDE_PIXELS,
            AVATAR_SIDE_PIXELS,
            4,
        ):
            return False, f"{avatar} is no avatar of {AVATAR_SIDE_PIXELS} pixels"
    draw = {
        "predictions.png": figures.draw_thumbnail,
        "pipeline.png": figures.draw_pipeline,
        "loss.png": draw_loss,
    }
    for name in names:
        if name not in files:
            return False, f"{name} is missing"
        drawn, there = pixels(draw[name](bot.record, bot.folder)), pixels(files[name].read_bytes())
        if drawn.shape != there.shape:
            return (
                False,
                f"{name} has {there.shape[1]} x {there.shape[0]} pixels, "
                f"not {drawn.shape[1]} x {drawn.shape[0]}",
            )
        share = float((abs(drawn - there) > SMOOTH).any(axis=2).mean())
        if share > ANOTHER:
            return False, f"{share:.2%} of {name} is not what the record draws"
    return True, f"{' and '.join(names)}: what the record draws"


def pixels(picture: bytes) -> np.ndarray:
    """Return a PNG's colours and opacity, [height, width, 4].

    Raises ValueError if it is no PNG, or too large.
    """
    with Image.open(io.BytesIO(picture), formats=("PNG",)) as opened:
        if max(opened.size) > WIDEST:
            raise ValueError(f"a picture of {opened.width} x {opened.height} pixels")
        return np.asarray(opened.convert("RGBA"), np.int16)
