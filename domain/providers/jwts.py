"""Signatures of JWTs: those of providers are verified, and that of Apple's client secret is made.
The only file that imports joserfc."""

import base64
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, import_key

from domain.providers.provider import ProviderError

# ID tokens have about 1000 characters, and some thousand with the groups of a user.
MAX_LENGTH = 32 * 1024

SOURCE = "ID token"

MIN_RSA_BITS = 2048

# The key type and the curve of each algorithm that is verified (RFC 7518, RFC 8037, RFC 9864).
# `none` and those with a shared secret are not among them: they would take what everybody knows,
# the public key, as the secret (RFC 8725 section 2.1).
ALGORITHMS = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}

# RFC 7515 section 7.1. A token with five parts is encrypted, and we have published no key for that.
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# Everything else that a key has is its publisher's business, and may be a private key by mistake.
_PUBLIC_MEMBERS = ("kty", "crv", "n", "e", "x", "y")


class UnknownKey(ProviderError):
    """The token may be signed with a key that was published after the keys were read."""


class _Registry(jws.JWSRegistry):
    """What joserfc accepts. It refuses headers that it does not know, against RFC 7515 section 4,
    and warns of EdDSA, which some providers use."""

    max_header_length = MAX_LENGTH
    max_payload_length = MAX_LENGTH

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


_REGISTRY = _Registry(strict_check_header=False)


def verify(
    token: str, keys: Sequence[Mapping[str, Any]], *, algorithms: Collection[str]
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the claims of an ID token, and the JWK that its signature belongs to.

    ``algorithms`` are those that the provider lists. Raises ProviderError, and UnknownKey if the
    token may be signed with a key that is not among these.
    """
    if len(token) > MAX_LENGTH:
        raise _invalid(f"it exceeds {MAX_LENGTH} characters")
    if not _COMPACT.fullmatch(token):
        raise _invalid("it is not a signed JWT")
    try:
        signed = jws.extract_compact(token.encode(), registry=_REGISTRY)
        header = signed.headers()
    except Exception:
        # joserfc raises more than its own errors on a crafted token.
        raise _invalid("its header or payload cannot be decoded") from None
    if not isinstance(header, dict):
        raise _invalid("its header is not a JSON object")
    _check_header(header, algorithms)
    key = _select(keys, header)
    if not _is_signed_by(signed, key):
        # Without `kid`, a new key cannot be told from the former one.
        error = ProviderError if "kid" in header else UnknownKey
        raise error.invalid(f"{SOURCE}: its signature is wrong")
    return _claims(signed.payload), key


def _check_header(header: Mapping[str, Any], algorithms: Collection[str]) -> None:
    if "crit" in header:
        # RFC 7515 section 4.1.11. We understand none of the extensions.
        raise _invalid("its header has `crit`")
    algorithm, kind, kid = header["alg"], header.get("typ", "JWT"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _invalid(f"its algorithm {ascii(algorithm)[:40]} is not one for ID tokens")
    if algorithm not in algorithms:
        raise _invalid(f"its algorithm {algorithm} is not listed in the metadata")
    # RFC 8725 section 3.11: such as `at+jwt` and `logout+jwt`, of the same issuer and keys.
    if not isinstance(kind, str) or kind.lower().endswith("+jwt"):
        raise _invalid(f"its type is {ascii(kind)[:40]}")
    if not isinstance(kid, str):
        raise _invalid("its `kid` is not a string")


def _select(keys: Sequence[Mapping[str, Any]], header: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the key that a header names or, without a name, the only one that it can mean."""
    found = [key for key in keys if _can_verify(key, header["alg"])]
    if "kid" in header:
        found = [key for key in found if key.get("kid") == header["kid"]]
    if not found:
        raise UnknownKey.invalid(f"{SOURCE}: its key is not published")
    if len(found) > 1 and "kid" not in header:
        # OpenID Connect Core section 10.1.
        raise _invalid("it has no `kid`, and several keys are published")
    return found[0]


def _can_verify(key: Mapping[str, Any], algorithm: str) -> bool:
    key_type, curve = ALGORITHMS[algorithm]
    return (
        key.get("kty") == key_type
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def _is_signed_by(signed: jws.CompactSignature, key: Mapping[str, Any]) -> bool:
    try:
        return jws.validate_compact(signed, _import(key), registry=_REGISTRY)
    except Exception as error:
        # joserfc and cryptography raise many errors for numbers that form no key.
        name = type(error).__name__
        raise ProviderError.invalid(f"keys: a key cannot be used: {name}") from None


def _import(key: Mapping[str, Any]) -> Key:
    if key["kty"] == "RSA":
        modulus = int.from_bytes(base64.urlsafe_b64decode(key["n"] + "=="))
        if modulus.bit_length() < MIN_RSA_BITS:
            raise ValueError
    return import_key({name: key[name] for name in _PUBLIC_MEMBERS if name in key})


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise _invalid("its payload is not a JSON object")
    return claims


def _invalid(reason: str) -> ProviderError:
    return ProviderError.invalid(f"{SOURCE}: {reason}")


class SigningKey:
    """A private key for ES256, and the id that its owner has registered it with.

    Raises ValueError if the text is not the PEM of an EC key for P-256.
    """

    def __init__(self, pem: str, kid: str) -> None:
        try:
            self._key = ECKey.import_key(pem)
            is_usable = self._key.is_private and self._key.curve_name == "P-256"
        except Exception:
            # Without the error, which may quote the key.
            is_usable = False
        if not is_usable:
            raise ValueError("the private key must be a PEM text with an EC key for P-256")
        self._kid = kid

    def sign(self, claims: Mapping[str, Any]) -> str:
        header = {"alg": "ES256", "kid": self._kid}
        return jwt.encode(header, dict(claims), self._key, algorithms=["ES256"])
