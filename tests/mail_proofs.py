"""The codes and tokens of mails, as their reader sees them."""

import re

from fastapi import FastAPI

from api.mail import render_row
from domain.mail.render import part_of
from tests.operations import REQUEST_SIGN_IN
from tests.outboxes import rows
from tests.users import GraphQL

DATA_KEY = "a data key for tests, and for nothing else but tests"

#: The six digits of a mail, and the token of its link.
CODE = re.compile(r"^ +(\d{6})$", re.MULTILINE)
TOKEN = re.compile(r"#token=(\S+)")


async def texts_where(app: FastAPI, **payload: str) -> list[str]:
    """Return the mails of an app with these values, as their reader sees them, the oldest first."""
    state = app.state.gatehouse
    return [
        part_of(render_row(state.mail_renderer, state.services.data_keys, row), "plain")
        for row in await rows(state.services.database)
        if payload.items() <= row.payload.items()
    ]


async def texts_to(app: FastAPI, email: str) -> list[str]:
    """Return the mails to an address, the oldest first."""
    return await texts_where(app, to=email)


async def mailed(app: FastAPI, what: re.Pattern[str], email: str) -> str:
    """Return the newest code or token that was mailed to an address."""
    found = [match[1] for text in await texts_to(app, email) if (match := what.search(text))]
    return found[-1]


async def newest_mail(app: FastAPI, template: str) -> str:
    """Return the text of the newest mail of a template."""
    return (await texts_where(app, template=template))[-1]


async def mailed_code(app: FastAPI, template: str = "sign_in_code") -> str:
    found = CODE.search(await newest_mail(app, template))
    assert found
    return found[1]


async def mailed_token(app: FastAPI, template: str = "reset_password") -> str:
    found = TOKEN.search(await newest_mail(app, template))
    assert found
    return found[1]


async def request_code(graphql: GraphQL, email: str = "ada@example.com") -> str:
    """Request a code to sign in, and return the ticket."""
    answer = await graphql(REQUEST_SIGN_IN, email=email)
    ticket: str = answer.data["requestSignIn"]["ticket"]
    return ticket
