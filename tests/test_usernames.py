import pytest

from domain import usernames


@pytest.mark.parametrize("name", ["Ada", "ada.lovelace", "a-b_c.d", "x86", "007", "a" * 32])
def test_a_name_has_letters_digits_and_single_separators(name: str) -> None:
    assert usernames.problems(name) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 33,
        "a b c",
        "ada@example.com",
        "-ada",
        "ada.",
        "ada__l",
        "ada._l",
        "ada\n",
        "Адa",
        "ａｄａ",
        "adı",
        "zoë",
        "ada\u200b",
        "aḋa",
        "ada�",
        "\x00ada",
    ],
)
def test_nothing_else_is_a_name(name: str) -> None:
    assert usernames.problems(name)
    assert usernames.key(name) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "PayPaI"),  # a capital i instead of an l
        ("paypal", "paypa1"),
        ("google", "g00gle"),
        ("modem", "modern"),
        ("william", "VVilliam"),
        ("ada", "ADA"),
    ],
)
def test_names_that_read_the_same_are_one_name(one: str, other: str) -> None:
    assert usernames.key(one) == usernames.key(other)


@pytest.mark.parametrize(("one", "other"), [("ada", "adam"), ("a.da", "ada"), ("a-da", "a_da")])
def test_names_that_read_differently_are_two(one: str, other: str) -> None:
    assert usernames.key(one) != usernames.key(other)
