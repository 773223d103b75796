"""`gatehouse check`: check the configuration for production."""

import asyncio
from collections import Counter

import click

from api.services import create_app_state
from cli.check.abuse import breached_passwords, captcha, registration
from cli.check.connections import connections
from cli.check.database import database
from cli.check.files import env_file, secret_files
from cli.check.findings import Check, Finding, Level
from cli.check.machine import cores, memory
from cli.check.mail import app_url, mail_from
from cli.check.network import (
    address,
    environment,
    log,
    metrics,
    origins,
    proxies,
    public_url,
    tools,
)
from cli.check.passkeys import passkeys
from cli.check.pictures import pictures
from cli.check.providers import provider_discovery, providers, redirect_allowlist
from cli.check.rate_limits import rate_limit_sizes, rate_limits
from cli.check.replica import replica
from cli.check.second_factors import second_factors
from cli.check.secrets import access_tokens, password_hashes, secrets, signing_keys
from cli.check.trusted_documents import trusted_documents
from cli.check.webhooks import hooks, webhooks
from cli.usage import examples, workers_option
from settings import Settings, load_settings

CHECKS: tuple[Check, ...] = (
    environment,
    env_file,
    secret_files,
    secrets,
    signing_keys,
    access_tokens,
    password_hashes,
    tools,
    public_url,
    app_url,
    mail_from,
    breached_passwords,
    captcha,
    registration,
    second_factors,
    passkeys,
    providers,
    provider_discovery,
    redirect_allowlist,
    webhooks,
    hooks,
    address,
    metrics,
    proxies,
    origins,
    trusted_documents,
    log,
    cores,
    memory,
    connections,
    database,
    replica,
    pictures,
    rate_limits,
    rate_limit_sizes,
)


@click.command(epilog=examples("gatehouse check", "gatehouse check --workers 4"))
@workers_option("Check for a server that is started with this option. Overrides WORKERS.")
def check(workers: int | None) -> None:
    """Check the configuration for production.

    Prints one line for each finding: ok, warning or problem. Exits with 1 if there is a problem.
    Changes nothing, and can be run while the server is running.
    """
    settings = load_settings(workers=workers)
    _require_usable(settings)
    levels: Counter[Level] = Counter()
    for run in CHECKS:
        for finding in run(settings):
            print(_line(finding), flush=True)
            levels[finding.level] += 1
    print(f"Gatehouse: {_number(levels, Level.PROBLEM)}, {_number(levels, Level.WARNING)}.")
    if levels[Level.PROBLEM]:
        raise SystemExit(1)


def _require_usable(settings: Settings) -> None:
    """Raise SystemExit for settings that `gatehouse serve` does not accept."""
    asyncio.run(create_app_state(settings).services.close())


def _line(finding: Finding) -> str:
    return f"{finding.level:<8} {finding.item}: {finding.message}"


def _number(levels: Counter[Level], level: Level) -> str:
    count = levels[level]
    return f"{count or 'no'} {level}{'' if count == 1 else 's'}"
