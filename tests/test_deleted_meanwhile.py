"""An account that is deleted while a request of another session of it runs."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from domain.services import Services
from settings import Settings
from tests.conftest import settings_for
from tests.databases import execute
from tests.mail_proofs import DATA_KEY
from tests.operations import FACTORS, REMOVE_TOTP
from tests.users import GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)


@pytest.fixture
def deletion(services: Services, ada: RegisteredUser, database_url: str) -> Iterator[None]:
    """Delete Ada's account as soon as a statement has found her session active."""
    reads, _ = services.database.engines

    def delete(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "sessions" in statement:
            execute(database_url, "DELETE FROM sessions", "DELETE FROM users")

    event.listen(reads.sync_engine, "after_cursor_execute", delete)
    yield
    event.remove(reads.sync_engine, "after_cursor_execute", delete)


@pytest.mark.usefixtures("deletion")
async def test_a_sensitive_change_finds_no_session(graphql: GraphQL, ada: RegisteredUser) -> None:
    assert (await graphql(REMOVE_TOTP, by=ada)).code == "UNAUTHENTICATED"


@pytest.mark.usefixtures("deletion")
async def test_a_query_finds_no_factors(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(FACTORS, by=ada)

    assert answer.errors == []
    assert answer.data["me"]["factors"] == {"totp": False, "recoveryCodesLeft": 0}
