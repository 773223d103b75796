"""The state of an application, made of its settings."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from api.background import Sender
from api.database import create_engine_from, create_replica_from
from api.dependencies import AppState, ClientCredential
from api.hooks import create_hooks
from api.mail import create_data_keys, create_mailer, create_renderer, create_sender
from api.picture_storage import create_pictures
from api.priority import lower_priority
from api.providers import create_providers
from api.signing_keys.watcher import KeyReloader
from api.webhooks import create_webhooks, subscribed
from db.database import Database
from db.engine import TIMEOUT
from domain.access_tokens.keys import KeyRing
from domain.access_tokens.tokens import AccessTokens
from domain.accounts.current_user import CurrentUserLoader
from domain.email_domains import EmailDomains
from domain.hooks.send import EventHookSender
from domain.mail import MailRenderer
from domain.observer import SILENT, Observer
from domain.passwords.hashing import HashingQueue
from domain.rate_limits import RateLimit, RateLimiter, RateLimits
from domain.redirects import RedirectAllowlist
from domain.services import RegistrationMode, RelyingParty, Services, SessionLifetimes
from domain.subscriptions import Subscriptions
from domain.webhooks import Webhooks
from graphql_schema.response_size import ResponsesUnderWay
from settings import Settings

if TYPE_CHECKING:
    from domain.captcha import CaptchaVerifier
    from domain.passwords.breaches import BreachedPasswords


def create_app_state(
    settings: Settings, observer: Observer = SILENT, *, time_limit: timedelta | None = TIMEOUT
) -> AppState:
    """Create the state. Without a ``time_limit``, a transaction may take as long as it needs.

    Raises SystemExit, with one line, for settings that cannot be used.
    """
    engine = create_engine_from(settings, time_limit=time_limit)
    try:
        mail_renderer = create_renderer(settings)
        key_reloader = KeyReloader(settings.signing_keys_dir, settings.algorithm)
        webhooks = create_webhooks(settings)
        services = _create_services(settings, engine, key_reloader.ring, webhooks, observer)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None
    return AppState(
        services=services,
        engine=engine,
        current_users=CurrentUserLoader(services.database),
        key_reloader=key_reloader,
        responses=ResponsesUnderWay(),
        mail_renderer=mail_renderer,
        subscriptions=Subscriptions(services.database),
        senders=_create_senders(settings, services, mail_renderer, webhooks),
        introspection_client=_introspection_client(settings),
    )


def _create_services(
    settings: Settings,
    engine: AsyncEngine,
    ring: KeyRing,
    webhooks: Webhooks,
    observer: Observer,
) -> Services:
    hooks = create_hooks(settings, observer)
    return Services(
        database=Database(
            engine, subscribed(webhooks, hooks), replica=create_replica_from(settings)
        ),
        hashing_queue=HashingQueue(
            memory_kib=settings.argon2_memory_kib,
            time_cost=settings.argon2_time_cost,
            parallelism=settings.argon2_parallelism,
            threads=settings.hashing_threads,
            on_thread_start=lower_priority,
            # Secret, and the same in all processes. Without SECRET_KEY, the URL has a password.
            secret=settings.secret_key.get_secret_value()
            + settings.database_url.get_secret_value(),
            observer=observer,
        ),
        rate_limiter=RateLimiter(
            RateLimits(
                account=_rate_limit(settings, "account", "login_limit_per_account"),
                code=_rate_limit(settings, "code", "code_limit_per_account"),
                network=_rate_limit(settings, "network", "login_limit_per_network"),
                registration=_rate_limit(settings, "registration", "register_limit_per_network"),
                mail_address=_rate_limit(settings, "mail_address", "mail_limit_per_address"),
                mail_network=_rate_limit(settings, "mail_network", "mail_limit_per_network"),
                ticket=_rate_limit(settings, "ticket", "ticket_limit_per_network"),
                refresh=_rate_limit(settings, "refresh", "refresh_limit_per_network"),
                write=_rate_limit(settings, "write", "write_limit_per_user"),
                written_kib=_rate_limit(settings, "written_kib", "write_kib_limit_per_user"),
                picture=_rate_limit(settings, "picture", "picture_limit_per_user"),
            ),
            settings.rate_limit_storage_url.get_secret_value(),
        ),
        access_tokens=AccessTokens(
            secret=settings.secret_key.get_secret_value(),
            algorithm=settings.algorithm,
            lifetime=settings.access_token_lifetime,
            issuer=settings.issuer,
            fallbacks=tuple(secret.get_secret_value() for secret in settings.secret_key_fallbacks),
            ring=ring,
        ),
        session_lifetimes=SessionLifetimes(
            idle=timedelta(days=settings.session_idle_days),
            absolute=timedelta(days=settings.session_absolute_days),
            grace=timedelta(seconds=settings.refresh_grace_seconds),
        ),
        posts_per_user=settings.posts_per_user,
        data_keys=create_data_keys(settings),
        mailer=create_mailer(settings),
        requires_verified_email=settings.require_verified_email,
        registration=RegistrationMode(settings.registration),
        email_domains=EmailDomains(
            frozenset(settings.allowed_email_domains), frozenset(settings.blocked_email_domains)
        ),
        service_name=settings.brand_name,
        proof_lifetime=timedelta(minutes=settings.sudo_minutes),
        requires_second_factor=settings.require_second_factor == "all",
        requires_second_factor_of_staff=settings.require_second_factor != "none",
        relying_party=_relying_party(settings),
        providers=create_providers(settings),
        redirects=RedirectAllowlist(frozenset(settings.redirect_addresses)),
        hooks=hooks,
        breached_passwords=create_breached_passwords(settings, observer),
        captcha=create_captcha(settings, observer),
        pictures=create_pictures(settings),
        allows_image_urls=settings.image_urls,
        observer=observer,
    )


def _create_senders(
    settings: Settings, services: Services, renderer: MailRenderer, webhooks: Webhooks
) -> list[Sender]:
    """Create what sends the messages of the outbox."""
    database, observer = services.database, services.observer
    senders: list[Sender] = []
    if mail_sender := create_sender(settings, services, renderer):
        senders.append(mail_sender)
    if webhooks.endpoints:
        # Imported here: httpx2 takes time, and only this needs it.
        from domain.webhooks.send import create_senders

        senders += create_senders(database, webhooks, observer)
    if services.hooks.wants_events:
        senders.append(EventHookSender(database, services.hooks, observer))
    return senders


def _rate_limit(settings: Settings, name: str, setting: str) -> RateLimit:
    try:
        return RateLimit.of(name, getattr(settings, setting))
    except ValueError:
        raise ValueError(
            f"{setting.upper()} must be rates such as 5/minute;20/hour;100/day."
        ) from None


def _relying_party(settings: Settings) -> RelyingParty | None:
    id = settings.relying_party_id
    return RelyingParty(id, settings.relying_party_origins) if id else None


def create_breached_passwords(settings: Settings, observer: Observer) -> "BreachedPasswords | None":
    if settings.breached_passwords_url is None:
        return None
    # Imported here: httpx2 takes time, and only this needs it.
    from domain.passwords.breaches import BreachedPasswords

    return BreachedPasswords(settings.breached_passwords_url, observer)


def create_captcha(settings: Settings, observer: Observer) -> "CaptchaVerifier | None":
    url, secret = settings.captcha_verify_url, settings.captcha_secret
    if url is None or secret is None:
        return None
    # Imported here, for the same reason.
    from domain.captcha import CaptchaVerifier

    return CaptchaVerifier(url, secret.get_secret_value(), observer)


def _introspection_client(settings: Settings) -> ClientCredential | None:
    id, secret = settings.introspection_client_id, settings.introspection_client_secret
    return ClientCredential(id, secret.get_secret_value()) if id and secret else None
