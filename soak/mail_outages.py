"""Thousands of mails while the mail server fails in every way and workers are killed.

Users register and request links to reset their passwords. Each request that was acknowledged must
lead to a mail that is delivered once, or twice if a server or a worker failed between the delivery
and its mark. The mailboxes of some users cease to exist.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from sqlalchemy import func, select, update

from db.database import Database
from db.engine import create_engine
from db.models import OutboxRow, User
from soak import invariants, mail_guarantees
from soak.audited_clients import DISCONNECTED, OK, AuditedClient
from soak.faulty_mail_server import FaultyMailbox, serve_with_faults
from soak.figures import Figures
from soak.kill import wait_for_workers
from soak.mail_guarantees import Requests, Run
from soak.raw_client import Disconnected, RawClient, raw_clients
from soak.resource_growth import SAMPLES, check_growth
from soak.resource_usage import descendants, resource_usage
from soak.server_settings import SECRET_KEY
from tests.operations import REQUEST_PASSWORD_RESET
from tests.outboxes import rows
from tests.servers import Server, running_server

WORKERS = 2
CLIENTS = 8
MAILS_PER_USER = 10

# One in so many users loses their mailbox.
GONE = 50

# As parts of the time: early, since memory is compared between workers that are warm.
KILLS = (0.1, 0.2, 0.3)

# Clients wait while more mails are pending. On a slow machine, mails would expire otherwise.
MAX_PENDING = 1000

# Leases of killed workers, and what is pending when the last fault ends.
DRAIN_SECONDS = 300.0

POLL_SECONDS = 0.5

MAKE_DUE_EVERY_SECONDS = 5.0

_is_pending = (OutboxRow.done_at.is_(None), OutboxRow.failed_at.is_(None))


async def mail_outages(url: str, folder: Path, *, mails: int, seconds: float, port: int) -> Figures:
    """Request ``mails`` mails, the first tenth by registrations and the rest evenly over
    ``seconds``. The mail server has the next port but one."""
    figures, run = Figures(), Run(FaultyMailbox(port=port + 2))
    settings = {
        "PORT": str(port),
        "WORKERS": str(WORKERS),
        "MAIL_URL": f"smtp://127.0.0.1:{run.mailbox.port}",
        "MAIL_FROM": "accounts@example.com",
        "DATA_KEY": "a data key for the soak tests only",
    }
    began = time.monotonic()
    with (
        figures.on_this_machine(),
        running_server(url, SECRET_KEY, folder, **settings) as server,
    ):
        async with _database(url) as database:
            await _run(run, server, database, mails=mails, seconds=seconds)
        log = server.logged()
    figures.record("duration (s)", time.monotonic() - began)
    mail_guarantees.check(run, figures)
    check_growth(run.samples, figures)
    figures.none("tracebacks in the log", log.count("Traceback"))
    figures.none("addresses in the log", log.count("@example.com"))
    await invariants.check(url, run.users, figures)
    return figures


async def _run(run: Run, server: Server, database: Database, *, mails: int, seconds: float) -> None:
    ended = asyncio.Event()
    with raw_clients(server.url, CLIENTS) as clients:
        async with asyncio.TaskGroup() as tasks:
            aside = [
                tasks.create_task(serve_with_faults(run.mailbox, ended)),
                tasks.create_task(_make_due(database)),
                tasks.create_task(_limit_pending(database, run.requests.may_be_sent)),
            ]
            number = mails // MAILS_PER_USER // CLIENTS
            registered = [_register(client, number, run.requests) for client in clients]
            users = await asyncio.gather(*registered)
            run.users = list(chain(*users))
            run.mailbox.gone = {_address(user) for user in run.users[::GONE]}
            aside.append(tasks.create_task(_kill_and_measure(run, server, seconds)))
            requested = [
                _request_mails(client, some, seconds, run.requests)
                for client, some in zip(clients, users, strict=True)
            ]
            await asyncio.gather(*requested)
            ended.set()
            await _drain(database)
            for task in aside:
                task.cancel()
    run.rows = await rows(database)
    async with database.reading() as session:
        marked = select(User.email).where(User.email_undeliverable_at.is_not(None))
        run.undeliverable = set(await session.scalars(marked))


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(create_engine(url))
    yield database
    await database.close()


async def _register(raw: RawClient, number: int, requests: Requests) -> list[AuditedClient]:
    """Register users one after the other. No worker is killed until then."""
    users = [AuditedClient(raw) for _ in range(number)]
    for user in users:
        began = time.monotonic()
        outcome = await user.register()
        requests.count(_address(user), outcome, began)
    return users


async def _request_mails(
    raw: RawClient,
    users: Sequence[AuditedClient],
    seconds: float,
    requests: Requests,
) -> None:
    addresses = [_address(user) for user in users] * (MAILS_PER_USER - 1)
    start = time.monotonic()
    for place, address in enumerate(addresses):
        await asyncio.sleep(start + place * seconds / len(addresses) - time.monotonic())
        await requests.may_be_sent.wait()
        began = time.monotonic()
        try:
            answer = await raw.execute(REQUEST_PASSWORD_RESET, email=address)
        except Disconnected:
            requests.count(address, DISCONNECTED, began)
        else:
            requests.count(address, answer.code if answer.errors else OK, began)


async def _make_due(database: Database) -> None:
    """Let the time pass that mails wait for another attempt, which is minutes."""
    while True:
        await asyncio.sleep(MAKE_DUE_EVERY_SECONDS)
        now = datetime.now(UTC)
        async with database.writing() as session:
            await session.execute(
                update(OutboxRow).where(*_is_pending, OutboxRow.due_at > now).values(due_at=now)
            )


async def _kill_and_measure(run: Run, server: Server, seconds: float) -> None:
    """Kill some workers, and sample the memory of those that serve until the end."""
    start = time.monotonic()
    for part in KILLS:
        await asyncio.sleep(start + part * seconds - time.monotonic())
        run.kills.append(time.monotonic())
        os.kill(random.choice(descendants(server.process.pid)), signal.SIGKILL)
        await wait_for_workers(server, WORKERS + len(run.kills))
    while True:
        run.samples.append(resource_usage(server.process.pid))
        await asyncio.sleep(seconds / SAMPLES)


async def _limit_pending(database: Database, may_be_sent: asyncio.Event) -> None:
    while True:
        if await _pending(database) < MAX_PENDING:
            may_be_sent.set()
        else:
            may_be_sent.clear()
        await asyncio.sleep(POLL_SECONDS)


async def _drain(database: Database) -> None:
    for _ in range(int(DRAIN_SECONDS / POLL_SECONDS)):
        if not await _pending(database):
            return
        await asyncio.sleep(POLL_SECONDS)


async def _pending(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).where(*_is_pending)) or 0


def _address(user: AuditedClient) -> str:
    return f"{user.username}@example.com"
