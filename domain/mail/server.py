"""The mail server that mail is handed to."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP

# Of each command.
COMMAND_TIMEOUT = 10.0

# Of all commands until the first mail.
CONNECT_TIMEOUT = 20.0

# RFC 6409 section 3.1 and RFC 8314 section 3.3.
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


class Encryption(Enum):
    """``TLS`` is from the first byte, ``STARTTLS`` before anything is said, ``NONE`` only within
    this machine."""

    TLS = auto()
    STARTTLS = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """Return the server of a URL such as ``smtp://user:password@mail.example.com:587``."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        return cls(
            host=host,
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            encryption=_encryption(parts.scheme, host),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    async def connect(self) -> SMTP:
        """Connect and log in. Raises OSError or SMTPException, also for a certificate that is not
        valid and for a server without STARTTLS."""
        smtp = SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.encryption is Encryption.TLS,
            # None would go on in clear text where a server, or someone on the way to it, does not
            # offer STARTTLS.
            start_tls=self.encryption is Encryption.STARTTLS,
            timeout=COMMAND_TIMEOUT,
        )
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await smtp.connect()
        except BaseException:
            smtp.close()
            raise
        return smtp


def _encryption(scheme: str, host: str) -> Encryption:
    if scheme == "smtps":
        return Encryption.TLS
    return Encryption.NONE if _is_this_machine(host) else Encryption.STARTTLS


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
