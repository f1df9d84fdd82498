"""The faces on the thumbnail: each author's avatar, or initials on a colour of the handle."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hubtweets.posts.post import Profile
from hubtweets.text import to_plain_text

MAX_FACES = 5  # if there are more authors, the last face says how many more
# Degrees in OKLCH on which white text is readable, without the muddy yellows and olives.
HUES = (5, 30, 50, 150, 175, 200, 230, 255, 280, 305, 335)


@dataclass(frozen=True)
class Face:
    """What a face shows: an image file of the repo, or initials on a hue if it is None."""

    image: str | None
    initials: str
    hue: int


def list_faces(profiles: Sequence[Profile]) -> list[Face]:
    """Return the faces of the authors, or of the first ones and one that counts the others."""
    faces = [
        Face(profile.avatar, get_initials(profile), choose_hue(profile.handle))
        for profile in profiles
    ]
    if len(faces) <= MAX_FACES:
        return faces
    shown = faces[: MAX_FACES - 1]
    return [*shown, Face(None, f"+{len(faces) - len(shown)}", choose_hue(""))]


def get_initials(profile: Profile) -> str:
    """Return the first letters of the first two words of a name, or the first of the handle."""
    words = to_plain_text(profile.name, 60).split()
    initials = [word[0].upper() for word in words if word[0].isalnum()][:2]
    letters = [letter.upper() for letter in profile.handle if letter.isalnum()]
    return "".join(initials or letters[:1]) or "@"


def choose_hue(handle: str) -> int:
    """Return the hue of a handle, always the same one."""
    return HUES[hashlib.sha256(handle.encode("utf-8", "replace")).digest()[0] % len(HUES)]
