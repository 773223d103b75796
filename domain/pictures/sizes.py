"""The sizes of pictures."""

from enum import StrEnum


class PictureSize(StrEnum):
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"

    @property
    def pixels(self) -> int:
        """The length of a side."""
        return _PIXELS[self]

    def name_for(self, picture_id: str) -> str:
        """Return the name of the file of a picture in this size."""
        return f"{picture_id}-{self.pixels}.webp"


_PIXELS = {PictureSize.SMALL: 64, PictureSize.MEDIUM: 256, PictureSize.LARGE: 512}
