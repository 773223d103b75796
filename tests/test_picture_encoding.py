"""How pictures are encoded anew: by what is in the file, and never by more than is decoded."""

import time
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from domain.errors import InvalidInput
from domain.pictures import PictureSize
from domain.pictures.encoding import MAX_JPEG_SCANS, encode
from tests.images import (
    BLUE,
    GREEN,
    JPEG,
    PNG,
    RED,
    WEBP,
    WHITE,
    average,
    exif_with,
    image_of,
    jpeg_with_scans,
    opened,
    png_chunk,
    png_of,
    webp_chunks,
    with_jpeg_size,
    written,
)


def large(content: bytes) -> Any:
    """Return the largest square of a file."""
    return opened(encode(content)[PictureSize.LARGE])


def is_near(color: tuple[int, ...], expected: tuple[int, ...], *, within: int = 12) -> bool:
    return all(abs(a - b) <= within for a, b in zip(color[:3], expected, strict=True))


@pytest.mark.parametrize("content", [JPEG, PNG, WEBP], ids=["JPEG", "PNG", "WebP"])
def test_each_format_becomes_three_squares_of_pixels_alone(content: bytes) -> None:
    squares = encode(content)

    assert {size: opened(square).size for size, square in squares.items()} == {
        PictureSize.SMALL: (64, 64),
        PictureSize.MEDIUM: (256, 256),
        PictureSize.LARGE: (512, 512),
    }
    for square in squares.values():
        assert webp_chunks(square) == ["VP8"]
        assert is_near(average(opened(square), (2, 2, 20, 60)), RED)


@pytest.mark.parametrize("size", [(3000, 100), (100, 3000), (1, 1), (2, 8000), (8000, 2)])
def test_the_square_is_the_middle(size: tuple[int, int]) -> None:
    picture = (
        image_of(RED, GREEN, BLUE, size=size)
        if size == (3000, 100)
        else Image.new("RGB", size, GREEN)
    )

    assert is_near(average(large(written(picture)), (0, 0, 512, 512)), GREEN)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "corner"),
    # Where the red upper left corner of what is stored is to be seen.
    [(1, "upper left"), (2, "upper right"), (3, "lower right"), (4, "lower left"),
     (5, "upper left"), (6, "upper right"), (7, "lower right"), (8, "lower left")],
)  # fmt: skip
def test_what_was_held_sideways_is_turned(format: str, orientation: int, corner: str) -> None:
    picture = Image.new("RGB", (200, 200), WHITE)
    picture.paste(RED, (0, 0, 100, 100))
    content = written(picture, format, exif=exif_with(orientation), quality=95)
    turned = large(content)

    corners = {
        "upper left": (10, 10, 200, 200), "upper right": (310, 10, 500, 200),
        "lower left": (10, 310, 200, 500), "lower right": (310, 310, 500, 500),
    }  # fmt: skip
    assert [name for name, box in corners.items() if is_near(average(turned, box), RED)] == [corner]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_the_place_is_gone_with_all_that_is_not_a_pixel(format: str) -> None:
    options: dict[str, Any] = {"exif": exif_with(), "icc_profile": b"a profile " * 20}
    if format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", "Maker of a camera")
    else:
        options["xmp"] = b"<x:xmpmeta>Maker of a camera</x:xmpmeta>"
    content = written(image_of(RED, BLUE), format, **options)
    assert b"Maker of a camera" in content

    for square in encode(content).values():
        assert set(webp_chunks(square)) <= {"VP8", "VP8L"}
        assert b"Maker" not in square
        assert not opened(square).getexif()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_is_no_reason_to_refuse_a_picture() -> None:
    assert large(written(image_of(RED), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")).size == (
        512,
        512,
    )


def test_print_colours_become_those_of_a_screen() -> None:
    cmyk = image_of((0, 255, 255, 0), mode="CMYK")

    assert is_near(
        average(large(written(cmyk, "JPEG", quality=95)), (0, 0, 512, 512)), RED, within=20
    )


def test_sixteen_bits_become_eight() -> None:
    grey = Image.new("I;16", (64, 64), 0x8000)

    assert is_near(average(large(written(grey)), (0, 0, 512, 512)), (128, 128, 128), within=3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_each_kind_of_png_can_be_read(mode: str) -> None:
    picture = image_of(WHITE, WHITE).convert("RGBA" if mode == "LA" else "RGB").convert(mode)

    assert is_near(average(large(written(picture)), (0, 0, 512, 512)), WHITE)


def test_what_is_transparent_stays_so() -> None:
    picture = image_of((255, 0, 0, 255), (0, 0, 0, 0), mode="RGBA")
    palette = image_of((255, 0, 0), (0, 255, 0)).convert("P", palette=Image.Palette.ADAPTIVE)
    green = next(index for index in (0, 1) if palette.getpalette()[3 * index + 1] > 200)
    for content in (written(picture), written(palette, transparency=green)):
        square = large(content)

        assert square.mode == "RGBA"
        assert average(square, (0, 0, 200, 512))[3] > 250
        assert average(square, (312, 0, 512, 512))[3] < 5


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_of_what_moves_the_first_frame_is_kept(format: str) -> None:
    frames = [image_of(color) for color in (RED, GREEN, BLUE)]
    moving = written(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    assert opened(moving).n_frames == 3

    square = encode(moving)[PictureSize.LARGE]
    assert is_near(average(opened(square), (0, 0, 512, 512)), RED)
    assert getattr(opened(square), "n_frames", 1) == 1


def test_a_page_in_a_picture_is_gone() -> None:
    page = b"<html><script>alert(document.cookie)</script></html>"
    comment = b"\xff\xfe" + (len(page) + 2).to_bytes(2) + page
    for polyglot in (JPEG[:2] + comment + JPEG[2:], JPEG + page, PNG + page, WEBP + page):
        for square in encode(polyglot).values():
            assert b"script" not in square
            assert square[:4] == b"RIFF"


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidInput) as raised:
        encode(content)
    return raised.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<html><script>alert(1)</script></html>",
        JPEG[: len(JPEG) // 2],
        PNG[: len(PNG) // 2],
        WEBP[: len(WEBP) // 2],
        written(image_of(RED), "GIF"),
        written(image_of(RED), "TIFF"),
        written(image_of(RED), "BMP"),
        written(image_of(RED), "ICO"),
    ],
)
def test_what_is_no_complete_picture_of_these_formats_is_refused(content: bytes) -> None:
    assert "cannot be read" in refusal(content)


def test_a_bomb_is_refused_by_its_head() -> None:
    """Each claims more pixels than are allowed, and has not even begun to have them."""
    bombs = [
        png_of(30_000, 30_000, zlib.compress(b"")),
        png_of(4097, 4096, zlib.compress(b"")),
        with_jpeg_size(JPEG, 65_000, 65_000),
        with_jpeg_size(JPEG, 10_001, 10_000),
        with_jpeg_size(written(image_of(RED), "JPEG", progressive=True), 4097, 4096),
    ]
    started = time.perf_counter()
    for bomb in bombs:
        tracemalloc.start()
        message = refusal(bomb)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert "megapixels" in message or "cannot be read" in message
        assert peak < 10_000_000
    assert time.perf_counter() - started < 5


def test_a_webp_file_that_claims_too_much_is_refused_by_its_head() -> None:
    moving = written(image_of(RED), "WEBP", save_all=True, append_images=[image_of(BLUE)])
    head = moving.index(b"VP8X") + 12
    bomb = moving[:head] + (16_382).to_bytes(3, "little") * 2 + moving[head + 6 :]

    assert refusal(bomb)


def test_a_bomb_in_the_stream_gets_no_further_than_its_head_says() -> None:
    """100 MB of zeros in a chunk of 100 KB: of pixels, and of text."""
    zeros = zlib.compress(bytes(100_000_000), 9)
    text = png_chunk(b"zTXt", b"Comment\0\0" + zeros)

    assert opened(encode(png_of(64, 64, zeros))[PictureSize.SMALL]).size == (64, 64)
    assert "cannot be read" in refusal(png_of(64, 64, zlib.compress(bytes(64 * 193)), text))


def test_a_picture_with_many_scans_is_refused_before_it_is_decoded() -> None:
    """Each scan goes over all pixels again: 5 MiB of them would take minutes."""
    progressive = written(image_of(RED, GREEN, BLUE, size=(512, 512)), "JPEG", progressive=True)
    hidden = progressive.replace(b"\xff\xda", b"\xff\xfe\x00\x04\xff\xd9\xff\xda")

    assert large(progressive).size == (512, 512)
    assert "cannot be read" in refusal(jpeg_with_scans(progressive, MAX_JPEG_SCANS))
    assert "cannot be read" in refusal(jpeg_with_scans(hidden, MAX_JPEG_SCANS))


#: Each of them kept Pillow busy for a second or, joining EXIF, for twenty.
MANY_PARTS = {
    "comments": JPEG[:2] + b"\xff\xfe\0\2" * 500 + JPEG[2:],
    "EXIF": JPEG[:2] + b"\xff\xe1\0\x10Exif\0\0MM\0*\0\0\0\x08" * 500 + JPEG[2:],
    "EXIF in an extension": JPEG[:2] + b"\xff\xf0\xff\xe1\0\x08Exif\0\0" * 500 + JPEG[2:],
    "EXIF after an end": JPEG[:2] + b"\xff\xd9" + b"\xff\xe1\0\x08Exif\0\0" * 500 + JPEG[2:],
    "fill bytes": JPEG[:2] + b"\xff" * 2000 + JPEG[2:],
    "chunks": PNG[:33] + png_chunk(b"prVt", b"") * 4000 + PNG[33:],
    "profiles": PNG[:33] + png_chunk(b"iCCP", b"a\0\0" + zlib.compress(b"")) * 2 + PNG[33:],
}


@pytest.mark.parametrize("content", MANY_PARTS.values(), ids=MANY_PARTS)
def test_what_has_more_parts_than_an_encoder_writes_is_refused(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow was asked"))

    with pytest.raises(InvalidInput):
        encode(content)


def test_what_an_encoder_writes_into_many_parts_is_read() -> None:
    profile = b"ICC_PROFILE\0" + bytes(100)
    parts = b"".join(b"\xff\xe2" + (2 + len(profile)).to_bytes(2) + profile for _ in range(255))
    photos = written(
        image_of(GREEN), "MPO", save_all=True, append_images=[image_of(BLUE)], quality=95
    )

    assert large(JPEG[:2] + parts + JPEG[2:]).size == (512, 512)
    assert is_near(average(large(photos), (0, 0, 512, 512)), GREEN)


def test_a_large_photo_is_made_smaller_while_it_is_decoded() -> None:
    photo = written(Image.new("RGB", (10_000, 10_000), RED), "JPEG")
    started = time.process_time()

    assert is_near(average(large(photo), (0, 0, 512, 512)), RED)
    assert time.process_time() - started < 10


def mutated(content: bytes, edits: list[tuple[float, int]], cut: float) -> bytes:
    changed = bytearray(content)
    for place, byte in edits:
        changed[int(place * (len(changed) - 1))] = byte
    return bytes(changed[: int(len(changed) * cut) + 1])


SEEDS = [
    JPEG,
    PNG,
    WEBP,
    written(image_of(RED, BLUE), "JPEG", progressive=True, exif=exif_with(6)),
    written(image_of(RED, BLUE).convert("P"), exif=exif_with(3)),
    written(
        image_of(RED), "WEBP", save_all=True, append_images=[image_of(BLUE)], exif=exif_with(8)
    ),
]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    st.floats(0.9, 1) | st.just(1.0),
)
def test_whatever_is_in_a_file_it_is_a_picture_or_refused(
    seed: bytes, edits: list[tuple[float, int]], cut: float
) -> None:
    started = time.process_time()
    squares = {}
    with suppress(InvalidInput):
        squares = encode(mutated(seed, edits, cut))

    assert all(Image.open(BytesIO(square)).format == "WEBP" for square in squares.values())
    assert time.process_time() - started < 5
