"""Sign in with a passkey."""

from db.database import retried
from domain.authentication.complete import complete, require_complete
from domain.authentication.lock import lock_user
from domain.authentication.outcomes import reported
from domain.authentication.passkeys import ceremonies, challenges
from domain.authentication.passkeys.answers import KIND, PasskeyAnswer, read_answer, use_answer
from domain.authentication.passkeys.challenges import PasskeyRequest
from domain.devices import Device
from domain.errors import Challenge
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn


@retried
async def start_passkey_sign_in(services: Services, device: Device) -> PasskeyRequest:
    """Return what a browser needs to let its user choose a passkey. No account is named, so the
    answer says nothing of any.

    Raises TooManyAttempts or NotConfigured.
    """
    party = services.require_relying_party()
    await services.rate_limiter.hit(services.rate_limiter.limits.ticket, device.network)
    async with services.database.writing() as session:
        ticket, challenge = challenges.create(session, KIND)
    return PasskeyRequest(ticket, ceremonies.request_options(party, challenge))


async def sign_in_by_passkey(
    services: Services, device: Device, *, ticket: str, credential: object
) -> SignedIn:
    """Start a session for the owner of the passkey that has answered the challenge of a ticket. It
    is both factors. After five wrong answers, the ticket is dead.

    Raises InvalidCode, whatever was wrong; UnknownCredential, TooManyAttempts or NotConfigured.
    """
    with reported(services, LoginMethod.PASSKEY):
        answer = await read_answer(services, device, ticket=ticket, credential=credential)
        outcome = await _sign_in(services, device, answer)
        # After the commit, which counts the wrong attempt.
        if outcome is None:
            raise answer.error()
        return require_complete(outcome)


@retried
async def _sign_in(
    services: Services, device: Device, answer: PasskeyAnswer
) -> SignedIn | Challenge | None:
    """Use the ticket and complete the sign-in, or count a wrong answer and return None."""
    async with services.database.writing() as session:
        # The user first, as all commands do.
        user = await lock_user(session, answer.owner_id)
        amr = await use_answer(session, services, device, user, answer)
        if amr is None or user is None:
            return None
        return await complete(session, services, device, user, method=LoginMethod.PASSKEY, amr=amr)
