"""Uploads of pictures, for tests."""

from pathlib import Path
from typing import Any

import httpx

from tests.images import PNG
from tests.users import RegisteredUser

PICTURE = """query Picture($size: PictureSize) { me { picture(size: $size) imageFile } }"""


async def upload(
    client: httpx.AsyncClient,
    user: RegisteredUser | str | None,
    content: Any = PNG,
    type: str | None = "image/png",
) -> httpx.Response:
    token = user.token if isinstance(user, RegisteredUser) else user
    headers = {"Content-Type": type} if type else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return await client.put("/me/picture", content=content, headers=headers)


async def remove(client: httpx.AsyncClient, user: RegisteredUser) -> httpx.Response:
    return await client.delete("/me/picture", headers={"Authorization": f"Bearer {user.token}"})


def path_of(address: str) -> str:
    """Return the path of a picture's address, under which a test's client finds it."""
    return "/pictures/" + address.rpartition("/")[2]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
