"""Avatars: any image, cropped to a square."""

import io

from PIL import Image, UnidentifiedImageError

AVATAR_SIDE_PIXELS = 400
MAX_IMAGE_PIXELS = (
    64 * 2**20
)  # of an image that is opened; a larger one may be a decompression bomb


def crop_to_square(image: bytes) -> bytes | None:
    """Return the middle of an image as a PNG of 400 x 400 pixels, None if it can't be read.

    The PNG holds the pixels only, no metadata of the file.
    """
    Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG", "GIF", "WEBP")) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize(
        (AVATAR_SIDE_PIXELS, AVATAR_SIDE_PIXELS),
        Image.Resampling.LANCZOS,
        (left, top, left + side, top + side),
    )
    buffer = io.BytesIO()
    square.save(buffer, "PNG")
    return buffer.getvalue()
