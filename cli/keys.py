"""`gatehouse keys`: make, list and retire the keys that sign access tokens."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.signing_keys.files import read_keys, remove_key, write_key
from domain.access_tokens.jwk import ALGORITHMS
from domain.access_tokens.keys import CannotRetire, Key, KeyRing
from settings import load_settings


def add_keys(commands: "argparse._SubParsersAction[Any]") -> None:
    says = "make, list and retire the keys that sign access tokens"
    actions = commands.add_parser("keys", help=says, description=says).add_subparsers(
        required=True, metavar="action"
    )
    says = "make a key, which other services can fetch at once, and which signs in ten minutes"
    parser = actions.add_parser("new", help=says, description=says)
    parser.add_argument("--now", action="store_true", help="let it sign in ten seconds instead")
    parser.set_defaults(run=new)
    says = "list the keys, and what each is good for"
    actions.add_parser("list", help=says, description=says).set_defaults(run=list_all)
    says = "let a key sign no more; its tokens stay good until they expire"
    parser = actions.add_parser("retire", help=says, description=says)
    parser.add_argument("kid", metavar="KID")
    parser.add_argument(
        "--compromised", action="store_true", help="its tokens are good for nothing, at once"
    )
    parser.set_defaults(run=retire)


def new(*, now: bool) -> None:
    settings, time_now = load_settings(), time.time()
    folder, algorithm = settings.signing_keys_dir, settings.algorithm
    if algorithm not in ALGORITHMS:
        raise SystemExit(
            f"gatehouse: by {algorithm}, SECRET_KEY signs. For keys, set ALGORITHM to ES256 or RS256;"
            " to make the first one before that, run `ALGORITHM=ES256 gatehouse keys new`"
        )
    ring = _read(folder)
    key = ring.new(algorithm, now=time_now, soon=now)
    _write(folder, key)
    for old in ring.all():
        # Its last token has ended, however long they once lived.
        if old.has_ended(time_now - settings.access_token_lifetime.total_seconds()):
            remove_key(folder, old)
    print(f"Gatehouse: {key.kid} {_state(key, KeyRing([*ring.all(), key]), algorithm, time_now)}.")


def list_all() -> None:
    settings, now = load_settings(), time.time()
    ring = _read(settings.signing_keys_dir)
    if not ring.all():
        print(f"There are no keys in {settings.signing_keys_dir}.")
    for key in ring.all():
        state = _state(key, ring, settings.algorithm, now)
        print(f"{key.kid}  {key.algorithm}  made {_moment(key.made_at)}  {state}")


def retire(*, kid: str, compromised: bool) -> None:
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
    except CannotRetire as refusal:
        raise SystemExit(f"gatehouse: {refusal}") from None
    _write(settings.signing_keys_dir, key)
    print(f"Gatehouse: {key.kid} {_state(key, ring, settings.algorithm, now)}.")


def _read(folder: Path) -> KeyRing:
    """What cannot be read is said, and keeps nobody from retiring another key."""
    try:
        files, complaints = read_keys(folder)
    except OSError as error:
        raise SystemExit(f"gatehouse: {folder} cannot be read: {error.strerror}") from None
    for complaint in complaints:
        print(f"gatehouse: {complaint}", file=sys.stderr)
    return KeyRing(file.key for file in files.values())


def _write(folder: Path, key: Key) -> None:
    try:
        write_key(folder, key)
    except OSError as error:
        raise SystemExit(f"gatehouse: {folder} cannot be written: {error.strerror}") from None


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
