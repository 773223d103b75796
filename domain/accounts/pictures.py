"""Profile pictures of accounts.

The row of a user says which picture is theirs. Files are written before it is changed and deleted
after that, so that no transaction waits for the store. Files that nothing refers to are pruned.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from db.database import Database, retried
from db.models import User
from domain import sessions
from domain.access_tokens.tokens import Caller
from domain.accounts.users import publish_if_changed
from domain.devices import Device
from domain.errors import DomainError
from domain.observer import PictureOutcome
from domain.pictures import Pictures, PictureSize, PictureStore, id_in, new_id
from domain.pictures.storage import PicturesUnavailable
from domain.services import Services

# The files of an upload under way have no row yet.
ORPHANS_KEPT_FOR = timedelta(hours=1)


async def replace_picture(
    services: Services, device: Device, caller: Caller, read: Callable[[], Awaitable[bytes]]
) -> str:
    """Make a file the caller's picture, in place of the former one, and return its id. Nothing is
    ``read`` of the file before the caller is known to be allowed to send it.

    Raises NotConfigured, SessionEnded, Forbidden, TooManyAttempts, Overloaded, Unavailable,
    InvalidInput for a file that is no picture, and what ``read`` raises.
    """
    pictures = services.require_pictures()
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
    async with pictures.queue.upload():
        await services.rate_limiter.hit(services.rate_limiter.limits.picture, str(caller.user_id))
        content = await read()
        try:
            picture_id = await _store(pictures, content)
        except PicturesUnavailable:
            services.observer.picture_ended(PictureOutcome.FAILED)
            raise
        except DomainError:
            services.observer.picture_ended(PictureOutcome.REFUSED)
            raise
    try:
        former_id = await _set(services, caller, picture_id)
    except Exception:
        await discard_picture(services, picture_id)
        raise
    services.observer.picture_ended(PictureOutcome.STORED)
    await discard_picture(services, former_id)
    return picture_id


async def remove_picture(services: Services, device: Device, caller: Caller) -> None:
    """Remove the caller's picture, if there is one.

    Raises NotConfigured, SessionEnded, Forbidden or TooManyAttempts.
    """
    services.require_pictures()
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
    await services.rate_limiter.hit(services.rate_limiter.limits.write, str(caller.user_id))
    await discard_picture(services, await _set(services, caller, None))


async def discard_picture(services: Services, picture_id: str | None) -> None:
    """Delete the files of a picture that no row has any more. If the store is not available, they
    are left to be pruned."""
    if services.pictures is not None and picture_id is not None:
        await services.pictures.store.discard([size.name_for(picture_id) for size in PictureSize])


async def prune_pictures(database: Database, store: PictureStore) -> int:
    """Delete the files of pictures that no user has, and return their number. Other files are left
    alone.

    Raises Unavailable.
    """
    deleted = 0
    async for names in store.names(before=datetime.now(UTC) - ORPHANS_KEPT_FOR):
        ids = {name: id for name in names if (id := id_in(name)) is not None}
        async with database.reading() as session:
            used = set(
                await session.scalars(
                    select(User.picture_id).where(User.picture_id.in_(set(ids.values())))
                )
            )
        orphans = [name for name, id in ids.items() if id not in used]
        if orphans:
            await store.delete(orphans)
        deleted += len(orphans)
    return deleted


async def _store(pictures: Pictures, content: bytes) -> str:
    squares = await pictures.queue.encode(content)
    picture_id = new_id()
    await pictures.store.put(
        {size.name_for(picture_id): square for size, square in squares.items()}
    )
    return picture_id


@retried
async def _set(services: Services, caller: Caller, picture_id: str | None) -> str | None:
    """Set the caller's picture and return the id of the former one. Two that do so at once wait for
    each other: each gets the picture that it replaced."""
    async with services.database.writing(to_replica=True) as session:
        user, _ = await sessions.lock_active(session, caller)
        former_id, user.picture_id = user.picture_id, picture_id
        publish_if_changed(session, user, caller)
    return former_id
