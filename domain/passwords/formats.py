"""Read the password hashes of other systems, in the forms that these write.

A hash is refused if verifying it takes more than 128 MiB of memory, or more than about two seconds:
each sign-in of its owner takes that, and so do as many sign-ins with an unknown name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase, digits

from domain.passwords.imported import MAX_SCRYPT_BLOCKS, decoded, encoded

UNKNOWN = (
    "Hashes of this kind cannot be verified. Without one, the user is imported without a password."
)
TOO_COSTLY = "Verifying this hash takes too much time or memory."
INVALID_FIREBASE = "This is not a hash and a salt of Firebase in Base64."

MAX_BCRYPT_COST = 14
MAX_PBKDF2_ROUNDS = 2_000_000
# N times r times p. N and r alone decide the memory.
MAX_SCRYPT_WORK = 2 * MAX_SCRYPT_BLOCKS
MAX_ARGON2_KIB = 128 * 1024
# The memory times the passes.
MAX_ARGON2_WORK = 8 * MAX_ARGON2_KIB
MAX_ARGON2_LANES = 16

_DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha512": 64}
_MIN_DIGEST_BYTES, _MAX_BYTES = 16, 64

# Of the keystream of Firebase, which is compared: as many as of other digests.
_FIREBASE_BYTES = 32

_BASE64 = r"[A-Za-z0-9+/]{1,88}={0,2}"
_BCRYPT = (
    r"(?P<parameters>\$2[aby]\$(?P<cost>[0-9]{2})\$)"
    r"(?P<salt>[./A-Za-z0-9]{22})(?P<digest>[./A-Za-z0-9]{31})"
)
_BCRYPT_ALPHABET = f"./{ascii_uppercase}{ascii_lowercase}{digits}"
_NUMBER = r"[1-9][0-9]{0,7}"
_SMALL = r"[1-9][0-9]{0,2}"


class InvalidHash(ValueError):
    """The hash cannot be imported. The message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class FirebaseConfig:
    """The password hash parameters of a Firebase project."""

    signer_key: bytes = field(repr=False)
    salt_separator: bytes
    rounds: int
    memory_cost: int

    def stored_form(self, password_hash: str, salt: str) -> str:
        """Return the hash of a user as it is stored. Raises InvalidHash.

        Firebase encrypts the signer key with what it derives from the password. What it XORs the
        key with is stored, so that the key is not.
        """
        try:
            encrypted, salt_bytes = decoded(password_hash), decoded(salt)
        except ValueError:
            raise InvalidHash(INVALID_FIREBASE) from None
        if len(encrypted) != len(self.signer_key) or len(encrypted) < _FIREBASE_BYTES:
            raise InvalidHash(INVALID_FIREBASE)
        keystream = bytes(a ^ b for a, b in zip(encrypted, self.signer_key, strict=True))
        return _scrypt(
            1 << self.memory_cost,
            self.rounds,
            1,
            salt_bytes + self.salt_separator,
            keystream[:_FIREBASE_BYTES],
            scheme="firebase-scrypt",
        )


def stored_form(password_hash: str) -> str:
    """Return a hash of another system as it is stored. Raises InvalidHash."""
    for pattern, convert in _FORMATS:
        if found := pattern.fullmatch(password_hash):
            try:
                return convert(found)
            except InvalidHash:
                raise
            except ValueError:
                break
    raise InvalidHash(UNKNOWN)


def _argon2(found: re.Match[str]) -> str:
    memory, passes, lanes = int(found["m"]), int(found["t"]), int(found["p"])
    if memory > MAX_ARGON2_KIB or memory * passes > MAX_ARGON2_WORK or lanes > MAX_ARGON2_LANES:
        raise InvalidHash(TOO_COSTLY)
    if memory < 8 * lanes:
        raise InvalidHash(UNKNOWN)
    return found["hash"]


def _bcrypt(found: re.Match[str]) -> str:
    if int(found["cost"]) > MAX_BCRYPT_COST:
        raise InvalidHash(TOO_COSTLY)
    if int(found["cost"]) < 4:
        raise InvalidHash(UNKNOWN)
    salt, digest = found["salt"], found["digest"]
    return f"{found['parameters']}{_padded(salt, 0b110000)}{_padded(digest, 0b111100)}"


def _padded(text: str, mask: int) -> str:
    """Return a text in bcrypt's alphabet with zeros after its last bit, which the mask leaves out.
    Some libraries write other bits there, and this one refuses them."""
    last = _BCRYPT_ALPHABET.index(text[-1]) & mask
    return text[:-1] + _BCRYPT_ALPHABET[last]


def _django_bcrypt_sha256(found: re.Match[str]) -> str:
    return f"$django-bcrypt-sha256{_bcrypt(found)}"


def _django_pbkdf2(found: re.Match[str]) -> str:
    salt, digest = found["salt"].encode(), decoded(found["digest"])
    return _pbkdf2(found["name"], int(found["rounds"]), salt, digest)


def _passlib_pbkdf2(found: re.Match[str]) -> str:
    # Base64 with a dot in place of the plus sign.
    salt, digest = (decoded(found[part].replace(".", "+")) for part in ("salt", "digest"))
    return _pbkdf2(found["name"] or "sha1", int(found["rounds"]), salt, digest)


def _werkzeug_pbkdf2(found: re.Match[str]) -> str:
    salt, digest = found["salt"].encode(), bytes.fromhex(found["digest"])
    return _pbkdf2(found["name"], int(found["rounds"]), salt, digest)


def _django_scrypt(found: re.Match[str]) -> str:
    return _scrypt(*_costs(found), found["salt"].encode(), decoded(found["digest"]))


def _passlib_scrypt(found: re.Match[str]) -> str:
    n, r, p = 1 << int(found["ln"]), int(found["r"]), int(found["p"])
    return _scrypt(n, r, p, decoded(found["salt"]), decoded(found["digest"]))


def _werkzeug_scrypt(found: re.Match[str]) -> str:
    return _scrypt(*_costs(found), found["salt"].encode(), bytes.fromhex(found["digest"]))


def _costs(found: re.Match[str]) -> tuple[int, int, int]:
    return int(found["n"]), int(found["r"]), int(found["p"])


def _pbkdf2(name: str, rounds: int, salt: bytes, digest: bytes) -> str:
    if rounds > MAX_PBKDF2_ROUNDS:
        raise InvalidHash(TOO_COSTLY)
    # A longer one would take the rounds again.
    if len(digest) != _DIGEST_BYTES[name] or len(salt) > _MAX_BYTES:
        raise InvalidHash(UNKNOWN)
    return f"$pbkdf2-{name}$i={rounds}${encoded(salt)}${encoded(digest)}"


def _scrypt(n: int, r: int, p: int, salt: bytes, digest: bytes, *, scheme: str = "scrypt") -> str:
    if n * r > MAX_SCRYPT_BLOCKS or n * r * p > MAX_SCRYPT_WORK:
        raise InvalidHash(TOO_COSTLY)
    # RFC 7914 section 2: a power of two, less than 2^(128 * r / 8).
    is_valid_cost = n > 1 and n & (n - 1) == 0 and n < 2 ** (16 * r)
    if not is_valid_cost or not _MIN_DIGEST_BYTES <= len(digest) <= _MAX_BYTES:
        raise InvalidHash(UNKNOWN)
    if len(salt) > _MAX_BYTES:
        raise InvalidHash(UNKNOWN)
    return f"${scheme}$ln={n.bit_length() - 1},r={r},p={p}${encoded(salt)}${encoded(digest)}"


_FORMATS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(pattern), convert)
    for pattern, convert in (
        (
            # The PHC string format, and Django's name before it.
            r"(?:argon2)?(?P<hash>\$argon2(?:id|i|d)\$v=19"
            rf"\$m=(?P<m>{_NUMBER}),t=(?P<t>{_NUMBER}),p=(?P<p>{_NUMBER})"
            r"\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86})",
            _argon2,
        ),
        (rf"(?:bcrypt\$)?{_BCRYPT}", _bcrypt),
        (rf"bcrypt_sha256\${_BCRYPT}", _django_bcrypt_sha256),
        (
            rf"pbkdf2_(?P<name>sha1|sha256)\$(?P<rounds>{_NUMBER})\$(?P<salt>[^$]{{1,64}})"
            rf"\$(?P<digest>{_BASE64})",
            _django_pbkdf2,
        ),
        (
            rf"\$pbkdf2(?:-(?P<name>sha256|sha512))?\$(?P<rounds>{_NUMBER})"
            r"\$(?P<salt>[A-Za-z0-9./]{1,86})\$(?P<digest>[A-Za-z0-9./]{1,86})",
            _passlib_pbkdf2,
        ),
        (
            rf"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<rounds>{_NUMBER})"
            r"\$(?P<salt>[^$]{1,64})\$(?P<digest>[0-9a-f]{2,128})",
            _werkzeug_pbkdf2,
        ),
        (
            rf"scrypt\$(?P<n>{_NUMBER})\$(?P<salt>[^$]{{1,64}})\$(?P<r>{_SMALL})\$(?P<p>{_SMALL})"
            rf"\$(?P<digest>{_BASE64})",
            _django_scrypt,
        ),
        (
            rf"\$scrypt\$ln=(?P<ln>[0-9]{{1,2}}),r=(?P<r>{_SMALL}),p=(?P<p>{_SMALL})"
            r"\$(?P<salt>[A-Za-z0-9+/]{0,86})\$(?P<digest>[A-Za-z0-9+/]{1,86})",
            _passlib_scrypt,
        ),
        (
            rf"scrypt:(?P<n>{_NUMBER}):(?P<r>{_SMALL}):(?P<p>{_SMALL})"
            r"\$(?P<salt>[^$]{1,64})\$(?P<digest>[0-9a-f]{2,128})",
            _werkzeug_scrypt,
        ),
    )
]
