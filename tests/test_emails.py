import pytest
from email_validator import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
        "ada@example.com\nx",
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


@pytest.mark.parametrize("blank", [" ", "\t", "\r\n", "\u00a0"])
def test_blanks_around_an_address_are_no_part_of_it(blank: str) -> None:
    assert emails.parse(f"{blank}ada@example.com{blank}") == emails.parse("ada@example.com")
    assert emails.key(f"{blank}ada@example.com{blank}") == "ada@example.com"


@pytest.mark.parametrize(
    "stored",
    ["ada@mail.test", "ada@localhost", "zoë@example.com", '"ada l"@example.com', "a@[::1]"],
)
def test_an_address_that_is_refused_today_can_still_be_looked_up(stored: str) -> None:
    assert emails.parse(stored) is None
    assert emails.key(f" {stored.upper()}") == emails.key(stored) == stored


@pytest.mark.parametrize("text", ["a@\0", "\ud800@example.com", "a" * 250 + "@b.co", "a\n@b.co"])
def test_a_text_that_no_column_can_hold_is_not_looked_up(text: str) -> None:
    assert emails.key(text) is None


LETTERS = st.characters(categories=["Ll", "Lu", "Lo", "Mn", "Nd"])


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@example("Ada", ["Bücher", "ＥＸ"])
@given(
    st.text("abcXYZ019.+_-", min_size=1, max_size=12),
    st.lists(st.text(LETTERS, min_size=1, max_size=6), min_size=1, max_size=3),
)
def test_a_look_up_finds_what_was_registered(local: str, labels: list[str]) -> None:
    """The key of an address is the same by both ways, and is what earlier releases stored."""
    email = f"{local}@{'.'.join(labels)}.example.com"
    address = emails.parse(email)

    if address is not None:
        valid = validate_email(email, strict=True, allow_smtputf8=False, check_deliverability=False)
        assert address.key == emails.key(email) == emails.key(address.text)
        assert address.key == str(valid.ascii_email).lower()
