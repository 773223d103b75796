"""The rule of time-based codes, against the vectors of RFC 6238 and two other programs."""

import secrets
import shutil
import subprocess
import time

import pyotp
import pytest

from domain import totp
from tests.authenticator_apps import Clock

# RFC 6238, appendix B, for SHA-1: the last six of the eight digits.
SEED = b"12345678901234567890"
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SEED, seconds // totp.STEP_SECONDS) == code


def test_pyotp_makes_the_same_codes() -> None:
    for _ in range(1_000):
        seed, seconds = totp.new_seed(), secrets.randbelow(2**33)

        theirs = pyotp.TOTP(totp.secret_text(seed)).at(seconds)

        assert totp.code_at(seed, seconds // totp.STEP_SECONDS) == theirs


@pytest.mark.skipif(shutil.which("oathtool") is None, reason="oathtool is not installed")
def test_oathtool_makes_the_same_codes() -> None:
    # A thousand codes, twenty of them in each call.
    for _ in range(50):
        seed, first = totp.new_seed(), secrets.randbelow(2**28)
        time_text = f"--now=@{first * totp.STEP_SECONDS}"
        called = subprocess.run(
            ["oathtool", "--totp", time_text, "--window=19", seed.hex()],
            capture_output=True,
            text=True,
            check=True,
        )

        ours = [totp.code_at(seed, first + step) for step in range(20)]

        assert called.stdout.split() == ours


def test_the_current_code_and_the_one_before_match(clock: Clock) -> None:
    now = clock.step

    matches = [totp.matching_step(SEED, totp.code_at(SEED, now + step)) for step in (-2, -1, 0, 1)]

    assert matches == [None, now - 1, now, None]


@pytest.mark.parametrize("typed", ["005924", " 005 924 ", "005\t924\n", "0 0 5 9 2 4"])
def test_blanks_between_the_digits_do_not_count(typed: str) -> None:
    assert totp.parse_code(typed) == "005924"


@pytest.mark.parametrize(
    "typed",
    [
        "００５９２４",  # full-width
        "٠٠٥٩٢٤",  # Arabic-Indic
        "00592",
        "0059240",
        "-05924",
        "+05924",
        "00592⁴",
        "005_924",
        "",
        "0" * 10_000,
        "\ud800" * 6,
    ],
)
def test_other_characters_are_no_code(typed: str) -> None:
    assert totp.parse_code(typed) is None


def test_pyotp_reads_the_address() -> None:
    seed = totp.new_seed()

    parsed = pyotp.parse_uri(totp.uri(seed, issuer="Café: 1 & 2", account="ada@example.com"))

    assert isinstance(parsed, pyotp.TOTP)
    assert parsed.issuer == "Café  1 & 2"
    assert parsed.name == "ada@example.com"
    assert parsed.at(int(time.time())) == totp.code_at(seed, totp.current_step())
