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
        "ada\nl",
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


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", "\u3000"])
def test_blanks_around_a_name_are_no_part_of_it(blank: str) -> None:
    assert usernames.problems(f"{blank}ada{blank}") == []
    assert usernames.key(f"{blank}Ada{blank}") == usernames.key("ada")


@pytest.mark.parametrize("name", ["", "ab", "a__b", "ada@home", "Zoë", "a" * 33])
def test_a_name_that_is_refused_today_can_still_be_looked_up(name: str) -> None:
    assert usernames.problems(name)
    assert usernames.key(f"{name.upper()} ") == usernames.key(name) is not None


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\nb", "a" * 255])
def test_a_text_that_no_column_can_hold_is_not_looked_up(text: str) -> None:
    assert usernames.key(text) is None


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
