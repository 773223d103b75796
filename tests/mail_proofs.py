"""The codes and tokens of mails, as their reader sees them."""

import re

from fastapi import FastAPI

from api.mail import render_row
from domain.mail.render import part_of
from tests.operations import REQUEST_SIGN_IN
from tests.outboxes import rows
from tests.users import GraphQL

DATA_KEY = "a data key for tests, and for nothing else but tests"

_CODE = re.compile(r"^ +(\d{6})$", re.MULTILINE)
_TOKEN = re.compile(r"#token=(\S+)")


async def newest_mail(app: FastAPI, template: str) -> str:
    """Return the text of the newest mail of a template."""
    state = app.state.gatehouse
    found = await rows(state.services.database)
    row = [row for row in found if row.payload.get("template") == template][-1]
    return part_of(render_row(state.mail_renderer, state.services.data_keys, row), "plain")


async def mailed_code(app: FastAPI, template: str = "sign_in_code") -> str:
    found = _CODE.search(await newest_mail(app, template))
    assert found
    return found[1]


async def mailed_token(app: FastAPI, template: str = "reset_password") -> str:
    found = _TOKEN.search(await newest_mail(app, template))
    assert found
    return found[1]


async def request_code(graphql: GraphQL, email: str = "ada@example.com") -> str:
    """Request a code to sign in, and return the ticket."""
    answer = await graphql(REQUEST_SIGN_IN, email=email)
    ticket: str = answer.data["requestSignIn"]["ticket"]
    return ticket
