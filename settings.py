"""Every environment variable Gatehouse reads; `.env.example` is the twin of this file."""

import os
import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# 256 bits: what RFC 7518 section 3.2 demands for HS256, and beyond guessing with any hash.
MIN_SECRET_BYTES = 32

MAX_WORKERS = 256

# RFC 6454 section 6.2: what a browser sends as `Origin`, and nothing after it.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?|https?://\[[0-9A-Fa-f:]+\](?::\d+)?")


def _own_cores() -> int:
    """Those of the machine that this process may use, as far as the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """Read once, at the top: ``create_app(Settings())``. The environment wins over ``.env``."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        # A refused value may be a secret or a URL with a password in it.
        hide_input_in_errors=True,
        validate_default=True,
    )

    environment: Literal["development", "production"] = "development"

    # Before the secret, which only those of the HS family require.
    algorithm: Literal["HS256", "HS384", "HS512", "ES256", "RS256"] = "HS256"
    secret_key: SecretStr = SecretStr("")
    secret_key_fallbacks: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    signing_keys_dir: Path = Path("keys")
    access_token_expire_minutes: int = Field(default=30, ge=1, le=60 * 24 * 365)

    session_idle_days: int = Field(default=14, ge=1, le=366)
    session_absolute_days: int = Field(default=90, ge=1, le=3660)
    refresh_grace_seconds: int = Field(default=10, ge=0, le=300)
    retention_days: int = Field(default=90, ge=1, le=3660)

    login_limit_per_account: str = "5/minute;20/hour;100/day"
    login_limit_per_network: str = "60/minute;600/hour"
    register_limit_per_network: str = "10/minute;60/hour"
    refresh_limit_per_network: str = "600/minute"
    rate_limit_storage_url: SecretStr = SecretStr("memory://")

    introspection_client_id: str | None = None
    introspection_client_secret: SecretStr | None = None

    database_url: SecretStr = SecretStr("sqlite:///./gatehouse.db")

    workers: int = Field(default=1, ge=1, le=MAX_WORKERS)

    argon2_memory_kib: int = Field(default=19456, ge=8, le=4 * 1024 * 1024)
    argon2_time_cost: int = Field(default=2, ge=1, le=100)
    argon2_parallelism: int = Field(default=1, ge=1, le=64)
    # None is what the validator below makes a number of.
    hashing_threads: int = Field(default=None, ge=1, le=256)  # type: ignore[assignment]

    request_deadline_seconds: int = Field(default=10, ge=1, le=300)

    max_query_depth: int = Field(default=12, ge=1)
    max_query_aliases: int = Field(default=50, ge=0)
    max_query_tokens: int = Field(default=1000, ge=1)
    max_query_cost: int = Field(default=5000, ge=1)

    shutdown_grace_seconds: int = Field(default=20, ge=1, le=3600)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    graphiql: bool | None = None
    introspection: bool | None = None
    suggestions: bool | None = None

    @field_validator("secret_key", "introspection_client_secret")
    @classmethod
    def _long_enough_to_be_secret(
        cls, secret: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if secret is None or (
            not secret
            and info.field_name == "secret_key"
            and info.data.get("algorithm") in ("ES256", "RS256")
        ):
            return secret
        if _bytes_of(secret) < MIN_SECRET_BYTES:
            raise ValueError(
                f"needs at least {MIN_SECRET_BYTES} bytes of text; make one with `gatehouse secret` "
                f"and put it into .env as {_as_written(info.field_name or '')}=..."
            )
        return secret

    @field_validator("secret_key_fallbacks")
    @classmethod
    def _were_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(_bytes_of(secret) < MIN_SECRET_BYTES for secret in secrets):
            raise ValueError(
                f"takes former secrets of at least {MIN_SECRET_BYTES} bytes, with commas between"
            )
        return secrets

    @field_validator("rate_limit_storage_url")
    @classmethod
    def _is_memory_or_redis(cls, url: SecretStr) -> SecretStr:
        if not re.fullmatch(r"memory://|rediss?://[^/?#]+(/\d*)?(\?.*)?", url.get_secret_value()):
            raise ValueError("takes memory:// or a URL such as redis://:password@host:6379/0")
        return url

    @field_validator("hashing_threads", mode="before")
    @classmethod
    def _by_default_all_cores_together(cls, threads: object, info: ValidationInfo) -> object:
        """Of all workers. (A default factory that reads another setting complains when any setting is wrong.)"""
        if threads is None:
            return max(1, _own_cores() // info.data.get("workers", 1))
        return threads

    @field_validator("public_url")
    @classmethod
    def _is_one_origin(cls, url: str | None) -> str | None:
        if url is not None and not _ORIGIN.fullmatch(url):
            raise ValueError("takes an address such as https://accounts.example.com, and no path")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(
                    "takes addresses or networks such as 10.0.0.0/8, with commas between"
                ) from None
        return networks

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "takes origins such as https://app.example.com, with commas between"
                )
        return origins

    @field_validator("cors_origins", "trusted_proxies", "secret_key_fallbacks", mode="before")
    @classmethod
    def _split_at_commas(cls, texts: object) -> object:
        if isinstance(texts, str):
            return tuple(text.strip() for text in texts.split(",") if text.strip())
        return texts

    @model_validator(mode="after")
    def _memory_for_every_lane(self) -> Self:
        # RFC 9106 section 3.1.
        if self.argon2_memory_kib < 8 * self.argon2_parallelism:
            raise ValueError("ARGON2_MEMORY_KIB must be at least 8 times ARGON2_PARALLELISM")
        return self

    @model_validator(mode="after")
    def _both_halves_of_a_credential(self) -> Self:
        if (self.introspection_client_id is None) != (self.introspection_client_secret is None):
            raise ValueError(
                "INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET need one another"
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
        """Where clients reach this server, and whom its tokens name as their issuer (RFC 8414 section 2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    def allows(self, tool: Literal["graphiql", "introspection", "suggestions"]) -> bool:
        """Whether a tool for developers is on: as set, or else on outside production only."""
        chosen: bool | None = getattr(self, tool)
        return self.environment == "development" if chosen is None else chosen


def load_settings(**instead: Any) -> Settings:
    """The settings of this process, with some given ``instead`` of read.

    Raises SystemExit with one line for each setting that cannot be used, never its value.
    """
    try:
        return Settings(**instead)
    except UnicodeDecodeError:
        raise SystemExit("gatehouse: .env must be text in UTF-8") from None
    except ValidationError as error:
        lines = (
            " ".join(
                ["gatehouse:", *map(_as_written, problem["loc"]), _said_plainly(problem["msg"])]
            )
            for problem in error.errors(include_input=False)
        )
        raise SystemExit("\n".join(lines)) from None


def _bytes_of(secret: SecretStr) -> int:
    try:
        return len(secret.get_secret_value().encode())
    except UnicodeEncodeError:
        return 0  # bytes from the environment that are no UTF-8


def _as_written(field: int | str) -> str:
    return str(field).upper()


def _said_plainly(message: str) -> str:
    return message.removeprefix("Value error, ")
