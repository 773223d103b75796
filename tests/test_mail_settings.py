import pytest
from pydantic import ValidationError

from settings import Settings
from tests.conftest import settings_for

KEY = "a data key for tests, and for nothing else but tests"
MAIL = {"mail_url": "smtp://127.0.0.1", "mail_from": "accounts@example.com", "data_key": KEY}


def mail_settings(**changes: object) -> Settings:
    return settings_for("sqlite:///x.db", **(MAIL | changes))


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example.com",
        "smtps://user:pass%40word@mail.example.com:465",
        "SMTP://[::1]:2525/",
    ],
)
def test_a_mail_server_is_a_url(url: str) -> None:
    assert mail_settings(mail_url=url).mail_is_on


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://hunter2@mail.example.com",
        "smtp://user:hunter2@mail.example.com:0",
        "smtp://user:hunter2@mail.example.com:99999",
        "smtp://user:hunter2@mail.example.com?tls=no",
    ],
)
def test_another_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValidationError, match="must be a URL such as smtp://") as refused:
        mail_settings(mail_url=url)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["accounts@example.com", "Example <a@example.com>", "Größe & Co. <a@b.example>"]
)
def test_a_sender_is_an_address_with_or_without_a_name(address: str) -> None:
    assert mail_settings(mail_from=address).sender == address


@pytest.mark.parametrize(
    "address",
    [
        "example.com",
        "a@",
        "a@b, c@d",
        "<a@b>",
        "  <a@b>",
        "a@b> SIZE=1",
        "A <a@b>\nBcc: c@d",
        "ü@b.example",
    ],
)
def test_another_sender_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="must be an address"):
        mail_settings(mail_from=address)


@pytest.mark.parametrize("missing", ["mail_from", "data_key"])
def test_a_mail_server_needs_a_sender_and_a_key(missing: str) -> None:
    with pytest.raises(ValidationError, match=f"{missing.upper()} is required with MAIL_URL"):
        mail_settings(**{missing: None})


def test_without_a_mail_server_mail_is_written_in_development_alone() -> None:
    assert mail_settings(mail_url=None).mail_is_on
    assert not mail_settings(mail_url=None, environment="production").mail_is_on
    assert not mail_settings(mail_url=None, data_key=None).mail_is_on


def test_links_lead_to_the_account_pages_by_default() -> None:
    here = mail_settings(public_url="https://accounts.example.com")
    elsewhere = mail_settings(app_url="https://app.example.com/account/")

    assert here.links_url == "https://accounts.example.com/account"
    assert elsewhere.links_url == "https://app.example.com/account"


def test_proving_emails_first_needs_mail() -> None:
    assert mail_settings(require_verified_email=True).require_verified_email
    with pytest.raises(ValidationError, match="REQUIRE_VERIFIED_EMAIL needs mail: set MAIL_URL"):
        settings_for("sqlite:///x.db", require_verified_email=True)
