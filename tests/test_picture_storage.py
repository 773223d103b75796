"""Storages of pictures that are away, hang or are full, and a bucket of S3."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from db.models import User
from domain.accounts import prune_pictures
from domain.pictures import Bucket, PictureStore
from domain.pictures.storage import PicturesUnavailable
from domain.services import Services
from tests.conftest import client_of, settings_for, unprepared_app
from tests.fault_server import Fault, Response, hang, serving
from tests.images import JPEG, PNG, opened
from tests.operations import DELETE_ME
from tests.pictures import PICTURE, names_in, path_of, remove, upload
from tests.s3_server import BUCKET, KEYS, S3Server
from tests.servers import free_port, wait_until
from tests.users import GraphQL, RegisteredUser

pytestmark = pytest.mark.any_database


@pytest.fixture
async def s3() -> AsyncIterator[S3Server]:
    async with serving(S3Server()) as server:
        yield server


@asynccontextmanager
async def app_with(database_url: str, pictures: str, **others: object) -> AsyncIterator[FastAPI]:
    async with unprepared_app(settings_for(database_url, pictures=pictures, **others)) as app:
        yield app


@asynccontextmanager
async def client_with(
    database_url: str, pictures: str, **others: object
) -> AsyncIterator[httpx.AsyncClient]:
    async with app_with(database_url, pictures, **others) as app, client_of(app) as client:
        yield client


def in_bucket(endpoint: str) -> dict[str, str]:
    return {"pictures": f"s3://{BUCKET}/some/prefix", "pictures_endpoint": endpoint, **KEYS}


async def picture_ids(services: Services) -> list[str | None]:
    async with services.database.reading() as session:
        return list(await session.scalars(select(User.picture_id)))


async def test_pictures_are_kept_in_a_bucket(
    database_url: str, s3: S3Server, graphql: GraphQL, ada: RegisteredUser
) -> None:
    async with client_with(database_url, **in_bucket(s3.url)) as client:
        former = (await upload(client, ada, PNG)).json()["picture"]
        address = (await upload(client, ada, JPEG)).json()["picture"]
        picture, missing = await client.get(path_of(address)), await client.get(path_of(former))
        keys = sorted(s3.objects)
        await remove(client, ada)

    id = path_of(address)[10:42]
    assert keys == sorted(f"some/prefix/{id}-{size}.webp" for size in (64, 256, 512))
    assert opened(picture.content).size == (256, 256)
    assert missing.status_code == 404
    assert s3.objects == {}


async def test_who_reads_the_bucket_itself_is_told_what_the_files_are(
    database_url: str, s3: S3Server, ada: RegisteredUser
) -> None:
    async with client_with(
        database_url, **in_bucket(s3.url), pictures_public_url="https://cdn.example.com/p/"
    ) as client:
        address = (await upload(client, ada)).json()["picture"]

    assert address.startswith("https://cdn.example.com/p/")
    for headers in s3.headers.values():
        assert headers["content-type"] == "image/webp"
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-disposition"] == 'inline; filename="picture.webp"'


async def test_of_a_bucket_only_our_own_old_files_are_pruned(
    database_url: str, s3: S3Server
) -> None:
    ours = {f"some/prefix/{'f' * 32}-{size}.webp": b"x" for size in (64, 256, 512)}
    others = {"some/prefix/notes.txt": b"x", f"another/{'f' * 32}-64.webp": b"x"}
    recent = {f"some/prefix/{'e' * 32}-64.webp": b"x"}
    s3.objects |= ours | others | recent
    s3.ages |= dict.fromkeys(ours | others, timedelta(hours=2))
    async with app_with(database_url, **in_bucket(s3.url)) as app:
        services = app.state.gatehouse.services
        assert await prune_pictures(services.database, services.pictures.store) == 3

    assert s3.objects == others | recent


@pytest.mark.parametrize("fault", ["hangs", "is away", "fails", "refuses"])
async def test_a_storage_that_does_not_answer_is_unavailable_in_time(
    database_url: str,
    s3: S3Server,
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    faults: dict[str, Response | Fault] = {
        "hangs": hang,
        "fails": Response(500, b"secret-of-a-storage"),
        "refuses": Response(403, b"<Error><AWSAccessKeyId>AKIDOFTESTS</AWSAccessKeyId></Error>"),
    }
    s3.fault = faults.get(fault)
    url = f"http://127.0.0.1:{free_port()}" if fault == "is away" else s3.url
    async with client_with(database_url, **in_bucket(url)) as client:
        started = time.monotonic()
        response = await upload(client, ada)
        written_in = time.monotonic() - started
        read = await client.get("/pictures/" + "0" * 32 + "-64.webp")
        in_all = time.monotonic() - started

    for answer in (response, read):
        assert answer.status_code == 503
        assert answer.json() == {
            "error": "temporarily_unavailable",
            "error_description": "Pictures are not available at present. Try again in a moment.",
        }
        assert answer.headers["Retry-After"] == "1"
    # The deadline of a request is 10 seconds.
    assert written_in < 9.5
    assert in_all - written_in < 9.5
    assert await picture_ids(services) == [None]
    for secret in ("secret-of-a-storage", *KEYS.values(), ada.token):
        assert secret not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_picture_is_changed_although_the_former_one_cannot_be_deleted(
    database_url: str, s3: S3Server, graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with client_with(database_url, **in_bucket(s3.url)) as client:
        await upload(client, ada)
        s3.fault = None
        delete, s3._delete = s3._delete, lambda body: Response(500)  # type: ignore[method-assign]
        response = await upload(client, ada)
        removed = await remove(client, ada)
        s3._delete = delete  # type: ignore[method-assign]

    assert (response.status_code, removed.status_code) == (200, 204)
    assert await picture_ids(services) == [None]
    assert len(s3.objects) == 6


async def test_an_account_is_deleted_although_its_picture_cannot_be(
    database_url: str, s3: S3Server, ada: RegisteredUser
) -> None:
    async with client_with(database_url, **in_bucket(s3.url)) as client:
        await upload(client, ada)
        s3.fault = Response(500)
        answer = await GraphQL(client)(DELETE_ME, by=ada, password=ada.password)

    assert answer.errors == []


async def test_me_needs_no_storage(database_url: str, s3: S3Server, ada: RegisteredUser) -> None:
    async with client_with(database_url, **in_bucket(s3.url)) as client:
        address = (await upload(client, ada)).json()["picture"]
        s3.fault = Response(500)
        s3.requests.clear()
        answer = await GraphQL(client)(PICTURE, by=ada)

    assert answer.data["me"]["picture"] == address
    assert s3.requests == []


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a disk of 64 KiB."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_is_unavailable_and_leaves_nothing_behind(
    database_url: str, tmp_path: Path, graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "ballast").write_bytes(bytes(56 * 1024))
        async with client_with(database_url, str(disk / "pictures")) as client:
            full = await upload(client, ada, JPEG)
            left = names_in(disk / "pictures")
            ids = await picture_ids(services)
            (disk / "ballast").unlink()
            after = await upload(client, ada, JPEG)
            picture = await client.get(path_of(after.json()["picture"]))

    assert full.status_code == 503
    assert (left, ids) == ([], [None])
    assert picture.status_code == 200


async def test_a_folder_that_cannot_be_made_is_unavailable(
    database_url: str, tmp_path: Path, ada: RegisteredUser
) -> None:
    (tmp_path / "file").write_text("no folder")
    async with client_with(database_url, str(tmp_path / "file/pictures")) as client:
        written = await upload(client, ada)
        read = await client.get("/pictures/" + "0" * 32 + "-64.webp")

    assert (written.status_code, read.status_code) == (503, 404)


async def test_files_that_are_gone_can_be_deleted(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    name = f"{'f' * 32}-64.webp"
    await store.put({name: b"x"})

    assert await store.get(name) == b"x"
    assert await store.get(f"{'e' * 32}-64.webp") is None
    await store.delete([name, name])
    assert names_in(tmp_path / "pictures") == []


async def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    store = PictureStore(tmp_path / "pictures")
    await store.put({f"{'f' * 32}-64.webp": b"x"})
    for name in ("../secret", "/../secret", "..", "a/../../secret"):
        with pytest.raises(PicturesUnavailable):
            await store.get(name)


async def test_the_keys_show_nowhere() -> None:
    bucket = Bucket(BUCKET, access_key_id="id", secret_access_key="hunter2")
    store = PictureStore(bucket)

    assert "hunter2" not in repr(bucket) + repr(store)


async def test_a_hanging_storage_holds_nobody_else_up(
    database_url: str, s3: S3Server, ada: RegisteredUser
) -> None:
    async with client_with(database_url, **in_bucket(s3.url)) as client:
        s3.fault = hang
        hanging = asyncio.create_task(upload(client, ada))
        await asyncio.to_thread(wait_until, lambda: bool(s3.requests))
        started = time.monotonic()
        answer = await GraphQL(client)(PICTURE, by=ada)
        # The row is not locked while the storage is asked.
        changed = await GraphQL(client)(
            'mutation { updateMe(input: { locale: "de" }) { id } }', by=ada
        )
        waited = time.monotonic() - started
        response = await hanging

    assert answer.errors == changed.errors == []
    assert waited < 2
    assert response.status_code == 503
