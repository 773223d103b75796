"""Secrets from files, as Docker, Kubernetes and systemd mount them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr

from settings import Settings, load_settings
from tests.commands import run
from tests.conftest import SECRET_KEY

OTHER_KEY = "another secret for tests and for nothing else"
WEBHOOK_SECRET = "whsec_" + "a" * 32

# What other settings require, or are required by.
COMPLETE = {
    "SECRET_KEY": SECRET_KEY,
    "DATABASE_URL": "postgresql://u:p@127.0.0.1/g",
    "DATA_KEY": OTHER_KEY,
    "MAIL_FROM": "a@example.com",
    "WEBHOOK_SECRETS": WEBHOOK_SECRET,
    "CAPTCHA_VERIFY_URL": "https://captcha.example",
    "CAPTCHA_SECRET": "x",
    "PICTURES_ACCESS_KEY_ID": "x",
    "PICTURES_SECRET_ACCESS_KEY": "x",
    "INTROSPECTION_CLIENT_ID": "x",
    "INTROSPECTION_CLIENT_SECRET": OTHER_KEY,
}


class Load(Protocol):
    def __call__(self, **variables: str) -> Settings: ...


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load the settings in a folder with the secret ``key`` and its ``.env``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    (tmp_path / "key").write_text(f"{SECRET_KEY}\n")

    def load(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load


def secrets_of(settings: Settings, name: str) -> list[str]:
    value = getattr(settings, name)
    return [one.get_secret_value() for one in (value if isinstance(value, tuple) else (value,))]


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("SECRET_KEY", f"{OTHER_KEY}\n", [OTHER_KEY]),
        ("SECRET_KEY", f"\ufeff  {OTHER_KEY}\r\n\r\n", [OTHER_KEY]),
        ("SECRET_KEY", "geheimer Schlüssel mit Umlauten: äöü", None),
        ("SECRET_KEY_FALLBACKS", f"{OTHER_KEY}, {'b' * 32}\n", [OTHER_KEY, "b" * 32]),
        ("DATA_KEY", OTHER_KEY, None),
        ("DATA_KEY_FALLBACKS", OTHER_KEY, None),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1/g\n", ["postgresql://u:p@127.0.0.1/g"]),
        ("DATABASE_READ_URL", "postgresql://u:p@127.0.0.1:5433/g", None),
        ("RATE_LIMIT_STORAGE_URL", "redis://:p@127.0.0.1:6379/0", None),
        ("MAIL_URL", "smtp://u:p@mail.example.com:587", None),
        ("WEBHOOKS", "https://a.example/x,https://b.example", None),
        ("WEBHOOK_SECRETS", WEBHOOK_SECRET, None),
        ("CAPTCHA_SECRET", "x", None),
        ("PICTURES_SECRET_ACCESS_KEY", "x", None),
        ("INTROSPECTION_CLIENT_SECRET", OTHER_KEY, None),
    ],
)
def test_every_secret_can_stand_in_a_file(
    tmp_path: Path, load: Load, name: str, content: str, read: list[str] | None
) -> None:
    (tmp_path / "secret").write_text(content)
    settings = load(**COMPLETE | {name: "", f"{name}_FILE": "secret"})

    assert secrets_of(settings, name.lower()) == (read or content.split(","))
    assert settings.sources[name.lower()].file == "secret"


def test_no_secret_is_left_out() -> None:
    tested = test_every_secret_can_stand_in_a_file.pytestmark[0].args[1]  # type: ignore[attr-defined]
    hidden = {
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }

    assert {row[0].lower() for row in tested} == hidden


def test_the_secret_of_a_provider_can_stand_in_a_file(tmp_path: Path, load: Load) -> None:
    settings = load(
        SECRET_KEY_FILE="key",
        DATA_KEY=OTHER_KEY,
        PROVIDERS="work",
        PROVIDER_WORK_CLIENT_ID="a",
        GATEHOUSE_PROVIDER_WORK_CLIENT_SECRET_FILE=str(tmp_path / "key"),
    )

    assert settings.provider_settings["work"].client_secret == SecretStr(SECRET_KEY)


def test_a_value_that_is_no_secret_has_no_file(load: Load) -> None:
    settings = load(SECRET_KEY_FILE="key", PORT_FILE="key", BRAND_NAME_FILE="no/such/file")

    assert (settings.port, settings.brand_name) == (8000, "Gatehouse")


def make_nothing(_: Path) -> None:
    """Leave the file out."""


def make_loop(file: Path) -> None:
    file.symlink_to(file.name)


def make_pipe(file: Path) -> None:
    """Make a pipe that nobody writes to: opening it would wait."""
    os.mkfifo(file)


def make_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def make_too_large(file: Path) -> None:
    file.write_bytes(b"a" * 65537)


def make_unreadable(file: Path) -> None:
    # Reading its first byte fails, whoever reads it.
    file.symlink_to("/proc/self/mem")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_nothing, "names a file that cannot be read: No such file or directory"),
        (Path.mkdir, "names a file that cannot be read: Not a regular file"),
        (make_pipe, "names a file that cannot be read: Not a regular file"),
        (make_device, "names a file that cannot be read: Not a regular file"),
        (make_loop, "names a file that cannot be read: Too many levels of symbolic links"),
        (make_unreadable, "names a file that cannot be read: Input/output error"),
        (make_too_large, "names a file of more than 65536 bytes"),
        (Path.touch, "names a file that is empty"),
        (lambda file: file.write_text(" \r\n"), "names a file that is empty"),
        (lambda file: file.write_bytes(b"\xff" * 40), "names a file that is not text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    make(tmp_path / "hunter2")

    ended = run(["check"], tmp_path, SECRET_KEY_FILE="hunter2")

    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr == f"gatehouse: SECRET_KEY_FILE {why}\n"


def test_each_file_that_cannot_be_used_has_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GATEHOUSE_DATABASE_URL_FILE=hunter2\0\n")
    ended = run(["migrate"], tmp_path, SECRET_KEY_FILE="hunter2" * 1000)

    assert ended.status == 1
    assert sorted(ended.stderr.splitlines()) == [
        "gatehouse: GATEHOUSE_DATABASE_URL_FILE must be the path of a file",
        "gatehouse: SECRET_KEY_FILE names a file that cannot be read: File name too long",
    ]


def test_the_content_is_held_to_the_rules_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    ended = run(["migrate"], tmp_path, SECRET_KEY_FILE="key")

    assert ended.status == 1
    assert ended.stderr.startswith("gatehouse: SECRET_KEY must have at least 32 bytes")
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize("prefix", ["", "GATEHOUSE_"])
def test_a_value_and_a_file_in_one_place_are_refused(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "key").write_text(SECRET_KEY)
    ended = run(
        ["migrate"],
        tmp_path,
        **{f"{prefix}SECRET_KEY": SECRET_KEY, f"{prefix}SECRET_KEY_FILE": "key"},
    )

    name = f"{prefix}SECRET_KEY"
    assert ended.status == 1
    assert ended.stderr == f"gatehouse: {name} and {name}_FILE are both set: remove one\n"


def test_a_file_wins_where_its_variable_does(tmp_path: Path, load: Load) -> None:
    (tmp_path / ".env").write_text(
        f"SECRET_KEY={OTHER_KEY}\nGATEHOUSE_DATABASE_URL_FILE=url\nDATA_KEY_FILE=no/such/file\n"
    )
    (tmp_path / "url").write_text("sqlite:///./other.db")
    # As the image sets it.
    settings = load(
        SECRET_KEY_FILE="key", DATABASE_URL="sqlite:////data/gatehouse.db", DATA_KEY=OTHER_KEY
    )

    assert settings.secret_key == SecretStr(SECRET_KEY)
    assert settings.database_url == SecretStr("sqlite:///./other.db")
    assert settings.data_key == SecretStr(OTHER_KEY)


def test_nothing_shows_the_content(load: Load) -> None:
    settings = load(SECRET_KEY_FILE="key")

    assert SECRET_KEY not in f"{settings!r} {settings.sources!r} {settings.model_dump()}"
