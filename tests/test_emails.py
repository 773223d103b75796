import pytest

from domain import emails
from domain.emails import Address


@pytest.mark.parametrize("email", ["a@b.co", "ada+tag@mail.example.com", "ada@bücher.example"])
def test_an_address_that_mail_can_be_sent_to_is_fine(email: str) -> None:
    assert emails.parse(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@test",
        "ada@mail.test",
        "a b@example.com",
        "ada@example..com",
        "Ada <ada@example.com>",
        "аda@example.com",
        "ada@exam\u200bple.com",
        "ada@example.com\n",
        '"ada"@example.com',
        "ada@[127.0.0.1]",
        "a" * 65 + "@example.com",
        "ada@example.com\x00",
    ],
)
def test_nothing_else_is_an_email(email: str) -> None:
    assert emails.parse(email) is None


@pytest.mark.parametrize("other", ["ADA@BÜCHER.EXAMPLE", "ada@xn--bcher-kva.example"])
def test_one_address_has_one_key(other: str) -> None:
    assert emails.parse(other) == Address("ada@bücher.example", key="ada@xn--bcher-kva.example")
