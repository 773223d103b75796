"""The services of a process, made of its settings."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import create_engine_from
from api.dependencies import ClientCredential, Services
from api.priority import give_way
from api.signing_keys.watcher import KeyWatch
from db.database import Database
from domain.access_tokens.tokens import AccessTokens
from domain.accounts.current_user import Callers
from domain.observer import SILENT, Observer
from domain.passwords.hashing import Passwords
from domain.rate_limits import Ceiling, Ceilings, Throttle
from domain.services import Gate, Lifetimes
from settings import Settings


def create_services(settings: Settings, observer: Observer = SILENT) -> Services:
    """Raises SystemExit, with a sentence that says what to mend, for settings that cannot be used."""
    engine = create_engine_from(settings)
    try:
        gate = _create_gate(settings, engine, observer)
        key_watch = KeyWatch(settings.signing_keys_dir, settings.algorithm)
        return Services(
            engine=engine,
            gate=gate,
            callers=Callers(gate.database),
            tokens=AccessTokens(
                secret=settings.secret_key.get_secret_value(),
                algorithm=settings.algorithm,
                lifetime=settings.access_token_lifetime,
                issuer=settings.issuer,
                fallbacks=tuple(
                    secret.get_secret_value() for secret in settings.secret_key_fallbacks
                ),
                ring=key_watch.ring,
            ),
            key_watch=key_watch,
            introspection_client=_introspection_client(settings),
        )
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


def _create_gate(settings: Settings, engine: AsyncEngine, observer: Observer) -> Gate:
    return Gate(
        database=Database(engine),
        passwords=Passwords(
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time_cost,
            parallelism=settings.argon2_parallelism,
            threads=settings.hashing_threads,
            on_each_thread=give_way,
            observer=observer,
        ),
        throttle=Throttle(
            Ceilings(
                account=_ceiling(settings, "account", "login_limit_per_account"),
                network=_ceiling(settings, "network", "login_limit_per_network"),
                registration=_ceiling(settings, "registration", "register_limit_per_network"),
                refresh=_ceiling(settings, "refresh", "refresh_limit_per_network"),
            ),
            settings.rate_limit_storage_url.get_secret_value(),
        ),
        lifetimes=Lifetimes(
            idle=timedelta(days=settings.session_idle_days),
            absolute=timedelta(days=settings.session_absolute_days),
            grace=timedelta(seconds=settings.refresh_grace_seconds),
        ),
        observer=observer,
    )


def _ceiling(settings: Settings, name: str, setting: str) -> Ceiling:
    try:
        return Ceiling.of(name, getattr(settings, setting))
    except ValueError:
        raise ValueError(
            f"{setting.upper()} takes a text such as 5/minute;20/hour;100/day."
        ) from None


def _introspection_client(settings: Settings) -> ClientCredential | None:
    id, secret = settings.introspection_client_id, settings.introspection_client_secret
    return ClientCredential(id, secret.get_secret_value()) if id and secret else None
