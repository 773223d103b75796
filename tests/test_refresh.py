"""Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14).

A token works once. Used again, it returns the same successor until that has been used for longer
than the grace period.
"""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, text, update

from api.app import create_app
from db.models import LoginSession
from domain.services import Services
from domain.sessions.refresh import MAX_RECENT_ROTATIONS
from settings import Settings
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.operations import ME, REFRESH
from tests.sessions import SECRET_COLUMNS, move_rotations_back, refresh, sessions
from tests.users import GraphQL, RegisteredUser, register_user


async def test_it_gets_the_next_two_tokens(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(REFRESH, token=ada.refresh_token)

    token = answer.data["refresh"]
    assert token["user"] == {"id": ada.id, "username": "Ada", "email": "ada@example.com"}
    assert (token["tokenType"], token["expiresIn"]) == ("bearer", 1800)
    assert token["refreshToken"] != ada.refresh_token
    assert (await graphql(ME, by=token["accessToken"])).data["me"]["id"] == ada.id
    assert (await graphql(ME, by=ada.token)).data["me"]["id"] == ada.id


async def test_used_again_within_the_grace_it_gets_the_same_successor(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    first = await refresh(graphql, ada.refresh_token)
    again = await refresh(graphql, ada.refresh_token)

    assert first == again
    assert await refresh(graphql, first) not in (first, ada.refresh_token)


async def test_a_tab_that_is_two_rotations_behind_catches_up(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    newest = await refresh(graphql, await refresh(graphql, ada.refresh_token))
    behind = await refresh(graphql, ada.refresh_token)

    assert behind == newest


async def test_used_again_later_it_ends_the_session_and_says_so_in_the_log(
    graphql: GraphQL, ada: RegisteredUser, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    successor = await refresh(graphql, await refresh(graphql, ada.refresh_token))
    await move_rotations_back(services, services.session_lifetimes.grace)
    reused = await graphql(REFRESH, token=ada.refresh_token)

    assert reused.code == "UNAUTHENTICATED"
    assert list(reused.fields) == ["refreshToken"]
    assert (await graphql(REFRESH, token=successor)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"
    assert "a refresh token was used again" in caplog.text
    assert ada.refresh_token not in caplog.text


async def test_after_a_lost_answer_it_gets_the_successor_again_however_late(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    lost = await refresh(graphql, ada.refresh_token)
    await move_rotations_back(services, timedelta(days=1))
    late = await refresh(graphql, ada.refresh_token)
    later = await refresh(graphql, ada.refresh_token)

    assert lost == late == later
    assert await refresh(graphql, await refresh(graphql, late))
    assert (await graphql(ME, by=ada)).errors == []


async def test_a_tab_that_wakes_up_with_another_one_stays_signed_in(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    """One has the token that the other one got yesterday."""
    first = await refresh(graphql, ada.refresh_token)
    await move_rotations_back(services, timedelta(days=1))
    newest = await refresh(graphql, first)

    assert await refresh(graphql, ada.refresh_token) == newest


async def test_twenty_late_repetitions_at_once_get_the_one_successor(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    lost = await refresh(graphql, ada.refresh_token)
    await move_rotations_back(services, timedelta(days=1))
    found = await asyncio.gather(*(refresh(graphql, ada.refresh_token) for _ in range(20)))

    assert set(found) == {lost}


async def test_late_repetitions_that_race_with_the_successors_first_use_end_nothing(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    lost = await refresh(graphql, ada.refresh_token)
    await move_rotations_back(services, timedelta(days=1))
    tokens = [ada.refresh_token, lost] * 5
    found = await asyncio.gather(*(refresh(graphql, token) for token in tokens))

    [newest] = set(found) - {lost}
    assert await refresh(graphql, newest)


async def test_a_thief_who_gets_the_successor_too_is_noticed_when_both_use_it(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    stolen = await refresh(graphql, ada.refresh_token)
    await move_rotations_back(services, timedelta(days=1))
    assert await refresh(graphql, ada.refresh_token) == stolen
    newest = await refresh(graphql, stolen)
    await move_rotations_back(services, timedelta(days=1))
    by_the_other = await graphql(REFRESH, token=stolen)

    assert by_the_other.code == "UNAUTHENTICATED"
    assert (await graphql(REFRESH, token=newest)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"


async def test_a_second_answer_may_be_lost_once_a_refresh_went_well(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    used = ada.refresh_token
    for _ in range(3):
        await refresh(graphql, used)
        await move_rotations_back(services, timedelta(days=1))
        used = await refresh(graphql, await refresh(graphql, used))

    assert (await graphql(ME, by=ada)).errors == []


async def test_without_a_grace_period_a_token_works_exactly_once(database_url: str) -> None:
    app = create_app(settings_for(database_url, refresh_grace_seconds=0))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        await refresh(graphql, ada.refresh_token)
        again = await graphql(REFRESH, token=ada.refresh_token)

    assert again.code == "UNAUTHENTICATED"


async def test_clocks_of_two_machines_may_differ_by_more_than_the_grace(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    with moved_clock(timedelta(minutes=-5)):
        newest = await refresh(graphql, await refresh(graphql, ada.refresh_token))
    with moved_clock(timedelta(minutes=5)):
        again = await refresh(graphql, ada.refresh_token)

    assert again == newest


async def test_a_machine_whose_clock_is_ahead_does_not_prolong_the_grace(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    with moved_clock(timedelta(hours=1)):
        await refresh(graphql, await refresh(graphql, ada.refresh_token))
    await move_rotations_back(services, services.session_lifetimes.grace)

    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"


async def test_a_session_was_last_used_when_the_database_says(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    with moved_clock(timedelta(hours=1)):
        await refresh(graphql, ada.refresh_token)
    [session] = await sessions(graphql, ada)

    used = datetime.fromisoformat(session["lastUsedAt"])
    assert abs(datetime.now(UTC) - used) < timedelta(minutes=1)


async def test_however_old_a_token_is_its_reuse_is_noticed(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    newest = ada.refresh_token
    for _ in range(MAX_RECENT_ROTATIONS + 3):
        newest = await refresh(graphql, newest)
    async with services.database.reading() as session:
        remembered = await session.scalar(select(LoginSession.rotations))
    await move_rotations_back(services, services.session_lifetimes.grace)
    newest = await refresh(graphql, newest)
    reused = await graphql(REFRESH, token=ada.refresh_token)

    assert remembered is not None
    assert len(remembered) == MAX_RECENT_ROTATIONS
    assert reused.code == "UNAUTHENTICATED"
    assert (await graphql(REFRESH, token=newest)).code == "UNAUTHENTICATED"


async def test_reuse_ends_that_session_alone(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    await refresh(graphql, await refresh(graphql, ada.refresh_token))
    await move_rotations_back(services, services.session_lifetimes.grace)
    await graphql(REFRESH, token=ada.refresh_token)

    assert (await graphql(ME, by=grace)).errors == []
    assert await refresh(graphql, grace.refresh_token)


@pytest.mark.parametrize(
    "token",
    ["", "short", "x" * 64, "x" * 65, "é" * 64, "\ud800" * 64, "\0" * 64, "=" * 64, "x" * 100_000],
)
async def test_what_is_no_refresh_token_is_refused(graphql: GraphQL, token: str) -> None:
    answer = await graphql(REFRESH, token=token)

    assert answer.code == "UNAUTHENTICATED"
    assert answer.data is None


async def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    assert (await graphql(REFRESH, token=ada.token)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada.refresh_token)).code == "UNAUTHENTICATED"


async def test_a_guessed_secret_with_the_right_family_is_a_reuse(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    """Only a holder of a real token knows the family."""
    guess = ada.refresh_token[:32] + "A" * 32

    assert (await graphql(REFRESH, token=guess)).code == "UNAUTHENTICATED"
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"


async def test_an_expired_access_token_does_not_keep_from_refreshing(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(REFRESH, by="expired or broken", token=ada.refresh_token)

    assert answer.errors == []


async def test_of_twenty_clients_at_once_all_get_the_one_successor(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    successors = await asyncio.gather(*(refresh(graphql, ada.refresh_token) for _ in range(20)))

    assert len(set(successors)) == 1
    async with services.database.reading() as session:
        current = await session.scalar(select(LoginSession).options(*SECRET_COLUMNS))
    assert current is not None
    assert len(current.rotations) == 1
    assert current.refresh_hash == hashlib.sha256(successors[0].encode()).hexdigest()


async def test_twenty_clients_that_keep_refreshing_at_once_stay_signed_in(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    async def refresh_repeatedly() -> str:
        token = ada.refresh_token
        for _ in range(4):
            token = await refresh(graphql, token)
        return token

    newest = await asyncio.gather(*(refresh_repeatedly() for _ in range(20)))

    assert await refresh(graphql, newest[0])


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, session_idle_days=2, session_absolute_days=5)


async def pass_days(services: Services, days: int) -> None:
    """Make every session look as if it had been started and used this many days earlier."""
    by = timedelta(days=days)
    async with services.database.writing() as session:
        for current in await session.scalars(select(LoginSession)):
            current.created_at -= by
            current.last_used_at -= by
            current.expires_at -= by


async def test_a_session_that_is_not_used_for_too_long_has_expired(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await pass_days(services, 2)

    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"


async def test_a_session_that_is_used_stays_active_until_its_absolute_end(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    token = ada.refresh_token
    for _ in range(4):
        await pass_days(services, 1)
        token = await refresh(graphql, token)
    await pass_days(services, 1)

    assert (await graphql(REFRESH, token=token)).code == "UNAUTHENTICATED"


async def test_an_access_token_does_not_outlive_its_session(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    almost_over = datetime.now(UTC) - timedelta(days=5) + timedelta(minutes=2)
    async with services.database.writing() as session:
        await session.execute(update(LoginSession).values(created_at=almost_over))

    answer = await graphql(REFRESH, token=ada.refresh_token)

    assert 110 <= answer.data["refresh"]["expiresIn"] <= 120


async def test_the_database_holds_no_token(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    successor = await refresh(graphql, ada.refresh_token)
    async with services.database.reading() as session:
        [row] = (await session.execute(text("SELECT * FROM sessions"))).all()

    stored = str(row)
    for token in (ada.refresh_token, successor):
        assert token not in stored
        assert token[:20] not in stored
        assert token[-20:] not in stored


async def post_token(client: httpx.AsyncClient, **parameters: str) -> httpx.Response:
    return await client.post("/token", data=parameters)


async def test_the_rest_door_refreshes_the_same_tokens(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    response = await post_token(client, grant_type="refresh_token", refresh_token=ada.refresh_token)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert sorted(body) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert (await graphql(ME, by=body["access_token"])).data["me"]["id"] == ada.id
    assert await refresh(graphql, body["refresh_token"])


async def test_a_refused_refresh_token_is_an_invalid_grant(client: httpx.AsyncClient) -> None:
    response = await post_token(client, grant_type="refresh_token", refresh_token="x" * 64)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"


async def test_the_refresh_grant_needs_its_token(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    response = await post_token(
        client, grant_type="refresh_token", username="Ada", password=ada.password
    )

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
