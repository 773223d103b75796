"""`gatehouse secret`: print a new SECRET_KEY or DATA_KEY."""

import secrets

import click

from cli.usage import examples

# 64 bytes are enough for HS512 too (RFC 7518 section 3.2).
SECRET_BYTES = 64


@click.command(epilog=examples("gatehouse secret"))
def secret() -> None:
    """Print a new random SECRET_KEY or DATA_KEY."""
    print(secrets.token_urlsafe(SECRET_BYTES))
