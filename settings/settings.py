"""The class of the settings. A new setting is one line here and a paragraph in ``.env.example``."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from settings.machine import MAX_HASHING_THREADS, hashing_threads
from settings.providers import ProviderSettings, collect, is_secret_of_provider
from settings.types import (
    BrandName,
    DomainName,
    EmailDomains,
    EventPatterns,
    FilePaths,
    FormerSecrets,
    HeaderNames,
    HexColor,
    HooksPath,
    Host,
    MailAddress,
    MailUrl,
    Networks,
    Origins,
    PicturesPlace,
    ProviderNames,
    PublicUrl,
    RedirectAddresses,
    RedisUrl,
    Secret,
    ServiceUrl,
    WebhookSecrets,
    WebhookUrls,
    domain_of,
    holds_secret,
    in_lower_case,
    in_upper_case,
    is_loopback,
    require_size_for,
    require_text,
)
from settings.variables import Source, merge

MAX_WORKERS = 256


class Settings(BaseSettings):
    """The settings of one process, read once: ``create_app(Settings())``.

    Every name may have the prefix ``GATEHOUSE_``. `settings/variables.py` says which variable wins.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        # Windows editors begin a file with a byte order mark.
        env_file_encoding="utf-8-sig",
        extra="ignore",
        frozen=True,
        # An invalid value may be a secret, or a URL that contains a password.
        hide_input_in_errors=True,
        validate_default=True,
    )

    environment: Annotated[Literal["development", "production"], in_lower_case] = "development"
    graphiql: bool | None = None
    introspection: bool | None = None
    suggestions: bool | None = None
    federation: bool = False

    # Before the secret key, whose validator reads it.
    algorithm: Annotated[Literal["HS256", "HS384", "HS512", "ES256", "RS256"], in_upper_case] = (
        "HS256"
    )
    secret_key: Secret = SecretStr("")
    secret_key_fallbacks: FormerSecrets = ()
    signing_keys_dir: Path = Path("keys")
    access_token_expire_minutes: int = Field(default=30, ge=1, le=60 * 24 * 365)

    session_idle_days: int = Field(default=14, ge=1, le=366)
    session_absolute_days: int = Field(default=90, ge=1, le=3660)
    refresh_grace_seconds: int = Field(default=10, ge=0, le=300)
    retention_days: int = Field(default=90, ge=1, le=3660)

    # `domain.rate_limits` parses them, with the package that counts by them.
    login_limit_per_account: str = "5/minute;20/hour;100/day"
    code_limit_per_account: str = "5/5minute;20/day"
    ticket_limit_per_network: str = "60/minute;600/hour"
    login_limit_per_network: str = "60/minute;600/hour"
    register_limit_per_network: str = "10/minute;60/hour"
    mail_limit_per_address: str = "1/minute;5/hour;10/day"
    mail_limit_per_network: str = "10/minute;60/hour"
    refresh_limit_per_network: str = "600/minute"
    write_limit_per_user: str = "60/minute;1000/hour"
    write_kib_limit_per_user: str = "1024/minute;10240/hour"
    picture_limit_per_user: str = "10/hour"
    posts_per_user: int = Field(default=10_000, ge=1, le=1_000_000)
    rate_limit_storage_url: RedisUrl = SecretStr("memory://")

    introspection_client_id: str | None = None
    introspection_client_secret: Secret | None = None

    database_url: SecretStr = SecretStr("sqlite:///./gatehouse.db")
    database_read_url: SecretStr | None = None

    host: Host = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    # Longer than proxies keep an idle connection to a server: nginx and AWS 60 seconds, Traefik 90,
    # Caddy 120.
    keep_alive_seconds: int = Field(default=130, ge=1, le=3600)
    workers: int = Field(default=1, ge=1, le=MAX_WORKERS)
    shutdown_grace_seconds: int = Field(default=20, ge=1, le=3600)

    public_url: PublicUrl | None = None
    trusted_proxies: Networks = ()
    cors_origins: Origins = ()
    cors_headers: HeaderNames = ()

    account_pages: bool = True
    brand_name: BrandName = "Gatehouse"
    # `api.account_pages` reads the file.
    brand_logo: Path | None = None
    brand_color: HexColor = "#6a3de8"

    pictures: PicturesPlace = "./pictures"
    pictures_endpoint: PublicUrl | None = None
    pictures_region: str | None = None
    pictures_access_key_id: str | None = None
    pictures_secret_access_key: SecretStr | None = None
    pictures_public_url: PublicUrl | None = None
    image_urls: bool = True

    mail_url: MailUrl | None = None
    mail_from: MailAddress | None = None
    app_url: PublicUrl | None = None
    # `domain.mail` reads it.
    mail_templates_dir: Path | None = None

    require_verified_email: bool = False

    providers: ProviderNames = ()
    # Collected from the variables PROVIDER_<NAME>_*.
    provider_settings: dict[str, ProviderSettings] = {}
    redirect_allowlist: RedirectAddresses = ()

    webhooks: WebhookUrls = ()
    webhook_secrets: WebhookSecrets = ()
    # `domain.webhooks` knows the names of the events.
    webhook_events: EventPatterns = ("*",)
    hooks: HooksPath | None = None
    breached_passwords_url: ServiceUrl | None = None
    captcha_verify_url: ServiceUrl | None = None
    captcha_secret: SecretStr | None = None
    allowed_email_domains: EmailDomains = ()
    blocked_email_domains: EmailDomains = ()
    registration: Annotated[Literal["open", "invite", "closed"], in_lower_case] = "open"

    sudo_minutes: int = Field(default=10, ge=1, le=60)
    require_second_factor: Annotated[Literal["none", "admins", "all"], in_lower_case] = "none"
    passkey_rp_id: DomainName | None = None
    passkey_origins: Origins = ()

    data_key: Secret | None = None
    data_key_fallbacks: FormerSecrets = ()

    argon2_memory_kib: int = Field(default=19456, ge=8, le=4 * 1024 * 1024)
    argon2_time_cost: int = Field(default=2, ge=1, le=100)
    argon2_parallelism: int = Field(default=1, ge=1, le=64)
    # After the settings that its validator reads to replace None.
    hashing_threads: int = Field(default=None, ge=1, le=MAX_HASHING_THREADS)  # type: ignore[assignment]

    request_deadline_seconds: int = Field(default=10, ge=1, le=300)
    max_query_depth: int = Field(default=12, ge=1)
    max_query_aliases: int = Field(default=50, ge=0)
    max_query_tokens: int = Field(default=500, ge=1)
    max_query_cost: int = Field(default=5000, ge=1)
    new_document_percent: int = Field(default=10, ge=1, le=100)
    # `api.trusted_documents` reads them.
    trusted_documents: FilePaths = ()
    trusted_documents_only: bool = False
    max_websockets: int = Field(default=1000, ge=1)
    max_websockets_per_network: int = Field(default=100, ge=1)

    log_format: Annotated[Literal["text", "json"] | None, in_lower_case] = None
    log_level: Annotated[Literal["INFO", "WARNING", "ERROR"], in_upper_case] = "INFO"
    metrics_host: Host = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=1, le=65535)

    # Of each variable, by the name of its setting. What is not here has its default.
    sources: dict[str, Source] = Field(default={}, exclude=True, repr=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        assert isinstance(env_settings, EnvSettingsSource)
        assert isinstance(dotenv_settings, EnvSettingsSource)
        variables = merge(env_settings.env_vars, dotenv_settings.env_vars, _is_secret)
        values = {name: variable.value for name, variable in variables.items()}
        collected = {
            "provider_settings": collect(values),
            "sources": {name: variable.source for name, variable in variables.items()},
        }
        # Their names are no variables.
        env_settings.env_vars = {
            name: value for name, value in values.items() if name not in collected
        }
        return init_settings, InitSettingsSource(settings_cls, collected), env_settings

    @field_validator("*", mode="before")
    @classmethod
    def _every_value_is_text(cls, value: object) -> object:
        return require_text(value)

    @field_validator("secret_key", mode="wrap")
    @classmethod
    def _secret_key_is_optional_with_keys(
        cls, secret: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> SecretStr:
        if info.data.get("algorithm") in ("ES256", "RS256") and secret in ("", SecretStr("")):
            return SecretStr("")
        checked: SecretStr = check(secret)
        require_size_for(info.data.get("algorithm"), checked)
        return checked

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _former_secrets_sign_too(
        cls, secrets: tuple[SecretStr, ...], info: ValidationInfo
    ) -> tuple[SecretStr, ...]:
        # Whoever finds one can sign tokens.
        require_size_for(info.data.get("algorithm"), *secrets)
        return secrets

    # A default factory that reads another setting reports an error whenever any setting is invalid.
    @field_validator("hashing_threads", mode="before")
    @classmethod
    def _workers_share_the_machine(cls, threads: object, info: ValidationInfo) -> object:
        if threads is None:
            return hashing_threads(
                workers=info.data.get("workers", 1),
                hash_kib=info.data.get("argon2_memory_kib", 1),
                pictures=info.data.get("pictures", "").lower() != "off",
            )
        return threads

    @model_validator(mode="after")
    def _a_replica_needs_postgresql(self) -> Self:
        urls = (self.database_url, self.database_read_url or self.database_url)
        if self.database_read_url is not None and not all(
            url.get_secret_value().lower().startswith("postgres") for url in urls
        ):
            raise ValueError(
                "DATABASE_READ_URL is for a standby of PostgreSQL: it and DATABASE_URL must begin with"
                " postgresql://"
            )
        return self

    @model_validator(mode="after")
    def _argon2_has_memory_for_every_lane(self) -> Self:
        # RFC 9106 section 3.1.
        if self.argon2_memory_kib < 8 * self.argon2_parallelism:
            raise ValueError("ARGON2_MEMORY_KIB must be at least 8 times ARGON2_PARALLELISM")
        return self

    @model_validator(mode="after")
    def _introspection_client_is_complete(self) -> Self:
        if (self.introspection_client_id is None) != (self.introspection_client_secret is None):
            raise ValueError(
                "INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET must be set together"
            )
        return self

    @model_validator(mode="after")
    def _captcha_is_complete(self) -> Self:
        if (self.captcha_verify_url is None) != (self.captcha_secret is None):
            raise ValueError("CAPTCHA_VERIFY_URL and CAPTCHA_SECRET must be set together")
        return self

    @model_validator(mode="after")
    def _keys_of_pictures_are_complete(self) -> Self:
        if (self.pictures_access_key_id is None) != (self.pictures_secret_access_key is None):
            raise ValueError(
                "PICTURES_ACCESS_KEY_ID and PICTURES_SECRET_ACCESS_KEY must be set together"
            )
        return self

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Self:
        if self.mail_url is not None and self.mail_from is None:
            raise ValueError("MAIL_FROM is required with MAIL_URL")
        if self.mail_url is not None and self.data_key is None:
            raise ValueError("DATA_KEY is required with MAIL_URL; make one with `gatehouse secret`")
        return self

    @model_validator(mode="after")
    def _proof_of_an_email_needs_mail(self) -> Self:
        if self.require_verified_email and not self.mail_is_on:
            raise ValueError(
                "REQUIRE_VERIFIED_EMAIL needs mail: set MAIL_URL, MAIL_FROM and DATA_KEY"
            )
        return self

    @model_validator(mode="after")
    def _an_invitation_needs_mail(self) -> Self:
        if self.registration == "invite" and not self.mail_is_on:
            raise ValueError("REGISTRATION=invite needs mail: set MAIL_URL, MAIL_FROM and DATA_KEY")
        return self

    @model_validator(mode="after")
    def _providers_are_complete(self) -> Self:
        for name in self.providers:
            if name not in self.provider_settings:
                raise ValueError(f"PROVIDER_{name.upper()}_CLIENT_ID is required with PROVIDERS")
        if self.providers and self.data_key is None:
            raise ValueError(
                "DATA_KEY is required with PROVIDERS; make one with `gatehouse secret`"
            )
        return self

    @model_validator(mode="after")
    def _webhooks_are_signed_and_encrypted(self) -> Self:
        if self.webhooks and not self.webhook_secrets:
            raise ValueError(
                "WEBHOOK_SECRETS is required with WEBHOOKS; make one with `gatehouse secret --webhook`"
            )
        schemes = {urlsplit(url.get_secret_value()).scheme for url in self.webhooks}
        if "http" in schemes and self.environment != "development":
            raise ValueError("WEBHOOKS must be https, except with ENVIRONMENT=development")
        return self

    @model_validator(mode="after")
    def _a_required_second_factor_can_be_set_up(self) -> Self:
        if self.require_second_factor != "none" and not (self.data_key or self.relying_party_id):
            raise ValueError(
                "REQUIRE_SECOND_FACTOR needs DATA_KEY for authenticator apps, or PASSKEY_RP_ID for passkeys"
            )
        return self

    @model_validator(mode="after")
    def _only_trusted_documents_are_known(self) -> Self:
        if self.trusted_documents_only and not self.trusted_documents:
            raise ValueError("TRUSTED_DOCUMENTS is required with TRUSTED_DOCUMENTS_ONLY")
        if self.trusted_documents_only and (self.graphiql or self.introspection):
            raise ValueError(
                "TRUSTED_DOCUMENTS_ONLY accepts no documents of GRAPHIQL and INTROSPECTION: set them to false"
            )
        return self

    @property
    def access_token_lifetime(self) -> timedelta:
        return timedelta(minutes=self.access_token_expire_minutes)

    @property
    def retention(self) -> timedelta:
        return timedelta(days=self.retention_days)

    @property
    def request_deadline(self) -> timedelta:
        return timedelta(seconds=self.request_deadline_seconds)

    @property
    def shutdown_grace(self) -> timedelta:
        return timedelta(seconds=self.shutdown_grace_seconds)

    @property
    def issuer(self) -> str:
        """The URL of this server for clients, and the issuer of its tokens (RFC 8414 section 2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def public_path(self) -> str:
        """The path of PUBLIC_URL, such as `/accounts`, or empty."""
        return urlsplit(self.public_url or "").path

    @property
    def mail_is_on(self) -> bool:
        """True if mail is written: it is sent to MAIL_URL, or shown at `/mailbox` in development.

        Without DATA_KEY there is none, since its links and codes are computed from that key.
        """
        has_reader = self.mail_url is not None or self.environment == "development"
        return self.data_key is not None and has_reader

    @property
    def pictures_are_on(self) -> bool:
        return self.pictures.lower() != "off"

    @property
    def pictures_bucket(self) -> tuple[str, str] | None:
        """The name of the bucket of PICTURES and the prefix in it, or None for a folder."""
        scheme, separator, place = self.pictures.partition("://")
        name, _, prefix = place.partition("/")
        return (name, prefix.strip("/")) if separator and scheme == "s3" else None

    @property
    def pictures_address(self) -> str:
        """The address that the names of pictures follow: PICTURES_PUBLIC_URL, or this server's."""
        return self.pictures_public_url or f"{self.issuer}/pictures"

    @property
    def pictures_origin(self) -> str | None:
        """The origin of the addresses of pictures, or None where pictures are off."""
        if not self.pictures_are_on:
            return None
        address = urlsplit(self.pictures_address)
        return f"{address.scheme}://{address.netloc}"

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self.mail_from or "gatehouse@localhost"

    @property
    def links_url(self) -> str:
        """The address that links in mail lead to: APP_URL, or by default the account pages."""
        return self.app_url or f"{self.issuer}/account"

    @property
    def redirect_addresses(self) -> tuple[str, ...]:
        """The addresses that a sign-in with a provider may return to: REDIRECT_ALLOWLIST, and the
        pages of APP_URL and of the account pages."""
        pages = [self.links_url, *([f"{self.issuer}/account"] if self.account_pages else [])]
        own = [f"{page}/finish-sign-in" for page in dict.fromkeys(pages)]
        return (*self.redirect_allowlist, *own)

    @property
    def relying_party_id(self) -> str | None:
        """The domain that passkeys belong to: PASSKEY_RP_ID, or the host of the pages. None if that
        is an IP address, which cannot have passkeys, other than this machine's own."""
        host = urlsplit(self.links_url).hostname or ""
        return self.passkey_rp_id or domain_of(host)

    @property
    def relying_party_origins(self) -> tuple[str, ...]:
        """The origins that may use passkeys: PASSKEY_ORIGINS, or those of the pages and of
        CORS_ORIGINS."""
        if self.passkey_origins:
            return self.passkey_origins
        pages = urlsplit(self.links_url)
        host = "localhost" if is_loopback(pages.hostname or "") else pages.hostname
        port = f":{pages.port}" if pages.port else ""
        others = [origin for origin in self.cors_origins if origin != "*"]
        return tuple(dict.fromkeys([f"{pages.scheme}://{host}{port}", *others]))

    @property
    def logs_json(self) -> bool:
        """True if the log is written as JSON: LOG_FORMAT, or by default in production."""
        return (self.log_format == "json") if self.log_format else self.environment == "production"

    def allows(self, tool: Literal["graphiql", "introspection", "suggestions"]) -> bool:
        """Return whether a developer tool is on: its setting, or by default outside production and
        if clients may send any document."""
        chosen: bool | None = getattr(self, tool)
        if chosen is None:
            return self.environment == "development" and not self.trusted_documents_only
        return chosen


def _is_secret(name: str) -> bool:
    """Return whether a variable is a secret, by the type of its setting."""
    field = Settings.model_fields.get(name)
    return is_secret_of_provider(name) if field is None else holds_secret(field.annotation)
