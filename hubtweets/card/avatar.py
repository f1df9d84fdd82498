"""Avatars: any image, cropped to a square."""

import io

from PIL import Image, UnidentifiedImageError

AVATAR_SIDE_PIXELS = 400
MAX_IMAGE_PIXELS = 64 * 2**20


def crop_to_square(image: bytes) -> bytes | None:
    """Return an avatar as a PNG of 400 x 400 pixels with nothing of the file but its pixels, or None where it is no picture."""
    Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG", "GIF", "WEBP")) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    buffer = io.BytesIO()
    picture.resize(
        (AVATAR_SIDE_PIXELS, AVATAR_SIDE_PIXELS),
        Image.Resampling.LANCZOS,
        (left, top, left + side, top + side),
    ).save(buffer, "PNG")
    return buffer.getvalue()
