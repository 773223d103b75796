"""Images that tests make: as cameras and editors write them, and as attackers do."""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def image_of(*columns: tuple[int, ...], size: tuple[int, int] = (96, 96), mode: str = "RGB") -> Any:
    """Return an image with a stripe of each colour, from left to right."""
    image = Image.new(mode, size)
    width = size[0] // len(columns)
    for number, color in enumerate(columns):
        image.paste(color, (number * width, 0, (number + 1) * width, size[1]))
    return image


def written(image: Any, format: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


JPEG = written(image_of(RED, BLUE), "JPEG", quality=95)
PNG = written(image_of(RED, BLUE), "PNG")
WEBP = written(image_of(RED, BLUE), "WEBP", lossless=True)


def opened(content: bytes) -> Any:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def webp_chunks(content: bytes) -> list[str]:
    """Return the names of the chunks of a WebP file (RFC 9649 section 2.3)."""
    assert content[:4] == b"RIFF"
    assert content[8:12] == b"WEBP"
    names, at = [], 12
    while at < len(content):
        names.append(content[at : at + 4].decode().strip())
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return names


def exif_with(orientation: int = 1) -> bytes:
    """Return EXIF with an orientation and a place."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker of a camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return exif.tobytes()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, data: bytes, *more: bytes, color: int = 2) -> bytes:
    """Return a PNG file of 8 bits with this head, whatever the data are."""
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", head), *more, png_chunk(b"IDAT", data), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def with_jpeg_size(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG file whose head claims another size."""
    at = next(jpeg.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in jpeg)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def jpeg_with_scans(jpeg: bytes, number: int) -> bytes:
    """Return a progressive JPEG file whose last scan is repeated."""
    last = jpeg.rfind(b"\xff\xda")
    return jpeg[:-2] + jpeg[last:-2] * number + jpeg[-2:]


def average(image: Any, box: Sequence[int]) -> tuple[int, ...]:
    """Return the mean colour of a part of an image."""
    pixel = (
        image.convert("RGBA").crop(tuple(box)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    )
    return tuple(pixel)
