"""A real SMTP server on a socket, which a test tells what to answer."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session

from tests.servers import TIMEOUT_SECONDS

USERNAME, PASSWORD = "gate/house", "p@ss word"

Answer = Callable[[], Awaitable[str]]


async def accepted() -> str:
    return "250 OK"


@dataclass
class Mailbox:
    """What has arrived, and what the server answers to a recipient and to a mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)
    to_recipient: Answer = accepted
    to_mail: Answer = accepted
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def subjects(self) -> list[str]:
        return sorted(mail["Subject"] for mail in self.mails)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = await self.to_recipient()
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Any) -> str:  # noqa: N802
        answer = await self.to_mail()
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, policy=default))
            self.recipients += envelope.rcpt_tos
        self.arrived.set()
        if not answer:
            assert server.transport
            server.transport.close()
        return answer

    def authenticate(self, server: SMTP, session: Session, *args: Any) -> AuthResult:
        credential = args[-1]
        assert isinstance(credential, LoginPassword)
        self.logins.append(credential.login.decode())
        is_right = (credential.login, credential.password) == (USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)

    async def until(self, count: int) -> None:
        """Wait until so many mails have arrived."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while len(self.mails) < count:
                self.arrived.clear()
                await self.arrived.wait()


@asynccontextmanager
async def mail_server(
    mailbox: Mailbox | None = None, *, tls: ssl.SSLContext | None = None, auth: bool = False
) -> AsyncIterator[Mailbox]:
    """Serve on 127.0.0.1, on the port of the mailbox or a free one. With ``tls``, STARTTLS is
    required."""
    mailbox = mailbox or Mailbox()
    servers: list[SMTP] = []

    def connect() -> SMTP:
        mailbox.connections += 1
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # AUTH without TLS
            servers.append(
                SMTP(
                    mailbox,
                    hostname="mail.test",
                    tls_context=tls,
                    require_starttls=tls is not None,
                    auth_required=auth,
                    auth_require_tls=tls is not None,
                    authenticator=mailbox.authenticate if auth else None,
                    loop=asyncio.get_running_loop(),
                )
            )
        return servers[-1]

    listening = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", mailbox.port)
    mailbox.port = listening.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        listening.close()
        for server in servers:
            if server.transport:
                server.transport.close()
        await listening.wait_closed()
        await asyncio.sleep(0)  # the transports close
