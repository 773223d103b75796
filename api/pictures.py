"""Profile pictures: PUT and DELETE /me/picture, and the pictures themselves."""

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.dependencies import caller_of, device_of, documented_bearer, services
from api.errors import OAuthError
from api.middleware.request_limits import body_too_large, set_body_limit
from api.negotiation import media_type
from domain import accounts
from domain.errors import InvalidInput
from domain.pictures import id_in

PICTURES = "/pictures"

MAX_BYTES = 5 * 1024 * 1024

TYPES = ("image/jpeg", "image/png", "image/webp")

# A picture never changes: another one has another id.
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Disposition": 'inline; filename="picture.webp"',
    # A browser that opens it shows it as a page of its own, without scripts.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Pages of all origins may embed it.
    "Cross-Origin-Resource-Policy": "cross-origin",
}

_ETAG = re.compile(r'(?:W/)?("[^"]*")')

router = APIRouter(tags=["Pictures"])


class Picture(BaseModel):
    """The picture of a user."""

    picture: str = Field(
        description="The address of the square of 256 pixels, the same as `me { picture }`.",
    )


@router.put(
    "/me/picture",
    summary="Replace the current user's picture",
    responses={
        status: {"model": OAuthError} for status in (400, 401, 403, 404, 413, 415, 429, 503)
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {type: {"schema": {"type": "string", "format": "binary"}} for type in TYPES},
        }
    },
    dependencies=[Depends(documented_bearer)],
)
async def replace(request: Request) -> Picture:
    """Store the square in the middle of the file that is the body, in three sizes, turned as its
    EXIF says and without any metadata, and delete the former picture."""
    pictures = services(request).require_pictures()
    caller = caller_of(request, needs_second_factor=True)
    _require_upload(request)
    picture_id = await accounts.replace_picture(
        services(request), device_of(request), caller, partial(_read, request)
    )
    return Picture(picture=pictures.url_of(picture_id))


@router.delete(
    "/me/picture",
    summary="Remove the current user's picture",
    status_code=204,
    responses={status: {"model": OAuthError} for status in (401, 403, 404, 429, 503)},
    dependencies=[Depends(documented_bearer)],
)
async def remove(request: Request) -> None:
    """Delete the picture, if there is one."""
    caller = caller_of(request, needs_second_factor=True)
    await accounts.remove_picture(services(request), device_of(request), caller)


@router.get(
    PICTURES + "/{id}-{size}.webp",
    summary="Read a picture",
    response_class=Response,
    responses={
        200: {"content": {"image/webp": {}}},
        304: {"description": "The client has it."},
        404: {"model": OAuthError},
        503: {"model": OAuthError},
    },
)
async def read(
    request: Request,
    id: Annotated[str, Path(description="The id in the address of a picture.")],
    size: Annotated[str, Path(description="The pixels of a side: 64, 256 or 512.")],
) -> Response:
    """Return a square. It may be cached for ever."""
    name = f"{id}-{size}.webp"
    pictures = services(request).pictures
    content = await pictures.store.get(name) if pictures and id_in(name) else None
    if content is None:
        raise HTTPException(404)
    headers = {**_HEADERS, "ETag": f'"{id}-{size}"'}
    if _has(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="image/webp")


def _require_upload(request: Request) -> None:
    """Raise HTTPException for what is refused by its headers alone."""
    if media_type(request.headers.get("content-type")) not in TYPES:
        raise HTTPException(
            415, f"Send the picture as {', '.join(TYPES)}.", {"Accept": ", ".join(TYPES)}
        )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise body_too_large(MAX_BYTES)


async def _read(request: Request) -> bytes:
    set_body_limit(request.scope, MAX_BYTES)
    content = await request.body()
    if not content:
        raise InvalidInput("The body is empty. Send the file of the picture.")
    return content


def _has(request: Request, etag: str) -> bool:
    """Return whether the client has the picture (RFC 9110 section 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in _ETAG.findall(given)
