"""A software authenticator: what a browser answers for a passkey (WebAuthn Level 3).

Each part of an answer can be made wrong, and is signed as it is.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

RP_ID = "example.com"
ORIGIN = "https://app.example.com"

# The flags of authenticator data (section 6.1).
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40

PRESENT_AND_VERIFIED = UP | UV

_AAGUID = bytes(16)

Json = dict[str, Any]


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


@dataclass
class Authenticator:
    """A passkey of ES256 with attestation "none". By default it is synced and does not count, as
    those of phones."""

    rp_id: str = RP_ID
    origin: str = ORIGIN
    flags: int = PRESENT_AND_VERIFIED | BE | BS
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes | None = None
    #: Members of the client data besides the usual ones, such as ``topOrigin``.
    client_data: Json = field(default_factory=dict)
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: Json) -> Json:
        """Answer `navigator.credentials.create`."""
        self.handle = decode(options["user"]["id"])
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(self._attested())}
        return self._credential(
            clientDataJSON=encode(self._client_data("webauthn.create", options)),
            attestationObject=encode(cbor2.dumps(attestation)),
            transports=["internal", "hybrid"],
        )

    def get(self, options: Json) -> Json:
        """Answer `navigator.credentials.get`."""
        client_data, data = self._client_data("webauthn.get", options), self._data()
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            clientDataJSON=encode(client_data),
            authenticatorData=encode(data),
            signature=encode(self._key.sign(signed, ec.ECDSA(SHA256()))),
            userHandle=encode(self.handle) if self.handle is not None else None,
        )

    def _credential(self, **response: object) -> Json:
        id = encode(self.credential_id)
        return {
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }

    def _client_data(self, type: str, options: Json) -> bytes:
        members = {"type": type, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**members, "crossOrigin": False, **self.client_data}).encode()

    def _data(self, attested: bytes = b"") -> bytes:
        flags = self.flags | (AT if attested else 0)
        rp_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_hash + bytes([flags]) + self.counter.to_bytes(4) + attested

    def _attested(self) -> bytes:
        length = len(self.credential_id).to_bytes(2)
        return _AAGUID + length + self.credential_id + self._public_key()

    def _public_key(self) -> bytes:
        """Return the key in the format of COSE (RFC 9053 section 7.1)."""
        numbers = self._key.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
