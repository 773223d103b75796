"""What keeps pictures, made of the settings."""

from pathlib import Path

from api.priority import lower_priority
from domain.pictures import Bucket, EncodingQueue, Pictures, PictureStore
from settings import Settings


def create_pictures(settings: Settings) -> Pictures | None:
    """Create what keeps pictures, or return None if PICTURES is off. Nothing is read or written."""
    store = create_store(settings)
    if store is None:
        return None
    return Pictures(store, settings.pictures_address, EncodingQueue(lower_priority))


def create_store(settings: Settings) -> PictureStore | None:
    if not settings.pictures_are_on:
        return None
    if settings.pictures_bucket is None:
        return PictureStore(Path(settings.pictures))
    name, prefix = settings.pictures_bucket
    secret = settings.pictures_secret_access_key
    return PictureStore(
        Bucket(
            name,
            prefix,
            endpoint=settings.pictures_endpoint,
            region=settings.pictures_region,
            access_key_id=settings.pictures_access_key_id,
            secret_access_key=secret.get_secret_value() if secret else None,
        )
    )
