"""`gatehouse secret`: print a new SECRET_KEY or DATA_KEY, or a secret of webhooks."""

import secrets
from base64 import b64encode

import click

from cli.usage import examples
from domain.webhooks.signature import SECRET_PREFIX

# 64 bytes are enough for HS512 too (RFC 7518 section 3.2).
SECRET_BYTES = 64


# Standard Webhooks 1.0.0 allows 24 to 64.
WEBHOOK_SECRET_BYTES = 32


@click.command(epilog=examples("gatehouse secret", "gatehouse secret --webhook"))
@click.option("--webhook", is_flag=True, help="A secret for WEBHOOK_SECRETS.")
def secret(webhook: bool) -> None:
    """Print a new random SECRET_KEY or DATA_KEY."""
    if webhook:
        key = secrets.token_bytes(WEBHOOK_SECRET_BYTES)
        print(f"{SECRET_PREFIX}{b64encode(key).decode()}")
    else:
        print(secrets.token_urlsafe(SECRET_BYTES))
