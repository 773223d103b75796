"""Asymmetric keys as JSON (RFC 7517): EC keys for ES256, RSA keys for RS256 (RFC 7518 sections 3.3,
3.4 and 6)."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec, rsa

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ALGORITHMS = ("ES256", "RS256")

# RFC 7518 section 3.3.
RSA_BITS = 2048

# The exponent that every implementation accepts.
RSA_EXPONENT = 65537

# The length of a P-256 coordinate in bytes (RFC 7518 section 6.2.1.2).
_COORDINATE = 32


class UnusableKey(Exception):
    """The message says what is wrong with the key, and nothing of its content."""


def generate(algorithm: str) -> PrivateKey:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)


def public_members(key: PublicKey) -> dict[str, str]:
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        x, y = _text(point.x, _COORDINATE), _text(point.y, _COORDINATE)
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _text(numbers.n), "e": _text(numbers.e)}


def private_members(key: PrivateKey) -> dict[str, str]:
    """Return the members that a private key has in addition to the public ones."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"d": _text(key.private_numbers().private_value, _COORDINATE)}
    numbers = key.private_numbers()
    return {
        "d": _text(numbers.d),
        "p": _text(numbers.p),
        "q": _text(numbers.q),
        "dp": _text(numbers.dmp1),
        "dq": _text(numbers.dmq1),
        "qi": _text(numbers.iqmp),
    }


def thumbprint(key: PublicKey) -> str:
    """Return the thumbprint of RFC 7638 with SHA-256: of the required members in order, without
    spaces."""
    members = json.dumps(public_members(key), sort_keys=True, separators=(",", ":"))
    return _base64url(hashlib.sha256(members.encode()).digest())


def read(members: Mapping[str, object], algorithm: str) -> tuple[PublicKey, PrivateKey | None]:
    """Return the public key in a JWK, and its private key or None.

    Raises UnusableKey for a malformed key, one of another algorithm, or a weak one.
    """
    try:
        if algorithm == "ES256" and members.get("kty") == "EC":
            return _read_ec(members)
        if algorithm == "RS256" and members.get("kty") == "RSA":
            return _read_rsa(members)
    except (ValueError, TypeError):
        # Not base64, not a point of the curve, or keys that do not match.
        raise UnusableKey("its numbers do not form a key") from None
    raise UnusableKey("it is neither an EC key for ES256 nor an RSA key for RS256")


def _read_ec(
    members: Mapping[str, object],
) -> tuple[ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey | None]:
    if members.get("crv") != "P-256":
        raise UnusableKey("ES256 needs the curve P-256")
    x, y = _number(members, "x"), _number(members, "y")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
    if "d" not in members:
        return public.public_key(), None
    private = ec.EllipticCurvePrivateNumbers(_number(members, "d"), public)
    return public.public_key(), private.private_key()


def _read_rsa(
    members: Mapping[str, object],
) -> tuple[rsa.RSAPublicKey, rsa.RSAPrivateKey | None]:
    public = rsa.RSAPublicNumbers(_number(members, "e"), _number(members, "n"))
    if public.n.bit_length() < RSA_BITS or public.e != RSA_EXPONENT:
        raise UnusableKey(f"RS256 needs at least {RSA_BITS} bits and e={RSA_EXPONENT}")
    if "d" not in members:
        return public.public_key(), None
    p, q, d, dp, dq, qi = (_number(members, name) for name in ("p", "q", "d", "dp", "dq", "qi"))
    private = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public)
    return public.public_key(), private.private_key()


def _text(number: int, length: int | None = None) -> str:
    return _base64url(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


def _number(members: Mapping[str, object], name: str) -> int:
    text = members.get(name)
    if not isinstance(text, str):
        raise UnusableKey(f"its `{name}` is missing or not a string")
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
