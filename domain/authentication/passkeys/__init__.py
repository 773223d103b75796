"""Passkeys: sign in with what a device or a password manager keeps (WebAuthn Level 3).

A passkey verifies its user, by a fingerprint or a PIN, so a sign-in with it has both factors. Each
ceremony begins with a challenge, which is a ticket, and ends with the answer of the browser.
"""

from domain.authentication.passkeys.accepted import AcceptedPasskeys, accepted_passkeys_of
from domain.authentication.passkeys.ceremonies import warm_up
from domain.authentication.passkeys.challenges import PasskeyRequest
from domain.authentication.passkeys.own import (
    MAX_PASSKEYS,
    passkeys_of,
    remove_passkey,
    rename_passkey,
)
from domain.authentication.passkeys.setup import finish_passkey, start_passkey
from domain.authentication.passkeys.sign_in import sign_in_by_passkey, start_passkey_sign_in

__all__ = [
    "MAX_PASSKEYS",
    "AcceptedPasskeys",
    "PasskeyRequest",
    "accepted_passkeys_of",
    "finish_passkey",
    "passkeys_of",
    "remove_passkey",
    "rename_passkey",
    "sign_in_by_passkey",
    "start_passkey",
    "start_passkey_sign_in",
    "warm_up",
]
