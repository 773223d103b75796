"""Races between concurrent requests, and between processes."""

import asyncio
import sys
from asyncio.subprocess import create_subprocess_exec

from sqlalchemy import select

from db.models import User
from domain.services import Services
from settings import Settings
from tests.conftest import client_of, unprepared_app
from tests.operations import CHANGE_PASSWORD, LOGIN, REGISTER, UPDATE_ME
from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, RegisteredUser


async def test_of_fifty_who_want_one_name_exactly_one_gets_it(graphql: GraphQL) -> None:
    answers = await asyncio.gather(
        *(
            graphql(
                REGISTER,
                username="Ada" if n % 2 else "aDa",
                email=f"ada{n}@example.com",
                password="analytical engine",
            )
            for n in range(50)
        )
    )

    winners = [answer for answer in answers if not answer.errors]
    assert len(winners) == 1
    assert {answer.code for answer in answers if answer.errors} == {"USERNAME_TAKEN"}


async def test_of_twenty_who_move_to_one_email_exactly_one_gets_it(graphql: GraphQL) -> None:
    tokens = []
    for n in range(20):
        answer = await graphql(
            REGISTER,
            username=f"user.{n}",
            email=f"p{n}@example.com",
            password="analytical engine",
        )
        tokens.append(answer.data["register"]["accessToken"])

    answers = await asyncio.gather(
        *(
            graphql(
                UPDATE_ME,
                by=token,
                input={"email": "all@example.com", "currentPassword": "analytical engine"},
            )
            for token in tokens
        )
    )

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.code for answer in answers if answer.errors} == {"EMAIL_TAKEN"}


async def test_of_two_password_changes_at_once_one_wins(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    new = ["difference engine", "analytical machine"]
    answers = await asyncio.gather(
        *(graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=password) for password in new)
    )

    [winner] = [
        password for password, answer in zip(new, answers, strict=True) if not answer.errors
    ]
    [loser] = [answer for answer in answers if answer.errors]
    assert loser.code == "UNAUTHENTICATED"  # the other change has ended every session
    assert (await graphql(LOGIN, username="Ada", password=winner)).errors == []


async def test_twenty_sibling_fields_on_a_cold_pool(
    settings: Settings, ada: RegisteredUser
) -> None:
    fields = " ".join(
        f'u{n}: user(id: "{ada.id}") {{ username }} m{n}: me {{ id }}' for n in range(20)
    )
    async with unprepared_app(settings) as app, client_of(app) as client:
        answer = await GraphQL(client)(f"{{ {fields} }}", by=ada)

    assert answer.errors == []
    assert all(answer.data[f"u{n}"] == {"username": "Ada"} for n in range(20))
    assert all(answer.data[f"m{n}"] == {"id": ada.id} for n in range(20))


READ_THEN_WRITE = """
import asyncio, sys
from sqlalchemy import select
from db.database import Database
from db.engine import create_engine
from db.models import User

async def main(url, times):
    database = Database(create_engine(url))
    for _ in range(times):
        async with database.writing() as session:
            user = (await session.scalars(select(User).with_for_update())).one()
            user.image_file = str(int(user.image_file) + 1)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def test_three_processes_that_read_then_write_lose_no_update(
    ada: RegisteredUser, services: Services, database_url: str
) -> None:
    async with services.database.writing() as session:
        (await session.scalars(select(User))).one().image_file = "0"

    command = (sys.executable, "-c", READ_THEN_WRITE, database_url, "60")
    processes = [await create_subprocess_exec(*command, cwd=ROOT) for _ in range(3)]
    codes = [await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS) for process in processes]

    async with services.database.reading() as session:
        count = await session.scalar(select(User.image_file))
    assert codes == [0, 0, 0]
    assert count == "180"
