"""Pictures in a bucket of moto, which behaves as Amazon's S3 does."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from obstore.store import S3Store

from domain.pictures import Bucket, PictureStore
from domain.pictures.storage import PicturesUnavailable
from tests.servers import TIMEOUT_SECONDS, environment, free_port, wait_until_it_listens

MOTO = Path(__file__).parent / "s3" / ".venv" / "bin" / "moto_server"
BUCKET = "pictures-of-tests"
NAMES = [f"{'f' * 32}-{size}.webp" for size in (64, 256, 512)]

pytestmark = pytest.mark.skipif(
    not MOTO.exists(), reason="moto is not installed; `make test-clients` does it"
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log_file = tmp_path_factory.mktemp("moto") / "moto.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [MOTO, "--host", "127.0.0.1", "--port", str(port)],
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_listens(port, process, log_file)
        url = f"http://127.0.0.1:{port}"
        assert httpx.put(f"{url}/{BUCKET}").status_code == 200
        yield url
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def bucket(endpoint: str, name: str = BUCKET) -> Bucket:
    return Bucket(
        name, "some/prefix", endpoint=endpoint, access_key_id="AKIDOFTESTS", secret_access_key="x"
    )


def attributes_of(endpoint: str, name: str) -> Any:
    """Return the headers of an object, as a client of the bucket gets them."""
    client = S3Store(
        BUCKET,
        endpoint=endpoint,
        access_key_id="AKIDOFTESTS",
        secret_access_key="x",
        client_options={"allow_http": True},
    )
    return obstore.get(client, f"some/prefix/{name}").attributes


@pytest.fixture
async def store(endpoint: str) -> AsyncIterator[PictureStore]:
    store = PictureStore(bucket(endpoint))
    yield store
    await store.delete([name async for names in store.names() for name in names])


async def test_files_are_put_read_listed_and_deleted(store: PictureStore, endpoint: str) -> None:
    await store.put({name: name.encode() for name in NAMES})
    listed = [name async for names in store.names() for name in names]
    read = [await store.get(name) for name in NAMES]
    attributes = await asyncio.to_thread(attributes_of, endpoint, NAMES[0])
    await store.check()
    await store.delete([*NAMES, "e" * 32 + "-64.webp"])

    assert sorted(listed) == sorted(NAMES)
    assert read == [name.encode() for name in NAMES]
    assert attributes["Content-Type"] == "image/webp"
    assert attributes["Cache-Control"] == "public, max-age=31536000, immutable"
    assert [await store.get(name) for name in NAMES] == [None] * 3


async def test_more_files_than_a_page_of_the_list_are_all_found(store: PictureStore) -> None:
    many = [f"{number:032x}-64.webp" for number in range(1100)]
    for start in range(0, len(many), 50):
        await store.put(dict.fromkeys(many[start : start + 50], b"x"))

    assert sorted([name async for names in store.names() for name in names]) == many


async def test_a_bucket_that_does_not_exist_is_unavailable(endpoint: str) -> None:
    store = PictureStore(bucket(endpoint, "another-bucket"))

    with pytest.raises(PicturesUnavailable):
        await store.put({NAMES[0]: b"x"})
    with pytest.raises(PicturesUnavailable):
        await store.check()
