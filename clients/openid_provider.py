"""npm's oidc-provider, a certified OpenID provider, as a process, and a user's way through it."""

import html
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.servers import TIMEOUT_SECONDS, environment, free_port, wait_until_it_listens

PROGRAM = Path(__file__).parent / "openid-provider" / "provider.mjs"

# The client whose ID tokens have the usual algorithm. That of PS256 is gatehouse-PS256, and so on.
CLIENT_ID, CLIENT_SECRET = "gatehouse-RS256", "a secret: of/Gatehouse+100%"

#: What the provider is called in PROVIDERS.
NAME = "work"


def callback_of(port: int) -> str:
    """Return where the provider of a server on a port sends the browser back to."""
    return f"http://127.0.0.1:{port}/sign-in/{NAME}/callback"


def provider_settings(issuer: str) -> dict[str, str]:
    """Return the settings of a server whose provider is this one."""
    return {
        "PROVIDERS": NAME,
        "PROVIDER_WORK_ISSUER": issuer,
        "PROVIDER_WORK_CLIENT_ID": CLIENT_ID,
        "PROVIDER_WORK_CLIENT_SECRET": CLIENT_SECRET,
    }


@contextmanager
def openid_provider(
    folder: Path, *redirect_uris: str, port: int | None = None, claims_in_token: bool = False
) -> Iterator[str]:
    """Run a provider, and yield its issuer. On the port of a former one, it is that with new keys.

    The ID tokens of a certified provider have no email: userinfo has it.
    """
    port = port or free_port()
    log_file = folder / f"openid-provider-{port}.log"
    with log_file.open("a") as log:
        process = subprocess.Popen(
            ["node", PROGRAM],
            env=environment(
                PORT=str(port),
                CLIENT_ID=CLIENT_ID.partition("-")[0],
                CLIENT_SECRET=CLIENT_SECRET,
                REDIRECT_URIS=" ".join(redirect_uris),
                CLAIMS_IN_TOKEN="yes" if claims_in_token else "",
            ),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_it_listens(port, process, log_file)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


async def log_in(url: str, **entered: str) -> dict[str, str]:
    """Follow an authorization address to the form, fill it in, and return what the callback is
    sent: in its address, or in the form that the provider posts."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    async with httpx.AsyncClient(base_url=origin) as browser:
        answer = await browser.get(url)
        answer = await browser.get(answer.headers["Location"])
        assert "<form" in answer.text
        answer = await browser.post(answer.url, data=entered)
        while (to := answer.headers.get("Location", "/")).startswith(("/", origin)):
            if answer.status_code == 200:
                inputs = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
                return {name: html.unescape(value) for name, value in inputs}
            answer = await browser.get(to)
    return dict(parse_qsl(urlsplit(to).query))
