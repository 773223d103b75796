"""Profile pictures: three squares in WebP under one random id, which the row of their user has."""

import re
import secrets
from dataclasses import dataclass, field

from domain.pictures.queue import EncodingQueue
from domain.pictures.sizes import PictureSize
from domain.pictures.storage import Bucket, PictureStore

__all__ = ["Bucket", "EncodingQueue", "PictureSize", "PictureStore", "Pictures", "id_in", "new_id"]

_SIZES = "|".join(str(size.pixels) for size in PictureSize)
_NAME = re.compile(rf"([0-9a-f]{{32}})-(?:{_SIZES})\.webp", re.ASCII)


def new_id() -> str:
    """Return 128 random bits: a name that no one can guess, and that no other picture has."""
    return secrets.token_hex(16)


def id_in(name: str) -> str | None:
    """Return the id of the picture that a file belongs to, or None if it is no file of ours."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Pictures:
    """What makes, keeps and addresses pictures. ``url`` is the address that their names follow."""

    store: PictureStore
    url: str
    queue: EncodingQueue = field(default_factory=EncodingQueue)

    def url_of(self, picture_id: str, size: PictureSize = PictureSize.MEDIUM) -> str:
        return f"{self.url}/{size.name_for(picture_id)}"

    def close(self) -> None:
        self.queue.close()
        self.store.close()
