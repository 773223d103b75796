"""The brand in mails: its name, and its colour as it can be read on light and dark backgrounds."""

from dataclasses import dataclass

_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)

# As in web/account/src/brand.ts.
_DARK_SURFACE = (24, 27, 33)
_CONTRAST = 5

_Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Brand:
    """``color`` has six hex digits, such as ``#6a3de8``."""

    name: str = "Gatehouse"
    color: str = "#6a3de8"

    @property
    def accent(self) -> str:
        """The colour of links on white, and of a button with a white label."""
        return _text(_readable(_parse(self.color), on=_WHITE, towards=_BLACK))

    @property
    def dark_accent(self) -> str:
        """The colour of links on a dark surface, and of a button with a dark label."""
        return _text(_readable(_parse(self.color), on=_DARK_SURFACE, towards=_WHITE))


def _readable(color: _Color, *, on: _Color, towards: _Color) -> _Color:
    """Mix a colour with another one until it has enough contrast (WCAG 2.2, 1.4.3)."""
    mixed, percent = color, 0
    while _contrast(mixed, on) < _CONTRAST and percent < 100:
        percent += 5
        red, green, blue = (
            part + (goal - part) * percent // 100 for part, goal in zip(color, towards, strict=True)
        )
        mixed = (red, green, blue)
    return mixed


def _contrast(one: _Color, other: _Color) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: _Color) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(color: str) -> _Color:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _text(color: _Color) -> str:
    red, green, blue = color
    return f"#{red:02x}{green:02x}{blue:02x}"
