"""`gatehouse check`: whether the data keys decrypt the authenticator apps that are stored."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.commands import run
from tests.conftest import settings_for
from tests.mail_proofs import CODE, mailed
from tests.operations import VERIFY_EMAIL
from tests.stored_factors import set_up_app
from tests.users import GraphQL, RegisteredUser

# Without a comma, so that they can be fallbacks.
DATA_KEY = "a data key for tests and for nothing else but tests"
OTHER_KEY = "another data key for tests and for nothing else but tests"
LOST = "encrypted with a key that is not in DATA_KEY or DATA_KEY_FALLBACKS"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def set_up(app: FastAPI, graphql: GraphQL, *users: RegisteredUser) -> None:
    """Let users verify their emails and set up authenticator apps."""
    for user in users:
        code = await mailed(app, CODE, user.email)
        assert (await graphql(VERIFY_EMAIL, by=user, code=code)).errors == []
        await set_up_app(app.state.gatehouse.services, user)


async def findings(database_url: str, folder: Path, **settings: str) -> list[str]:
    """Return what the check says about the data keys, without how random they are."""
    checked = await asyncio.to_thread(
        run,
        ["check"],
        folder,
        SECRET_KEY=secrets.token_urlsafe(64),
        DATABASE_URL=database_url,
        **settings,
    )
    lines = [" ".join(line.split()) for line in checked.lines]
    return [line for line in lines if " DATA_KEY" in line and " random" not in line]


async def test_keys_that_decrypt_all_apps_are_ok(
    app: FastAPI,
    graphql: GraphQL,
    ada: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await set_up(app, graphql, ada)

    assert await findings(database_url, tmp_path, DATA_KEY=DATA_KEY) == [
        "ok DATA_KEY: decrypts all authenticator apps, with its fallbacks"
    ]


async def test_apps_that_need_another_key_are_a_problem(
    app: FastAPI,
    graphql: GraphQL,
    ada: RegisteredUser,
    grace: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await set_up(app, graphql, ada)
    one = await findings(database_url, tmp_path, DATA_KEY=OTHER_KEY)
    await set_up(app, graphql, grace)
    two = await findings(database_url, tmp_path, DATA_KEY=OTHER_KEY)

    assert one == [
        f"problem DATA_KEY: 1 authenticator app was {LOST}: their users cannot sign in with them"
    ]
    assert two == [
        f"problem DATA_KEY: 2 authenticator apps were {LOST}: their users cannot sign in with them"
    ]


async def test_apps_without_any_key_are_a_problem(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, database_url: str, tmp_path: Path
) -> None:
    await set_up(app, graphql, ada)
    [off, lost] = await findings(database_url, tmp_path, DATA_KEY_FALLBACKS=DATA_KEY)

    assert off == "ok DATA_KEY: not set: users cannot set up authenticator apps"
    assert lost.startswith(f"problem DATA_KEY: 1 authenticator app was {LOST}")


async def test_apps_that_need_a_former_key_are_counted(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, database_url: str, tmp_path: Path
) -> None:
    keys = {"DATA_KEY": OTHER_KEY, "DATA_KEY_FALLBACKS": DATA_KEY}
    none = await findings(database_url, tmp_path, **keys)
    await set_up(app, graphql, ada)
    one = await findings(database_url, tmp_path, **keys)

    decrypts = "ok DATA_KEY: decrypts all authenticator apps, with its fallbacks"
    assert none == [decrypts, "ok DATA_KEY_FALLBACKS: no authenticator app needs them"]
    assert one == [
        decrypts,
        "ok DATA_KEY_FALLBACKS: 1 authenticator app was encrypted with a former key; the next code"
        " of each renews it",
    ]


async def test_a_current_key_that_is_listed_as_a_former_one_too_counts_as_current(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, database_url: str, tmp_path: Path
) -> None:
    await set_up(app, graphql, ada)
    found = await findings(database_url, tmp_path, DATA_KEY=DATA_KEY, DATA_KEY_FALLBACKS=DATA_KEY)

    assert found[-1] == "ok DATA_KEY_FALLBACKS: no authenticator app needs them"


async def test_without_apps_no_key_is_needed(database_url: str, tmp_path: Path) -> None:
    assert await findings(database_url, tmp_path) == [
        "ok DATA_KEY: not set: users cannot set up authenticator apps"
    ]
