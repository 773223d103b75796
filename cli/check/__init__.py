"""`gatehouse check`: whether this configuration can be served to the world."""

import asyncio
from collections import Counter

from api.services import create_app_state
from cli.check.database import database
from cli.check.findings import Check, Finding, Level
from cli.check.network import address, environment, metrics, origins, proxies, public_url, tools
from cli.check.rate_limits import counting
from cli.check.secrets import access_tokens, password_hashes, secrets, signing_keys
from settings import Settings, load_settings

CHECKS: tuple[Check, ...] = (
    environment,
    secrets,
    signing_keys,
    access_tokens,
    password_hashes,
    tools,
    public_url,
    address,
    metrics,
    proxies,
    origins,
    database,
    counting,
)


def check() -> None:
    """Prints a line for each finding. Raises SystemExit with 1 if one is a problem, and as `gatehouse serve` does for
    settings that it refuses."""
    settings = load_settings()
    _refuse_what_serve_refuses(settings)
    levels: Counter[Level] = Counter()
    for one in CHECKS:
        for finding in one(settings):
            print(_line(finding), flush=True)
            levels[finding.level] += 1
    print(f"Gatehouse: {_number(levels, Level.PROBLEM)}, {_number(levels, Level.WARNING)}.")
    if levels[Level.PROBLEM]:
        raise SystemExit(1)


def _refuse_what_serve_refuses(settings: Settings) -> None:
    asyncio.run(create_app_state(settings).services.close())


def _line(finding: Finding) -> str:
    return f"{finding.level:<8} {finding.item}: {finding.says}"


def _number(levels: Counter[Level], level: Level) -> str:
    count = levels[level]
    return f"{count or 'no'} {level}{'' if count == 1 else 's'}"
