"""Verify the hashes that imported users bring along, until they sign in and get one of Argon2id.

Each scheme is stored in one form, with its parameters first. `domain.passwords.formats` reads the
forms of other systems. Hashes of Argon2 are verified like our own.
"""

import base64
import hashlib
import hmac
import re

import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# 128 bytes times N and r: of more memory, a hash is not imported.
MAX_SCRYPT_BLOCKS = 2**20

#: The parameters of each scheme, at the start of a stored hash.
PARAMETERS = (
    r"\$(?:django-bcrypt-sha256\$)?2[aby]\$[0-9]{2}\$"
    r"|\$pbkdf2-(?:sha1|sha256|sha512)\$i=[0-9]{1,7}\$"
    r"|\$(?:firebase-)?scrypt\$ln=[0-9]{1,2},r=[0-9]{1,3},p=[0-9]{1,3}\$"
)
_PARAMETERS = re.compile(PARAMETERS)

# The most that bcrypt reads. Other libraries drop the rest in silence, and this one refuses it.
_BCRYPT_BYTES = 72

_DJANGO_BCRYPT = "$django-bcrypt-sha256"


def is_imported(stored_hash: str) -> bool:
    """Return whether a stored hash is of one of the schemes here."""
    return _PARAMETERS.match(stored_hash) is not None


def is_bcrypt(stored_hash: str) -> bool:
    """Return whether a stored hash is one of bcrypt, whose salt and digest are not separated."""
    return stored_hash.startswith(("$2", _DJANGO_BCRYPT))


def verify(password: str, stored_hash: str) -> bool:
    """Return whether an imported hash is that of a password. Raises ValueError if it is damaged."""
    typed = password.encode()
    if is_bcrypt(stored_hash):
        return _verify_bcrypt(typed, stored_hash)
    _, scheme, parameters, salt, digest = stored_hash.split("$")
    expected = decoded(digest)
    if scheme.startswith("pbkdf2-"):
        found = _pbkdf2(typed, scheme, parameters, decoded(salt))
    elif scheme == "scrypt":
        found = _scrypt(typed, parameters, decoded(salt), len(expected))
    else:
        found = _firebase_scrypt(typed, parameters, decoded(salt), len(expected))
    return hmac.compare_digest(found, expected)


def encoded(value: bytes) -> str:
    """Return bytes as they are stored: in Base64 without padding."""
    return base64.b64encode(value).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of a text in Base64, with or without padding. Raises ValueError."""
    text = text.rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _verify_bcrypt(password: bytes, stored_hash: str) -> bool:
    if stored_hash.startswith(_DJANGO_BCRYPT):
        stored_hash = stored_hash.removeprefix(_DJANGO_BCRYPT)
        password = hashlib.sha256(password).hexdigest().encode()
    return bcrypt.checkpw(password[:_BCRYPT_BYTES], stored_hash.encode())


def _pbkdf2(password: bytes, scheme: str, parameters: str, salt: bytes) -> bytes:
    rounds = int(parameters.removeprefix("i="))
    return hashlib.pbkdf2_hmac(scheme.removeprefix("pbkdf2-"), password, salt, rounds)


def _scrypt(password: bytes, parameters: str, salt: bytes, length: int) -> bytes:
    log_n, r, p = (int(part.partition("=")[2]) for part in parameters.split(","))
    return hashlib.scrypt(
        password,
        salt=salt,
        n=1 << log_n,
        r=r,
        p=p,
        dklen=length,
        # Twice what the limit at the import leads to.
        maxmem=2 * 128 * MAX_SCRYPT_BLOCKS,
    )


def _firebase_scrypt(password: bytes, parameters: str, salt: bytes, length: int) -> bytes:
    """Return the start of what Firebase encrypts the signer key of a project with: AES-256 in
    counter mode, with scrypt's output as the key."""
    key = _scrypt(password, parameters, salt, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(bytes(length)) + encryptor.finalize()
