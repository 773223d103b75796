"""Tickets: what is proven once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from db.models import Ticket
from domain import tickets
from domain.data_keys import DataKeys
from domain.ids import new_id
from domain.services import Services
from domain.tickets import NewTicket, TicketKind
from tests.clocks import moved_clock
from tests.users import RegisteredUser

KEYS = DataKeys("the data key of tests, which is long enough for one")
OTHER = DataKeys("another data key of tests, which is long enough too")
RESET, SIGN_IN = TicketKind.PASSWORD_RESET, TicketKind.SIGN_IN
LIFETIME = timedelta(minutes=10)


async def issue(
    services: Services, kind: TicketKind = SIGN_IN, user_id: UUID | None = None
) -> NewTicket:
    async with services.database.writing() as session:
        return tickets.create(
            session, kind, lifetime=LIFETIME, user_id=user_id, state={"email": "ada@example.com"}
        )


async def by_token(
    services: Services, token: str, kind: TicketKind = RESET, keys: DataKeys = KEYS
) -> Ticket | None:
    async with services.database.writing() as session:
        return await tickets.use_token(session, keys, kind, token)


async def by_code(
    services: Services, value: str, code: str, keys: DataKeys = KEYS
) -> Ticket | None:
    async with services.database.writing() as session:
        return await tickets.use_code(session, keys, SIGN_IN, value, code)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def code_of(new: NewTicket) -> str:
    return tickets.code(KEYS, TicketKind(new.ticket.kind), new.ticket.id)


def token_of(new: NewTicket) -> str:
    return tickets.token(KEYS, TicketKind(new.ticket.kind), new.ticket.id)


async def test_a_token_works_once(services: Services) -> None:
    new = await issue(services, RESET)

    used = await by_token(services, token_of(new))
    assert used
    assert used.state == {"email": "ada@example.com"}
    assert await by_token(services, token_of(new)) is None


async def test_finding_a_ticket_does_not_use_it(services: Services) -> None:
    new = await issue(services, RESET)
    async with services.database.reading() as session:
        found = await tickets.find(session, KEYS, RESET, token_of(new))
        wrong = await tickets.find(session, OTHER, RESET, token_of(new))

    assert found
    assert wrong is None
    assert await by_token(services, f" {token_of(new)}\n")


async def test_a_token_is_good_for_its_kind_alone(services: Services) -> None:
    new = await issue(services, RESET)
    of_another_kind = tickets.token(KEYS, SIGN_IN, new.ticket.id)

    assert await by_token(services, of_another_kind, SIGN_IN) is None
    assert await by_token(services, of_another_kind) is None
    assert await by_token(services, token_of(new))


@pytest.mark.parametrize("token", ["", "x", "a" * 64, "ä" * 64, "\0" * 64, "a" * 10_000])
async def test_another_text_is_no_token(services: Services, token: str) -> None:
    assert await by_token(services, token) is None
    assert await by_code(services, token, "123456") is None


async def test_a_former_data_key_is_good_for_what_it_made(services: Services) -> None:
    new = await issue(services)
    rotated = DataKeys(OTHER.current, fallbacks=(KEYS.current,))

    assert tickets.code(rotated, SIGN_IN, new.ticket.id) != code_of(new)
    assert await by_code(services, new.value, code_of(new), OTHER) is None
    assert await by_code(services, new.value, code_of(new), rotated)


async def test_a_code_may_be_typed_in_groups(services: Services) -> None:
    new = await issue(services)
    code = code_of(new)

    assert len(code) == 6
    assert await by_code(services, new.value, f" {code[:3]} {code[3:]}\n")
    assert await by_code(services, new.value, code) is None


async def test_the_sixth_code_is_not_judged(services: Services) -> None:
    new = await issue(services)
    for _ in range(tickets.MAX_ATTEMPTS):
        assert await by_code(services, new.value, another(code_of(new))) is None

    assert await by_code(services, new.value, code_of(new)) is None


async def test_a_code_is_good_only_in_the_browser_that_asked(services: Services) -> None:
    new, other = await issue(services), await issue(services)
    forged = tickets.token(KEYS, SIGN_IN, new.ticket.id)
    for _ in range(tickets.MAX_ATTEMPTS):
        assert await by_code(services, forged, code_of(new)) is None
        assert await by_code(services, other.value, code_of(new)) is None

    # The attempts of others did not count.
    assert await by_code(services, new.value, code_of(new))


@pytest.mark.parametrize("code", ["", "１２３４５６", "12345", "\0", "1" * 10_000, "\ud800"])
async def test_another_text_is_no_code(services: Services, code: str) -> None:
    new = await issue(services)

    assert await by_code(services, new.value, code) is None


async def test_of_twenty_who_use_one_code_one_does(services: Services) -> None:
    new = await issue(services)
    used = await asyncio.gather(*(by_code(services, new.value, code_of(new)) for _ in range(20)))

    assert sum(ticket is not None for ticket in used) == 1


async def test_of_twenty_wrong_codes_at_once_five_are_judged(services: Services) -> None:
    new = await issue(services)
    await asyncio.gather(*(by_code(services, new.value, another(code_of(new))) for _ in range(20)))
    async with services.database.reading() as session:
        ticket = await session.get_one(Ticket, new.ticket.id)

    assert ticket.attempts == tickets.MAX_ATTEMPTS


async def test_a_ticket_expires(services: Services) -> None:
    new = await issue(services, RESET)
    with moved_clock(LIFETIME):
        assert await by_token(services, token_of(new)) is None

    with moved_clock(LIFETIME - timedelta(seconds=5)):
        assert await by_token(services, token_of(new))


async def test_the_user_who_asked_needs_only_the_newest_code(
    services: Services, ada: RegisteredUser
) -> None:
    user_id = UUID(ada.id)
    older = await issue(services, user_id=user_id)
    newest = await issue(services, user_id=user_id)

    async def use(code: str, user_id: UUID) -> Ticket | None:
        async with services.database.writing() as session:
            return await tickets.use_code_of(session, KEYS, SIGN_IN, user_id, code)

    assert await use(code_of(newest), new_id()) is None
    assert await use(code_of(older), user_id) is None
    assert await use(code_of(newest), user_id)


async def test_tickets_of_a_user_can_be_discarded(services: Services, ada: RegisteredUser) -> None:
    reset = await issue(services, RESET, UUID(ada.id))
    sign_in = await issue(services, SIGN_IN, UUID(ada.id))
    async with services.database.writing() as session:
        await tickets.discard(session, UUID(ada.id), [RESET])

    assert await by_token(services, token_of(reset)) is None
    assert await by_code(services, sign_in.value, code_of(sign_in))


async def test_what_the_outbox_says_of_a_ticket_leads_to_its_proofs(services: Services) -> None:
    new = await issue(services, RESET)
    reference = tickets.reference(new.ticket)

    assert tickets.proofs(KEYS, reference) == (token_of(new), code_of(new))
    assert token_of(new) not in reference
    assert await by_token(services, reference) is None
