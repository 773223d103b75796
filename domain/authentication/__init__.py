"""Authentication: the ways to sign in, each of which ends in `complete`."""

from domain.authentication.factors import factors_of
from domain.authentication.mail_codes import request_sign_in, sign_in_by_mail
from domain.authentication.passkeys import (
    MAX_PASSKEYS,
    AcceptedPasskeys,
    PasskeyRequest,
    accepted_passkeys_of,
    finish_passkey,
    passkeys_of,
    remove_passkey,
    rename_passkey,
    sign_in_by_passkey,
    start_passkey,
    start_passkey_sign_in,
)
from domain.authentication.password import log_in
from domain.authentication.second_factor import pass_second_factor
from domain.authentication.step_up import (
    reauthenticate_by_code,
    reauthenticate_by_passkey,
    reauthenticate_by_password,
)
from domain.authentication.totp import (
    confirm_totp,
    remove_authenticator_app,
    replace_recovery_codes,
    start_totp,
)

__all__ = [
    "MAX_PASSKEYS",
    "AcceptedPasskeys",
    "PasskeyRequest",
    "accepted_passkeys_of",
    "confirm_totp",
    "factors_of",
    "finish_passkey",
    "log_in",
    "pass_second_factor",
    "passkeys_of",
    "reauthenticate_by_code",
    "reauthenticate_by_passkey",
    "reauthenticate_by_password",
    "remove_authenticator_app",
    "remove_passkey",
    "rename_passkey",
    "replace_recovery_codes",
    "request_sign_in",
    "sign_in_by_mail",
    "sign_in_by_passkey",
    "start_passkey",
    "start_passkey_sign_in",
    "start_totp",
]
