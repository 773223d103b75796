"""The parts of a file, counted before a decoder sees them.

Pillow reads the parts before the pixels one by one in Python, and joins or decompresses some: 5 MiB
of small ones would keep the process busy for twenty seconds.
"""

import re

# A profile of colours can take 90 parts of JPEG, and encoders of PNG write 4 KiB of pixels in each.
MAX_JPEG_PARTS = 400
MAX_PNG_PARTS = 3000

# Between the parts of JPEG there may be fill bytes.
_MAX_FILL = 1000

# All markers but stuffed bytes and those that have no length (ITU-T T.81, annex B.1.1).
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])")
_JPEG_SCAN = 0xDA
_JPEG_END = 0xD9
# Those that may come before the pixels. Pillow does not skip the content of others.
_JPEG_PARTS = frozenset({*range(0xC0, 0xF0), 0xFE} - {0xC8, *range(0xD0, 0xDA)})

_PNG_SIGNATURE_BYTES = 8


class TooManyParts(Exception):
    """The file has more parts than an encoder writes."""


def jpeg_scans(content: bytes) -> list[int]:
    """Return the number of components in each scan of a JPEG file, up to the end of its first
    picture. Raises TooManyParts."""
    scans: list[int] = []
    at, parts, fill = 2, 0, 0
    while found := _JPEG_MARKER.search(content, at):
        marker, parts = found[1][0], parts + 1
        if scans and marker == _JPEG_END:
            break
        if not scans:
            fill += found.end() - at
        if parts > MAX_JPEG_PARTS or fill > _MAX_FILL or not (scans or marker in _JPEG_PARTS):
            raise TooManyParts
        at = found.end()
        if marker == _JPEG_SCAN:
            scans.append(int.from_bytes(content[at + 2 : at + 3]))
        at += int.from_bytes(content[at : at + 2])
    return scans


def require_png_parts(content: bytes) -> None:
    """Raise TooManyParts unless a PNG file has a reasonable number of chunks, and one profile of
    colours at most (PNG, third edition, section 5.6)."""
    at, parts, profiles = _PNG_SIGNATURE_BYTES, 0, 0
    while at < len(content):
        parts, profiles = parts + 1, profiles + (content[at + 4 : at + 8] == b"iCCP")
        if parts > MAX_PNG_PARTS or profiles > 1:
            raise TooManyParts
        at += 12 + int.from_bytes(content[at : at + 4])
