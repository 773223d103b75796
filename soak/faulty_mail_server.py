"""A mail server that fails in every way that one can, and remembers what it has stored."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email import message_from_bytes
from enum import StrEnum
from typing import Any
from uuid import UUID

from aiosmtpd.smtp import SMTP, Session

from tests.mail_servers import Mailbox, mail_server


class Fault(StrEnum):
    NONE = "none"
    BUSY = "451"
    DROPS = "drop after DATA"
    HANGS = "hang after DATA"


# The seconds of each while the server is up. Afterwards it is away.
FAULTS = (
    (Fault.NONE, 15.0),
    (Fault.BUSY, 3.0),
    (Fault.NONE, 10.0),
    (Fault.DROPS, 3.0),
    (Fault.NONE, 10.0),
    (Fault.HANGS, 4.0),
    (Fault.NONE, 10.0),
)
AWAY_SECONDS = 5.0


@dataclass(frozen=True)
class Copy:
    """A mail that the server has stored. A client that was not told so sends another one."""

    to: str
    at: float
    was_acknowledged: bool


@dataclass
class FaultyMailbox(Mailbox):
    """Refuses the addresses in ``gone`` with 550. ``refused`` has the times at which it did."""

    fault: Fault = Fault.NONE
    gone: set[str] = field(default_factory=set)
    copies: defaultdict[UUID, list[Copy]] = field(default_factory=lambda: defaultdict(list))
    refused: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: Counter[str] = field(default_factory=Counter)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.gone:
            self.refused[address].append(time.monotonic())
            self.faults["550"] += 1
            return "550 5.1.1 There is no such mailbox"
        if self.fault is Fault.BUSY:
            self.faults[self.fault] += 1
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Any) -> str:  # noqa: N802
        id = UUID(message_from_bytes(envelope.content)["Message-ID"].partition("@")[0].strip("<"))
        [to] = envelope.rcpt_tos
        if self.fault in (Fault.NONE, Fault.BUSY):
            self.copies[id].append(Copy(to, time.monotonic(), was_acknowledged=True))
            return "250 OK"
        self.faults[self.fault] += 1
        # Half of the interrupted mails are stored, but none of them twice: a third copy of a mail
        # would have no other reason than the faults of this server.
        if self.faults[self.fault] % 2 and id not in self.copies:
            self.copies[id].append(Copy(to, time.monotonic(), was_acknowledged=False))
        if self.fault is Fault.HANGS:
            await asyncio.Event().wait()
        assert server.transport
        server.transport.close()
        return ""


async def serve_with_faults(mailbox: FaultyMailbox, until: asyncio.Event) -> None:
    """Serve with all faults in turn until the event is set, and without any from then on."""
    while not until.is_set():
        async with mail_server(mailbox):
            for fault, seconds in FAULTS:
                mailbox.fault = fault
                await _wait(until, seconds)
        mailbox.faults["away"] += 1
        await _wait(until, AWAY_SECONDS)
    mailbox.fault = Fault.NONE
    async with mail_server(mailbox):
        await asyncio.Event().wait()


async def _wait(until: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        pass
