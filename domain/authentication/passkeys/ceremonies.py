"""The ceremonies of WebAuthn: options for a browser, and the verification of its answer. The only
file that imports webauthn, where it is used: that takes a tenth of a second.

Whatever is wrong with an answer has one result: None.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from db.models import Passkey
from domain.authentication.passkeys.challenges import LIFETIME
from domain.authentication.passkeys.members import (
    MAX_CREDENTIAL_ID_LENGTH,
    is_embedded,
    members_of,
)
from domain.services import RelyingParty

Verified = TypeVar("Verified")

_TIMEOUT = int(LIFETIME.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A passkey that a browser has made, verified."""

    id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    transports: list[str]
    aaguid: UUID


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a passkey says of itself at a sign-in, verified."""

    sign_count: int
    backed_up: bool


def warm_up() -> None:
    """Load the library, which the first request should not wait for."""
    import webauthn  # noqa: F401


def creation_options(
    party: RelyingParty,
    *,
    service_name: str,
    name: str,
    display_name: str,
    handle: bytes,
    challenge: bytes,
    existing: Collection[Passkey],
) -> dict[str, Any]:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes.

    The passkey must be discoverable and verify its user. So it can sign in alone, and no device is
    used that would fail later. No attestation: the model of an authenticator makes no difference.
    """
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AttestationConveyancePreference,
        AuthenticatorSelectionCriteria,
        AuthenticatorTransport,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=service_name,
        user_name=name,
        user_display_name=display_name,
        user_id=handle,
        challenge=challenge,
        timeout=_TIMEOUT,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(
                id=passkey.credential_id,
                transports=[AuthenticatorTransport(one) for one in passkey.transports],
            )
            for passkey in existing
        ],
    )
    return options_to_json_dict(options)


def request_options(party: RelyingParty, challenge: bytes) -> dict[str, Any]:
    """Return what `PublicKeyCredential.parseRequestOptionsFromJSON` takes, for any passkey."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=_TIMEOUT,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def verify_creation(party: RelyingParty, challenge: bytes, answer: object) -> NewCredential | None:
    """Verify a new passkey (section 7.1). Return None if anything is wrong."""
    from webauthn import verify_registration_response
    from webauthn.helpers import (
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
        parse_registration_credential_json,
    )
    from webauthn.helpers.structs import CredentialDeviceType

    def verify(members: dict[str, Any]) -> NewCredential | None:
        credential = parse_registration_credential_json(members)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
        # Raises for a key that could never verify anything.
        decoded_public_key_to_cryptography(
            decode_credential_public_key(verified.credential_public_key)
        )
        if (
            is_embedded(credential.response.client_data_json)
            or verified.credential_id != credential.raw_id
            or len(verified.credential_id) > MAX_CREDENTIAL_ID_LENGTH
        ):
            return None
        return NewCredential(
            verified.credential_id,
            verified.credential_public_key,
            verified.sign_count,
            verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            verified.credential_backed_up,
            list(dict.fromkeys(one.value for one in credential.response.transports or ())),
            UUID(verified.aaguid),
        )

    return _or_none(verify, answer, "clientDataJSON", "attestationObject")


def verify_assertion(
    party: RelyingParty, challenge: bytes, answer: object, passkey: Passkey, handle: bytes | None
) -> Assertion | None:
    """Verify the answer of a passkey (section 7.2), whose owner has the ``handle``. Return None if
    anything is wrong. The counter is left to judge.

    The library does not check the handle, whether the page was embedded in another one, and that
    the eligibility for backup stays. It checks that what is not eligible is not backed up.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.structs import CredentialDeviceType

    def verify(members: dict[str, Any]) -> Assertion | None:
        credential = parse_authentication_credential_json(members)
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            # A counter that does not grow would raise.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        backup_eligible = verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        if (
            is_embedded(credential.response.client_data_json)
            or verified.credential_id != passkey.credential_id
            or handle is None
            or credential.response.user_handle != handle
            or backup_eligible != passkey.backup_eligible
        ):
            return None
        return Assertion(verified.new_sign_count, verified.credential_backed_up)

    return _or_none(
        verify, answer, "clientDataJSON", "authenticatorData", "signature", "userHandle"
    )


def _or_none(
    verify: Callable[[dict[str, Any]], Verified | None], answer: object, *names: str
) -> Verified | None:
    try:
        members = members_of(answer, names)
        return verify(members) if members else None
    # Of the library's own kind for almost everything, and of any other for the rest: a key without
    # a type, or CBOR that is nested too deeply.
    except Exception:
        return None
