"""JWTs that are made by hand, with every fault that a test needs. They share no code with ours."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class SigningKey:
    """A private key with the id and the algorithm that it is published with."""

    kid: str
    algorithm: str
    private: PrivateKey

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, self._padding(), hashes.SHA256())
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32) + s.to_bytes(32)
        return self.private.sign(message)

    def jwk(self) -> dict[str, Any]:
        """Return the public key as it is published."""
        return self._numbers() | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def _padding(self) -> padding.AsymmetricPadding:
        if self.algorithm == "PS256":
            return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return padding.PKCS1v15()

    def _numbers(self) -> dict[str, Any]:
        if isinstance(self.private, rsa.RSAPrivateKey):
            rsa_key = self.private.public_key().public_numbers()
            return {"kty": "RSA", "n": number(rsa_key.n), "e": number(rsa_key.e)}
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            point = self.private.public_key().public_numbers()
            x, y = encode(point.x.to_bytes(32)), encode(point.y.to_bytes(32))
            return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        raw = self.private.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}


@cache
def key(kid: str, algorithm: str = "ES256", *, bits: int = 2048) -> SigningKey:
    """Return the key of this id and algorithm, which stays the same for all tests of a process."""
    if algorithm in ("RS256", "PS256"):
        return SigningKey(kid, algorithm, rsa.generate_private_key(65537, bits))
    if algorithm == "ES256":
        return SigningKey(kid, algorithm, ec.generate_private_key(ec.SECP256R1()))
    return SigningKey(kid, algorithm, ed25519.Ed25519PrivateKey.generate())


def signed(claims: Mapping[str, Any] | bytes, by: SigningKey, **header: Any) -> str:
    """Return a JWT. A header that is None is left out."""
    complete = {"alg": by.algorithm, "kid": by.kid, "typ": "JWT", **header}
    return joined({k: v for k, v in complete.items() if v is not None}, claims, by.sign)


def joined(header: Any, claims: Mapping[str, Any] | bytes, sign: Any) -> str:
    """Return a JWT whose signature is what ``sign`` returns for the rest."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    message = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
    return f"{message}.{encode(sign(message.encode()))}"


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part: str) -> Any:
    """Return the header or the claims of a JWT."""
    return json.loads(base64.urlsafe_b64decode(part + "=="))
