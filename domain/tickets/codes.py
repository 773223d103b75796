"""The tokens and the codes of tickets, which the data key makes of their ids."""

import base64
import hmac
import re
from enum import StrEnum
from uuid import UUID

from db.models import Ticket
from domain.data_keys import DataKeys

_CODE_DIGITS = 6

# With blanks between the digits.
_MAX_TYPED = 64

_ID_BYTES = 16

# With white space around it.
_MAX_PASTED = 128

# 16 bytes of the id and 32 that prove something.
_TEXT = re.compile(r"[A-Za-z0-9_-]{64}")


class TicketKind(StrEnum):
    """What a ticket is for. One of another kind is refused."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    EMAIL_CHANGE = "EMAIL_CHANGE"
    EMAIL_CHANGE_UNDO = "EMAIL_CHANGE_UNDO"
    PASSWORD_RESET = "PASSWORD_RESET"
    SIGN_IN = "SIGN_IN"
    REGISTRATION = "REGISTRATION"
    ACCOUNT_SECURITY = "ACCOUNT_SECURITY"
    SECOND_FACTOR = "SECOND_FACTOR"
    TOTP_SETUP = "TOTP_SETUP"
    PASSKEY_SETUP = "PASSKEY_SETUP"
    PASSKEY_SIGN_IN = "PASSKEY_SIGN_IN"
    PROVIDER_FLOW = "PROVIDER_FLOW"
    PROVIDER_CODE = "PROVIDER_CODE"
    INVITATION = "INVITATION"


#: What gives access to an account or changes it. The undo of a changed email is not among them: it
#: outlives what someone does who has taken the account over.
PROOFS = frozenset(TicketKind) - {TicketKind.EMAIL_CHANGE_UNDO}


def token(keys: DataKeys, kind: TicketKind, id: UUID) -> str:
    """Return the token of a ticket: 64 characters for a link."""
    return text(id, keys.mac(_token_purpose(kind), id.bytes))


def code(keys: DataKeys, kind: TicketKind, id: UUID) -> str:
    """Return the code of a ticket: six digits to type."""
    return _digits(keys.mac(_code_purpose(kind), id.bytes))


def reference(ticket: Ticket) -> str:
    """Return what a message says of its ticket, which is no secret: `proofs` makes them of it."""
    return f"{ticket.kind}:{ticket.id}"


def proofs(keys: DataKeys, reference: str) -> tuple[str, str]:
    """Return the token and the code of a ticket."""
    kind, _, id = reference.partition(":")
    which = (TicketKind(kind), UUID(id))
    return token(keys, *which), code(keys, *which)


def is_token(text: str) -> bool:
    """Return whether a text has the format of a token, and not that of a code."""
    return parts(text) is not None


def id_of_token(keys: DataKeys, kind: TicketKind, token: str) -> UUID | None:
    """Return the id of the ticket that a token proves, or None if it proves none."""
    found = parts(token)
    if found is None:
        return None
    id, mac = found
    return id if _is_one_of(mac, keys.macs(_token_purpose(kind), id.bytes)) else None


def is_code(keys: DataKeys, kind: TicketKind, id: UUID, code: str) -> bool:
    """Compare a code. People type it in groups, with blanks between them."""
    if len(code) > _MAX_TYPED:
        return False
    typed = "".join(code.split()).encode(errors="replace")
    codes = [_digits(mac).encode() for mac in keys.macs(_code_purpose(kind), id.bytes)]
    return _is_one_of(typed, codes)


def text(id: UUID, proof: bytes) -> str:
    """Return what proves a ticket as 64 characters."""
    return base64.urlsafe_b64encode(id.bytes + proof).decode()


def parts(text: str) -> tuple[UUID, bytes] | None:
    """Return the id and the proof, or None if the text does not have this format. White space
    around it is no part of it."""
    if len(text) > _MAX_PASTED or not _TEXT.fullmatch(text.strip()):
        return None
    both = base64.urlsafe_b64decode(text.strip())
    return UUID(bytes=both[:_ID_BYTES]), both[_ID_BYTES:]


def _is_one_of(given: bytes, values: list[bytes]) -> bool:
    # A list, so that each is compared and the time tells nothing.
    return any([hmac.compare_digest(given, value) for value in values])  # noqa: C419


def _token_purpose(kind: TicketKind) -> str:
    return f"token of a ticket: {kind}"


def _code_purpose(kind: TicketKind) -> str:
    return f"code of a ticket: {kind}"


def _digits(mac: bytes) -> str:
    # Of 256 bits, so each code is as likely as another.
    return f"{int.from_bytes(mac) % 10**_CODE_DIGITS:0{_CODE_DIGITS}}"
