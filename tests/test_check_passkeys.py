"""`gatehouse check`: the domain of passkeys, and the pages that use them."""

import pytest

from cli.check.findings import Level
from cli.check.passkeys import passkeys
from tests.conftest import settings_for

HERE = {"public_url": "https://accounts.example.com"}
APP = {"app_url": "https://app.example.com/account", "passkey_rp_id": "example.com"}


def found(**settings: str) -> list[tuple[Level, str, str]]:
    findings = passkeys(settings_for("sqlite:///g.db", **{**HERE, **settings}))
    return [(finding.level, finding.item, finding.message) for finding in findings]


def test_the_account_pages_can_use_the_passkeys_of_their_host() -> None:
    assert found() == [
        (
            Level.OK,
            "PASSKEY_RP_ID",
            "accounts.example.com; never change it: passkeys would stop working",
        ),
        (Level.OK, "PASSKEY_ORIGINS", "https://accounts.example.com"),
    ]


def test_a_domain_is_that_of_all_its_hosts() -> None:
    origins = "https://example.com,https://app.example.com:8443,https://www.app.example.com"
    _, (level, _, message) = found(**APP, passkey_origins=origins)

    assert level is Level.OK
    assert message == origins.replace(",", ", ")


@pytest.mark.parametrize("origin", ["https://badexample.com", "https://example.com.evil.test"])
def test_another_domain_depends_on_a_list(origin: str) -> None:
    _, (level, item, message) = found(**APP, passkey_origins=origin)

    assert (level, item) == (Level.WARNING, "PASSKEY_ORIGINS")
    assert message.startswith(f"has {origin}, outside of example.com: make sure that https://")
    assert "https://example.com/.well-known/webauthn" in message


def test_this_server_has_the_list_if_it_is_the_host() -> None:
    _, (level, _, message) = found(cors_origins="https://app.example.com")

    assert level is Level.OK
    assert "https://accounts.example.com/.well-known/webauthn lists them" in message


def test_under_a_path_it_does_not_have_the_host_to_itself() -> None:
    _, (level, *_) = found(
        public_url="https://example.com/accounts", cors_origins="https://example.de"
    )

    assert level is Level.WARNING


def test_browsers_may_read_five_other_domains() -> None:
    origins = [f"https://example{n}.test" for n in range(6)]
    _, (level, *_) = found(cors_origins=",".join(origins[:5]))
    _, (beyond, _, message) = found(cors_origins=",".join(origins))

    assert (level, beyond) == (Level.OK, Level.WARNING)
    assert "6 origins" in message


@pytest.mark.parametrize("origin", ["http://app.example.com", "capacitor://localhost"])
def test_a_page_without_tls_has_no_passkeys(origin: str) -> None:
    _, (level, item, message) = found(**APP, passkey_origins=f"https://example.com,{origin}")

    assert (level, item) == (Level.WARNING, "PASSKEY_ORIGINS")
    assert message.startswith(f"has {origin}: ")


@pytest.mark.parametrize("address", ["192.0.2.1", "[2001:db8::1]"])
def test_an_ip_address_has_no_passkeys(address: str) -> None:
    [(level, item, message)] = found(public_url=f"https://{address}")

    assert (level, item) == (Level.WARNING, "PASSKEY_RP_ID")
    assert address.strip("[]") in message


def test_localhost_is_for_development() -> None:
    (level, item, _), (of_origins, *_) = found(public_url="http://127.0.0.1:8000")

    assert (level, item) == (Level.WARNING, "PASSKEY_RP_ID")
    assert of_origins is Level.OK
