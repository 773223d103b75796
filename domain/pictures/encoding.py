"""Encode pictures anew: whatever was in a file besides its pixels is gone. The only file that
imports Pillow."""

import warnings
from io import BytesIO

from PIL import Image

from domain.errors import InvalidInput, Overloaded
from domain.pictures.sizes import PictureSize
from domain.pictures.structure import jpeg_scans, require_png_parts

# Every other decoder stays closed.
FORMATS = ("JPEG", "PNG", "WEBP")

# Those of 4096 by 4096. Decoded, they take 64 MiB, and twice that to be made smaller.
MAX_PIXELS = 16 * 1024 * 1024

# For files of JPEG in one scan, which are made smaller while they are decoded.
MAX_JPEG_PIXELS = 100_000_000

# Each of the others goes over all pixels again. Encoders write about ten.
MAX_JPEG_SCANS = 40

_QUALITY = 82

# A picture is first made smaller by a whole number, to twice the size or more. That looks as good,
# and takes a part of the time.
_REDUCING_GAP = 2.0

_LARGEST = (PictureSize.LARGE.pixels, PictureSize.LARGE.pixels)

# Of EXIF: how to turn what is stored.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow knows the formats by.
_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n"

_UNREADABLE = "The picture cannot be read. Send a complete JPEG, PNG or WebP file."

# Pillow warns above its limit, and raises an error above twice of it.
Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
# About files that are a little broken.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def encode(content: bytes) -> dict[PictureSize, bytes]:
    """Return the square in the middle of a picture as WebP, in each size.

    Raises InvalidInput for a file that is no picture or has too many pixels, and Overloaded if
    there is not enough memory.
    """
    try:
        square = _square(content)
        return {size: _as_webp(square, size) for size in PictureSize}
    except InvalidInput:
        raise
    except MemoryError:
        raise Overloaded("The server has no memory for a picture. Try again in a moment.") from None
    except Exception:
        # Decoders raise whatever a broken file leads to.
        raise InvalidInput(_UNREADABLE) from None


def _square(content: bytes) -> Image.Image:
    """Return the square in the largest size, as it is to be seen, without metadata."""
    image = _open(content)
    turn = _turn(image)
    left, top = (image.width - image.height) // 2, (image.height - image.width) // 2
    box = (max(left, 0), max(top, 0), image.width - max(left, 0), image.height - max(top, 0))
    image = _resizable(image)
    image = image.resize(_LARGEST, Image.Resampling.LANCZOS, box, reducing_gap=_REDUCING_GAP)
    image = image.convert("RGBA" if image.mode == "RGBa" else "RGB")
    if turn is not None:
        image = image.transpose(turn)
    image.info = {}
    return image


def _open(content: bytes) -> Image.Image:
    """Read the head of a file, decide by it, and decode the file."""
    scans: list[int] = []
    if content.startswith(_JPEG_START):
        scans = jpeg_scans(content)
    elif content.startswith(_PNG_START):
        require_png_parts(content)
    if len(scans) > MAX_JPEG_SCANS:
        raise InvalidInput(_UNREADABLE)
    image = Image.open(BytesIO(content), formats=FORMATS)
    pixels = image.width * image.height
    # libjpeg keeps all of a file that has several scans.
    if scans == [len(image.getbands())] and "progressive" not in image.info:
        _require(pixels, MAX_JPEG_PIXELS)
        image.draft("RGB", _LARGEST)
        pixels = image.width * image.height
    _require(pixels, MAX_PIXELS)
    image.load()
    return image


def _require(pixels: int, limit: int) -> None:
    if pixels > limit:
        raise InvalidInput(
            f"The picture has more than {limit // 1_000_000} megapixels. Make it smaller."
        )


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        # Cameras write broken EXIF, too. The picture is then shown as it is stored.
        return None


def _resizable(image: Image.Image) -> Image.Image:
    """Return a picture with a colour for each pixel, and not with an index or 16 bits. Where it is
    transparent, its colour does not count."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        return (image if image.mode == "RGBA" else image.convert("RGBA")).convert("RGBa")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _as_webp(square: Image.Image, size: PictureSize) -> bytes:
    file = BytesIO()
    resized = square.resize((size.pixels, size.pixels), Image.Resampling.LANCZOS)
    resized.save(file, "WEBP", quality=_QUALITY)
    return file.getvalue()
