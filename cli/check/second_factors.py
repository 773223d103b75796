"""Check that the secrets of authenticator apps can be decrypted."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from api.mail import create_data_keys
from cli.check.findings import Finding, ok, problem
from db.models import TotpFactor
from settings import Settings

_APPS_BY_KEY = select(TotpFactor.key_id, func.count()).group_by(TotpFactor.key_id)


def second_factors(settings: Settings) -> Iterator[Finding]:
    if settings.data_key is None:
        yield ok("DATA_KEY", "not set: users cannot set up authenticator apps")
    yield ok("REQUIRE_SECOND_FACTOR", settings.require_second_factor)


def stored_apps(connection: Connection, settings: Settings) -> list[Finding]:
    """Compare the keys of the authenticator apps in the database with those of the settings. The
    tables must be current."""
    apps_by_key = dict(connection.execute(_APPS_BY_KEY).all())
    keys = create_data_keys(settings)
    current, *former = keys.ids() if keys else [""]
    needs_former = sum(apps_by_key.get(id, 0) for id in {*former} - {current})
    lost = sum(apps_by_key.values()) - apps_by_key.get(current, 0) - needs_former
    findings = [_lost(lost)] if lost else []
    if keys and not lost:
        findings.append(ok("DATA_KEY", "decrypts all authenticator apps, with its fallbacks"))
    if former:
        findings.append(_former(needs_former))
    return findings


def _lost(count: int) -> Finding:
    return problem(
        "DATA_KEY",
        f"{_were(count)} encrypted with a key that is not in DATA_KEY or DATA_KEY_FALLBACKS:"
        " their users cannot sign in with them",
    )


def _former(count: int) -> Finding:
    if not count:
        return ok("DATA_KEY_FALLBACKS", "no authenticator app needs them")
    return ok(
        "DATA_KEY_FALLBACKS",
        f"{_were(count)} encrypted with a former key; the next code of each renews it",
    )


def _were(count: int) -> str:
    return f"{count} authenticator app{' was' if count == 1 else 's were'}"
