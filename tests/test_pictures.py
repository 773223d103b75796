"""Profile pictures: PUT and DELETE /me/picture, what shows them, and what becomes of the files."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from api import background, pictures
from api.app import create_app
from api.priority import NICENESS
from db.models import User
from domain import admin
from domain.accounts import prune_pictures, replace_picture
from domain.accounts.export import data_of
from domain.errors import InvalidInput
from domain.observer import Observer, PictureOutcome
from domain.pictures import PictureStore
from domain.pictures.queue import MAX_UPLOADS
from domain.roles import OPERATOR
from domain.services import Services
from settings import Settings
from tests.admins import impersonate, register_admin
from tests.commands import run
from tests.conftest import SECRET_KEY, client_of, settings_for, unprepared_app
from tests.images import JPEG, PNG, WEBP, opened
from tests.operations import DELETE_ME, UPDATE_ME
from tests.pictures import PICTURE, names_in, path_of, remove, upload
from tests.servers import TIMEOUT_SECONDS, wait_until
from tests.users import THIS_DEVICE, GraphQL, RegisteredUser
from tests.webhooks import SECRET, published

MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


@pytest.fixture
def settings(database_url: str, folder: Path) -> Settings:
    return settings_for(database_url, pictures=str(folder))


@pytest.fixture
def store(services: Services) -> PictureStore:
    return services.require_pictures().store


async def uploaded(client: httpx.AsyncClient, user: RegisteredUser, content: bytes = PNG) -> str:
    """Upload a picture, and return its id."""
    response = await upload(client, user, content)
    assert response.status_code == 200, response.text
    return path_of(response.json()["picture"]).removeprefix("/pictures/").partition("-")[0]


def files_of(*ids: str) -> list[str]:
    return sorted(f"{id}-{size}.webp" for id in ids for size in (64, 256, 512))


async def test_an_upload_is_what_the_graph_shows(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    before = await graphql(PICTURE, by=ada)
    response = await upload(client, ada)
    address = response.json()["picture"]
    shown = [
        (await graphql(PICTURE, by=ada, size=size)).data["me"]["picture"]
        for size in ("SMALL", "MEDIUM", "LARGE")
    ]

    assert before.data["me"] == {"picture": None, "imageFile": None}
    assert response.status_code == 200
    assert response.json() == {"picture": shown[1]}
    assert address.startswith("http://127.0.0.1:8000/pictures/")
    for url, size in zip(shown, (64, 256, 512), strict=True):
        picture = await client.get(path_of(url))
        assert opened(picture.content).size == (size, size)


async def test_everyone_sees_it(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    address = (await upload(client, ada)).json()["picture"]
    document = "query User($id: ID!) { user(id: $id) { picture } }"
    userinfo = await client.get("/userinfo", headers={"Authorization": f"Bearer {ada.token}"})
    mine = await graphql("{ me { publicUser { picture } } }", by=ada)

    assert (await graphql(document, id=ada.id)).data["user"]["picture"] == address
    assert mine.data["me"]["publicUser"]["picture"] == address
    assert userinfo.json()["picture"] == address


async def test_a_picture_may_be_kept_for_ever_and_runs_nothing(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    path = path_of((await upload(client, ada)).json()["picture"])
    response = await client.get(path, headers={"Origin": "https://another.example.com"})

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Disposition"] == 'inline; filename="picture.webp"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers.get_list("X-Content-Type-Options") == ["nosniff"]


@pytest.mark.any_database
async def test_whoever_has_it_gets_no_second_copy(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    path = path_of((await upload(client, ada)).json()["picture"])
    full = await client.get(path)
    head = await client.head(path)
    etag = full.headers["ETag"]

    assert (head.status_code, head.headers["ETag"]) == (200, etag)
    assert head.headers["Content-Length"] == str(len(full.content))
    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        again = await client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        assert again.headers["Cache-Control"] == full.headers["Cache-Control"]
    other = await client.get(path, headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize(
    "name",
    [
        "0" * 32 + "-256.webp",
        "0" * 32 + "-128.webp",
        "0" * 32 + "-256.png",
        "x-256.webp",
        "..%2f..%2fgatehouse-256.webp",
        "%2e%2e/secret-64.webp",
        "é" * 32 + "-64.webp",
        "٣" * 32 + "-64.webp",
        "A" * 32 + "-64.webp",
        "0" * 32 + "-64.webp%0a",
        "0" * 31 + "%00-64.webp",
    ],
)
async def test_what_is_not_there_is_404_and_kept_by_nobody(
    client: httpx.AsyncClient, folder: Path, name: str
) -> None:
    response = await client.get(f"/pictures/{name}")

    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["error"] == "invalid_request"
    assert folder.name not in names_in(folder.parent)  # reading makes nothing


async def test_a_new_picture_replaces_the_former_one(
    client: httpx.AsyncClient, ada: RegisteredUser, folder: Path
) -> None:
    former = await uploaded(client, ada, PNG)
    new = await uploaded(client, ada, JPEG)

    assert former != new
    assert names_in(folder) == files_of(new)


async def test_of_uploads_at_once_one_picture_stays(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, folder: Path
) -> None:
    responses = await asyncio.gather(*(upload(client, ada, JPEG) for _ in range(5)))

    assert [response.status_code for response in responses] == [200] * 5
    shown = (await graphql(PICTURE, by=ada)).data["me"]["picture"]
    assert shown in [response.json()["picture"] for response in responses]
    assert names_in(folder) == files_of(path_of(shown)[10:42])


async def test_a_removed_picture_is_gone(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, folder: Path
) -> None:
    await uploaded(client, ada)
    responses = [await remove(client, ada), await remove(client, ada)]

    assert [(response.status_code, response.content) for response in responses] == [(204, b"")] * 2
    assert (await graphql(PICTURE, by=ada)).data["me"]["picture"] is None
    assert names_in(folder) == []


async def test_it_is_another_thing_than_the_address_of_an_image(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await uploaded(client, ada)
    await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})
    await graphql(UPDATE_ME, by=ada, input={"imageFile": None})

    assert (await graphql(PICTURE, by=ada)).data["me"]["picture"]


# ---- Who may


async def test_nothing_is_read_of_a_body_before_its_sender_is_known(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield PNG

    await graphql("mutation { logout }", by=ada)
    for token, challenge in (
        (None, 'realm="gatehouse"'),
        ("broken", "invalid_token"),
        (ada, "ended"),
    ):
        response = await upload(client, token, body())
        assert response.status_code == 401
        assert challenge in response.headers["WWW-Authenticate"]

    assert read == 0


async def test_who_acts_in_place_of_a_user_may_not_change_the_picture(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    root = await register_admin(services, graphql, "Root")
    token = await impersonate(graphql, ada, by=root)
    responses = [
        await upload(client, token),
        await client.delete("/me/picture", headers={"Authorization": f"Bearer {token}"}),
    ]

    assert [response.status_code for response in responses] == [403, 403]
    assert {response.json()["error"] for response in responses} == {"access_denied"}


@pytest.mark.any_database
async def test_a_required_second_factor_is_required_here_too(
    database_url: str, folder: Path, graphql: GraphQL, ada: RegisteredUser
) -> None:
    settings = settings_for(
        database_url, pictures=str(folder), require_second_factor="all", data_key="d" * 32
    )
    async with unprepared_app(settings) as app, client_of(app) as client:
        response = await upload(client, ada)
        removal = await remove(client, ada)

    assert (response.status_code, removal.status_code) == (403, 403)
    assert "second factor" in response.json()["error_description"]


async def test_uploads_of_one_user_are_limited(
    database_url: str, folder: Path, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    settings = settings_for(database_url, pictures=str(folder), picture_limit_per_user="2/hour")
    async with unprepared_app(settings) as app, client_of(app) as client:
        statuses = [(await upload(client, ada, b"no picture")).status_code for _ in range(2)]
        limited = await upload(client, ada)
        other = await upload(client, grace)

    assert statuses == [400, 400]
    assert limited.status_code == 429
    assert 3500 < int(limited.headers["Retry-After"]) <= 3600
    assert other.status_code == 200


# ---- What is refused


@pytest.mark.any_database
@pytest.mark.parametrize(
    "type", [None, "image/gif", "image/svg+xml", "text/html", "multipart/form-data; boundary=x",
             "application/x-www-form-urlencoded", "image/*", "image"]
)  # fmt: skip
async def test_other_types_are_refused(
    client: httpx.AsyncClient, ada: RegisteredUser, type: str | None
) -> None:
    response = await upload(client, ada, PNG, type)

    assert response.status_code == 415
    assert response.headers["Accept"] == "image/jpeg, image/png, image/webp"
    assert "image/jpeg, image/png, image/webp" in response.json()["error_description"]


@pytest.mark.any_database
@pytest.mark.parametrize("content", [PNG, JPEG, WEBP])
async def test_the_file_says_what_it_is_and_not_its_name(
    client: httpx.AsyncClient, ada: RegisteredUser, content: bytes
) -> None:
    response = await upload(client, ada, content, "IMAGE/JPEG; name=x.jpg")

    assert response.status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize("content", [b"", b"x", PNG[:60], b"<svg/>" * 100])
async def test_what_is_no_picture_is_refused(
    client: httpx.AsyncClient, ada: RegisteredUser, folder: Path, content: bytes
) -> None:
    response = await upload(client, ada, content)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert response.json()["error_description"].startswith(("The picture", "The body"))
    assert names_in(folder) == []


@pytest.mark.any_database
async def test_a_file_has_at_most_five_mebibytes(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    async def chunks(size: int) -> AsyncIterator[bytes]:
        for start in range(0, size, MIB):
            yield full[start : min(start + MIB, size)]

    # What follows the end of the picture is not read.
    full = JPEG + bytes(5 * MIB + 1 - len(JPEG))
    accepted = await upload(client, ada, full[:-1])
    declared = await upload(client, ada, full)
    streamed = await upload(client, ada, chunks(len(full)))
    in_pieces = await upload(client, ada, chunks(5 * MIB))

    assert (accepted.status_code, in_pieces.status_code) == (200, 200)
    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["error_description"] == "The body must have at most 5 MiB."


@pytest.mark.any_database
async def test_other_routes_still_take_one_mebibyte(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    response = await client.post("/revoke", data={"token": "x" * MIB})

    assert response.status_code == 413
    assert response.json()["error_description"] == "The body must have at most 1 MiB."


@pytest.mark.any_database
async def test_a_server_without_pictures_says_so(
    database_url: str, graphql: GraphQL, ada: RegisteredUser
) -> None:
    settings = settings_for(database_url, pictures="off")
    async with unprepared_app(settings) as app, client_of(app) as client:
        responses = [await upload(client, ada), await remove(client, ada)]
        missing = await client.get("/pictures/" + "0" * 32 + "-64.webp")
        shown = await GraphQL(client)(PICTURE, by=ada)

    assert [response.status_code for response in (*responses, missing)] == [404, 404, 404]
    assert {response.json()["error_description"] for response in responses} == {
        "This server keeps no pictures: PICTURES is off."
    }
    assert shown.data["me"]["picture"] is None


@pytest.mark.any_database
async def test_foreign_addresses_may_be_forbidden(
    database_url: str, graphql: GraphQL, ada: RegisteredUser
) -> None:
    settings = settings_for(database_url, image_urls=False)
    async with unprepared_app(settings) as app, client_of(app) as client:
        graphql = GraphQL(client)
        refused = await graphql(UPDATE_ME, by=ada, input={"imageFile": "https://a.example/a"})
        name = await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})
        none = await graphql(UPDATE_ME, by=ada, input={"imageFile": None})

    assert refused.code == "INVALID_INPUT"
    assert refused.fields == {
        "imageFile": ["This server accepts no addresses of pictures. Upload the picture."]
    }
    assert name.errors == none.errors == []


@pytest.mark.any_database
async def test_more_uploads_than_fit_into_memory_are_told_to_come_back(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    arrived, goes_on = 0, asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        nonlocal arrived
        arrived += 1
        await goes_on.wait()
        yield PNG

    slow_ones = [asyncio.create_task(upload(client, ada, slow())) for _ in range(MAX_UPLOADS)]
    await asyncio.to_thread(wait_until, lambda: arrived == MAX_UPLOADS)
    refused = await upload(client, ada)
    goes_on.set()
    accepted = [response.status_code for response in await asyncio.gather(*slow_ones)]

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert accepted == [200] * MAX_UPLOADS
    assert (await upload(client, ada)).status_code == 200


@pytest.mark.any_database
async def test_pages_of_listed_origins_may_upload_and_remove(
    database_url: str, folder: Path
) -> None:
    settings = settings_for(
        database_url, pictures=str(folder), cors_origins="https://app.example.com"
    )

    async def preflight(client: httpx.AsyncClient, method: str, origin: str) -> httpx.Response:
        return await client.options(
            "/me/picture",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization, content-type",
            },
        )

    async with unprepared_app(settings) as app, client_of(app) as client:
        for method in ("PUT", "DELETE"):
            allowed = await preflight(client, method, "https://app.example.com")
            other = await preflight(client, method, "https://other.example.com")

            assert allowed.status_code == 200
            assert method in allowed.headers["Access-Control-Allow-Methods"]
            assert other.status_code == 400


# ---- What becomes of the files


@pytest.mark.parametrize("erase", [True, False, None])
async def test_a_deleted_account_loses_its_picture(
    client: httpx.AsyncClient,
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    folder: Path,
    erase: bool | None,
) -> None:
    await uploaded(client, ada)
    if erase is None:
        assert (await graphql(DELETE_ME, by=ada, password=ada.password)).errors == []
    else:
        await admin.delete_account(
            services, THIS_DEVICE, OPERATOR, UUID(ada.id), reason="asked for it", erase=erase
        )

    assert names_in(folder) == []
    async with services.database.reading() as session:
        assert (await session.scalars(select(User.picture_id))).all() == []


def make_older(folder: Path, by: timedelta = timedelta(hours=2)) -> None:
    for file in folder.iterdir():
        at = file.stat().st_mtime - by.total_seconds()
        os.utime(file, (at, at))


async def test_files_that_no_user_has_are_pruned(
    client: httpx.AsyncClient,
    ada: RegisteredUser,
    services: Services,
    store: PictureStore,
    folder: Path,
) -> None:
    kept = await uploaded(client, ada)
    orphan = "f" * 32
    (folder / "notes.txt").write_text("not ours")
    (folder / f"{orphan}-64.webp.bak").write_text("not ours either")
    await store.put(dict.fromkeys(files_of(orphan), b"x"))
    make_older(folder)
    await store.put({f"{'e' * 32}-64.webp": b"an upload under way"})

    assert await prune_pictures(services.database, store) == 3
    assert names_in(folder) == sorted(
        [*files_of(kept), "notes.txt", f"{orphan}-64.webp.bak", f"{'e' * 32}-64.webp"]
    )
    assert await prune_pictures(services.database, store) == 0


async def test_nothing_is_pruned_before_there_is_a_folder(
    services: Services, store: PictureStore, folder: Path
) -> None:
    assert await prune_pictures(services.database, store) == 0
    assert folder.name not in names_in(folder.parent)


async def test_the_command_prunes_them_too(
    services: Services, store: PictureStore, database_url: str, folder: Path, tmp_path: Path
) -> None:
    await store.put(dict.fromkeys(files_of("f" * 32), b"x"))
    make_older(folder)
    ended = await asyncio.to_thread(
        run, ["prune"], tmp_path, DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY
    )

    assert ended.stdout.endswith("Gatehouse: deleted 3 files of pictures.\n")
    assert names_in(folder) == []


@pytest.mark.any_database
async def test_a_serving_process_prunes_them(
    services: Services,
    store: PictureStore,
    folder: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "PRUNE_PICTURES_EVERY", timedelta(milliseconds=1))
    await store.put(dict.fromkeys(files_of("f" * 32), b"x"))
    make_older(folder)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await asyncio.to_thread(wait_until, lambda: names_in(folder) == [])


async def test_an_export_names_the_picture(
    client: httpx.AsyncClient, ada: RegisteredUser, services: Services
) -> None:
    picture_id = await uploaded(client, ada)
    async with services.database.reading() as session:
        exported = await data_of(session, UUID(ada.id))

    assert exported["user"]["picture_id"] == picture_id


async def test_systems_are_told_that_the_user_has_changed(
    database_url: str, folder: Path, graphql: GraphQL, ada: RegisteredUser
) -> None:
    settings = settings_for(
        database_url,
        pictures=str(folder),
        webhooks="https://a.example/hook",
        webhook_secrets=SECRET,
    )
    async with unprepared_app(settings) as app, client_of(app) as client:
        # What is published stays in the outbox.
        app.state.gatehouse.senders.clear()
        await remove(client, ada)
        before = await published(app.state.gatehouse.services.database)
        await upload(client, ada)
        await remove(client, ada)
        events = await published(app.state.gatehouse.services.database)

    assert before == []
    assert [(event["type"], event["data"]["userId"]) for event in events] == [
        ("user.updated", ada.id)
    ] * 2


@pytest.mark.any_database
async def test_the_outcome_of_each_upload_is_counted(
    services: Services, ada: RegisteredUser
) -> None:
    counted: list[PictureOutcome] = []

    class Counter(Observer):
        def picture_ended(self, outcome: PictureOutcome) -> None:
            counted.append(outcome)

    async def sent(content: bytes) -> bytes:
        return content

    counting = replace(services, observer=Counter())
    caller = services.access_tokens.read(ada.token).caller
    await replace_picture(counting, THIS_DEVICE, caller, partial(sent, PNG))
    with pytest.raises(InvalidInput):
        await replace_picture(counting, THIS_DEVICE, caller, partial(sent, b"no picture"))

    assert counted == [PictureOutcome.STORED, PictureOutcome.REFUSED]


# ---- What it costs


@pytest.mark.any_database
@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness there")
async def test_one_thread_of_low_priority_decodes(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    before = threading.enumerate()
    await asyncio.gather(*(upload(client, ada, JPEG) for _ in range(3)))
    decoding = [
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.name.startswith("pictures")
    ]

    assert len(decoding) == 1
    assert decoding[0].native_id is not None
    assert os.getpriority(os.PRIO_PROCESS, decoding[0].native_id) >= NICENESS


@pytest.mark.any_database
async def test_an_app_that_is_started_again_takes_pictures_again(
    settings: Settings, graphql: GraphQL, ada: RegisteredUser
) -> None:
    app = create_app(settings)
    statuses = []
    for _ in range(2):
        async with app.router.lifespan_context(app), client_of(app) as client:
            statuses.append((await upload(client, ada)).status_code)

    assert statuses == [200, 200]


@pytest.mark.any_database
async def test_what_is_not_used_is_not_loaded(database_url: str, tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from api.app import create_app\n"
        "from settings import Settings\n"
        "app = create_app(Settings())\n"
        "async def start():\n"
        "    async with app.router.lifespan_context(app): pass\n"
        "asyncio.run(start())\n"
        "print([name for name in ('PIL', 'obstore') if name in sys.modules])\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": SECRET_KEY, "DATABASE_URL": database_url},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)

    assert out.decode() == "[]\n"
    assert not (tmp_path / "pictures").exists()


@pytest.mark.any_database
async def test_the_documented_limit_is_the_one_that_holds() -> None:
    assert pictures.MAX_BYTES == 5 * MIB
