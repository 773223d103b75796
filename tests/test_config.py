"""`gatehouse config`: the settings in force, where each comes from, and no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.commands import run
from tests.conftest import COLLECTED, SECRET_KEY

PROVIDER = {
    "PROVIDERS": "work",
    "PROVIDER_WORK_CLIENT_ID": "an id",
    "PROVIDER_WORK_ISSUER": "https://id.example.com",
    "DATA_KEY": SECRET_KEY,
}

# `hunter2` is never printed.
SECRETS = {
    "SECRET_KEY": "hunter2" * 8,
    "SECRET_KEY_FALLBACKS": f"{'hunter2' * 8},{'hunter2' * 9}",
    "DATA_KEY": "hunter2" * 7,
    "DATA_KEY_FALLBACKS": "hunter2" * 8,
    "PROVIDER_WORK_CLIENT_SECRET": "hunter2",
    "MAIL_URL": "smtp://hunter2:hunter2@mail.example.com:587",
    "MAIL_FROM": "accounts@example.com",
    "DATABASE_URL": "postgresql://u:hunter2@one/g",
    "DATABASE_READ_URL": "postgresql://u:hunter2@two:5433/g",
    "RATE_LIMIT_STORAGE_URL": "redis://:hunter2@127.0.0.1:6379/0?password=hunter2",
    "WEBHOOKS": "https://hooks.example.com/services/hunter2",
    "WEBHOOK_SECRETS": "whsec_hunter2" + "a" * 25,
    "CAPTCHA_VERIFY_URL": "https://captcha.example.com",
    "CAPTCHA_SECRET": "hunter2",
    "PICTURES_ACCESS_KEY_ID": "an id",
    "PICTURES_SECRET_ACCESS_KEY": "hunter2",
    "INTROSPECTION_CLIENT_ID": "an id",
    "INTROSPECTION_CLIENT_SECRET": "hunter2" * 8,
}


def shown(folder: Path, **variables: str) -> dict[str, Any]:
    ended = run(["config", "--json"], folder, **{"SECRET_KEY": SECRET_KEY} | variables)
    assert (ended.status, ended.stderr) == (0, "")
    settings: dict[str, Any] = json.loads(ended.stdout)
    return settings


def test_every_setting_is_shown(tmp_path: Path) -> None:
    names = {name.upper() for name in Settings.model_fields} - COLLECTED

    assert set(shown(tmp_path)) == names


def test_each_value_has_the_place_that_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "PORT=9001\nGATEHOUSE_WORKERS=3\nCORS_ORIGINS=https://a.example\n"
    )
    (tmp_path / "key").write_text(SECRET_KEY)
    settings = shown(
        tmp_path, PORT="9002", WORKERS="2", SECRET_KEY="", GATEHOUSE_SECRET_KEY_FILE="key"
    )

    def of(value: object, source: str, variable: str | None, file: str | None = None) -> object:
        return {"value": value, "source": source, "variable": variable, "file": file}

    assert settings["PORT"] == of(9002, "environment", "PORT")
    assert settings["WORKERS"] == of(3, ".env", "GATEHOUSE_WORKERS")
    assert settings["CORS_ORIGINS"] == of(["https://a.example"], ".env", "CORS_ORIGINS")
    assert settings["SECRET_KEY"] == of("********", "file", "GATEHOUSE_SECRET_KEY_FILE", "key")
    assert settings["LOG_LEVEL"] == of("INFO", "default", None)


def test_a_default_is_what_is_in_force(tmp_path: Path) -> None:
    settings = shown(tmp_path, ENVIRONMENT="production", PUBLIC_URL="https://a.example")

    assert settings["GRAPHIQL"]["value"] is False
    assert settings["LOG_FORMAT"]["value"] == "json"
    assert settings["APP_URL"]["value"] == "https://a.example/account"
    assert settings["HASHING_THREADS"]["value"] >= 1


def test_no_secret_is_shown(tmp_path: Path) -> None:
    ended = [
        run(["config", *options], tmp_path, **PROVIDER | SECRETS) for options in ([], ["--json"])
    ]

    assert [one.status for one in ended] == [0, 0]
    assert "hunter2" not in "".join(one.stdout + one.stderr for one in ended)
    settings = json.loads(ended[1].stdout)
    assert settings["SECRET_KEY_FALLBACKS"]["value"] == ["********"] * 2
    assert settings["MAIL_URL"]["value"] == "smtp://********@mail.example.com:587"
    assert settings["DATABASE_READ_URL"]["value"] == "postgresql://********@two:5433/g"
    assert settings["PROVIDER_WORK_CLIENT_SECRET"]["value"] == "********"
    assert settings["PROVIDER_WORK_CLIENT_ID"]["value"] == "an id"


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("sqlite:////data/gatehouse.db", "sqlite:////data/gatehouse.db"),
        ("postgresql://u:hunter2@db:5432/g", "postgresql://********@db:5432/g"),
        ("postgresql://hunter2@[::1]/g", "postgresql://********@[::1]/g"),
        ("postgresql://u:hunter2@a:1,b:2/g?x=hunter2", "postgresql://********@a:1,b:2/g?********"),
        ("postgresql:///g?password=hunter2&host=/run", "postgresql:///g?********"),
        # Not encoded as a URL requires.
        ("postgresql://u:1/hunter2@db/g", "********"),
        ("postgresql://u:1?hunter2@db/g", "********"),
        ("postgresql://u:a@hunter2@db/g", "********"),
        ("postgresql://u:1#hunter2@db/g", "********"),
        ("postgresql://u:hunter2", "********"),
        ("hunter2", "********"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(tmp_path: Path, url: str, value: str) -> None:
    assert shown(tmp_path, DATABASE_URL=url)["DATABASE_URL"]["value"] == value


def test_a_line_has_the_name_the_place_and_the_value(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET_KEY)
    ended = run(["config"], tmp_path, SECRET_KEY_FILE="key", GATEHOUSE_PORT="9000", GRAPHIQL="no")
    lines = [line.split(maxsplit=1) for line in ended.stdout.splitlines()]
    said = {name: " ".join(rest[0].split()) for name, *rest in lines}

    assert said["SECRET_KEY"] == "file key ********"
    assert said["PORT"] == "environment (GATEHOUSE_PORT) 9000"
    assert said["GRAPHIQL"] == "environment false"
    assert said["METRICS_PORT"] == "default"


def test_settings_that_cannot_be_used_end_in_their_lines(tmp_path: Path) -> None:
    ended = run(["config"], tmp_path, SECRET_KEY="hunter2", PORT="hunter2")

    assert (ended.status, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 2
