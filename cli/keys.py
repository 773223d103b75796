"""`gatehouse keys`: make, list and retire the keys that sign access tokens."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from api.signing_keys.files import read_keys, remove_key, write_key
from cli.usage import examples
from domain.access_tokens.jwk import ALGORITHMS
from domain.access_tokens.keys import CannotRetire, Key, KeyRing
from settings import load_settings


@click.group(
    no_args_is_help=False,
    epilog=examples(
        "gatehouse keys new", "gatehouse keys list", "gatehouse keys retire KID --compromised"
    ),
)
def keys() -> None:
    """Make, list and retire the keys that sign access tokens."""


@keys.command(
    epilog=examples(
        "gatehouse keys new", "gatehouse keys new --now", "ALGORITHM=ES256 gatehouse keys new"
    )
)
@click.option("--now", is_flag=True, help="Start to sign after 10 seconds, not after 10 minutes.")
def new(now: bool) -> None:
    """Make a key.

    It is published at once, and starts to sign after 10 minutes, when other services have fetched
    it. The first key signs at once.
    """
    settings, time_now = load_settings(), time.time()
    folder, algorithm = settings.signing_keys_dir, settings.algorithm
    if algorithm not in ALGORITHMS:
        raise SystemExit(
            f"gatehouse: {algorithm} signs with SECRET_KEY. To sign with keys, set ALGORITHM to ES256 or"
            " RS256. To make the first key before that, run `ALGORITHM=ES256 gatehouse keys new`."
        )
    ring = _read(folder)
    key = ring.new(algorithm, now=time_now, soon=now)
    _write(folder, key)
    for old in ring.all():
        # By then its last token has expired, even if tokens had a longer lifetime before.
        if old.has_ended(time_now - settings.access_token_lifetime.total_seconds()):
            remove_key(folder, old)
    print(f"Gatehouse: {key.kid} {_state(key, KeyRing([*ring.all(), key]), algorithm, time_now)}.")


@keys.command("list", epilog=examples("gatehouse keys list"))
def list_keys() -> None:
    """List the keys, with the state of each."""
    settings, now = load_settings(), time.time()
    ring = _read(settings.signing_keys_dir)
    if not ring.all():
        print(f"There are no keys in {settings.signing_keys_dir}.")
    for key in ring.all():
        state = _state(key, ring, settings.algorithm, now)
        print(f"{key.kid}  {key.algorithm}  made {_moment(key.made_at)}  {state}")


@keys.command(
    epilog=examples("gatehouse keys retire KID", "gatehouse keys retire KID --compromised")
)
@click.argument("kid", metavar="KID")
@click.option("--compromised", is_flag=True, help="Reject its tokens at once.")
def retire(kid: str, compromised: bool) -> None:
    """Retire the key KID.

    It signs no new tokens. Its tokens stay valid until they expire.
    """
    settings, now = load_settings(), time.time()
    ring = _read(settings.signing_keys_dir)
    try:
        key = ring.retire(
            kid,
            settings.algorithm,
            now=now,
            lifetime=settings.access_token_lifetime,
            compromised=compromised,
        )
    except CannotRetire as error:
        raise SystemExit(f"gatehouse: {error}") from None
    _write(settings.signing_keys_dir, key)
    print(f"Gatehouse: {key.kid} {_state(key, ring, settings.algorithm, now)}.")


def _read(folder: Path) -> KeyRing:
    """Read the keys. Print the files that cannot be used; the other keys can still be retired."""
    try:
        files, problems = read_keys(folder)
    except OSError as error:
        raise SystemExit(f"gatehouse: cannot read {folder}: {error.strerror}") from None
    for problem in problems:
        print(f"gatehouse: {problem}", file=sys.stderr)
    return KeyRing(file.key for file in files.values())


def _write(folder: Path, key: Key) -> None:
    try:
        write_key(folder, key)
    except OSError as error:
        raise SystemExit(f"gatehouse: cannot write to {folder}: {error.strerror}") from None


def _state(key: Key, ring: KeyRing, algorithm: str, now: float) -> str:
    if key.has_ended(now):
        return "has ended"
    if key.verifies_until is not None:
        return f"verifies until {_moment(key.verifies_until)}"
    if key is ring.signing(algorithm, now):
        return "signs"
    if key.signs_from > now and key.algorithm == algorithm:
        return f"will sign from {_moment(key.signs_from)}"
    return "verifies until it is retired"


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
