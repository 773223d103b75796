"""Check where links in mail lead, and say what the domain of the sender needs."""

from collections.abc import Iterator
from email.utils import parseaddr
from urllib.parse import urlsplit

from cli.check.findings import Finding, ok, problem
from cli.check.network import is_loopback
from settings import Settings


def app_url(settings: Settings) -> Iterator[Finding]:
    url = settings.app_url
    if url is None:
        yield ok("APP_URL", f"not set: links in mail lead to {settings.links_url}")
    elif not url.startswith("https://"):
        yield problem("APP_URL", "is not https: the pages that links in mail lead to get secrets")
    elif is_loopback(urlsplit(url).hostname or ""):
        yield problem("APP_URL", f"is {url}: links in mail lead users to their own machines")
    else:
        yield ok("APP_URL", url)


def mail_from(settings: Settings) -> Iterator[Finding]:
    """Say what to publish, so that receivers accept the mail (RFC 7208, RFC 6376, RFC 7489). The
    records are not looked up."""
    if settings.mail_url is None:
        yield ok("MAIL_URL", "not set: no mail is sent")
        return
    _, address = parseaddr(settings.sender)
    domain = address.rpartition("@")[2]
    yield ok(
        "MAIL_FROM",
        f"{address}; make sure that the DNS has, as TXT: for {domain} the SPF record of your mail server"
        f' ("v=spf1 ... -all"), its DKIM key, and for _dmarc.{domain} "v=DMARC1; p=quarantine"',
    )
