import re
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from settings import Settings, load_settings
from tests.commands import run
from tests.conftest import COLLECTED, SECRET_KEY, settings_for
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment

EXAMPLE = Path(__file__).parent.parent / ".env.example"


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "too short to sign with",
        "x" * 31,
        # python-jose takes these for public keys, and fails to sign with them.
        "-----BEGIN PUBLIC KEY-----" + "a" * 40,
        "ssh-rsa " + "A" * 40,
    ],
)
def test_it_refuses_to_start_without_a_secret_and_says_how_to_make_one(
    tmp_path: Path, secret: str | None
) -> None:
    ended = run(["serve"], tmp_path, **({} if secret is None else {"SECRET_KEY": secret}))

    assert ended.status == 1
    [line] = ended.stderr.splitlines()
    assert "SECRET_KEY" in line
    assert "gatehouse secret" in line
    assert not secret or secret not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user:hunter2@127.0.0.1/gatehouse"),
        ("DATABASE_URL", "hunter2"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:x?mode=memory&uri=true"),
        ("DATABASE_URL", "postgresql://db:hunter2"),
        ("DATABASE_URL", "postgresql://hunter2:hunter2@" + "h" * 64 + "/gatehouse"),
        ("DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/db?sslmode=bogus"),
        ("ARGON2_PARALLELISM", "64"),
        ("DATABASE_URL", "sqlite:////hunter2/no/such/folder/gatehouse.db"),
        # RFC 7518 section 3.2 wants 64 bytes, and the secret of the tests has 50.
        ("ALGORITHM", "HS512"),
        ("ALGORITHM", "none"),
        ("ALGORITHM", "hunter2"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "hunter2"),
        ("HASHING_THREADS", "0"),
        ("ENVIRONMENT", "hunter2"),
        ("PORT", "99999"),
        ("CORS_ORIGINS", "app.example.com"),
        ("CORS_ORIGINS", "https://app.example.com/hunter2"),
        ("SECRET_KEY", "\udcff" * 40),
        ("RATE_LIMIT_STORAGE_URL", "redis://user:hunter2@127.0.0.1:port/0"),
        ("RATE_LIMIT_STORAGE_URL", "redis://[hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "redis://user:hunter2/x@127.0.0.1:6379/0"),
        ("RATE_LIMIT_STORAGE_URL", "redis://127.0.0.1/hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "redis://127.0.0.1:6379,hunter2/0"),
        ("RATE_LIMIT_STORAGE_URL", "redis+sentinel://127.0.0.1:hunter2/service"),
        ("RATE_LIMIT_STORAGE_URL", "redis+sentinel://127.0.0.1?hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "redis+cluster://127.0.0.1/hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "redis+cluster://127.0.0.1:70000?password=hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "unix://hunter2"),
        ("RATE_LIMIT_STORAGE_URL", "redis://:hunter2@127.0.0.1/" + "9" * 5000),
        ("RATE_LIMIT_STORAGE_URL", "rediss://:hunter2@127.0.0.1?ssl_keyfile=/dev/null"),
        ("RATE_LIMIT_STORAGE_URL", "rediss://127.0.0.1/0?ssl_ca_certs=/no/hunter2.pem"),
        ("RATE_LIMIT_STORAGE_URL", "redis://127.0.0.1/0?ssl_cert_reqs=none&password=hunter2"),
        ("LOGIN_LIMIT_PER_ACCOUNT", "hunter2"),
        ("REGISTER_LIMIT_PER_NETWORK", "0/hour"),
        ("RATE_LIMIT_STORAGE_URL", "redis://127.0.0.1:6379/0?hunter2=1"),
        ("PICTURES", "gs://hunter2"),
        ("PICTURES", "s3://"),
        ("PICTURES", "s3://user:hunter2@bucket/prefix"),
        ("PICTURES_ENDPOINT", "ftp://hunter2"),
        ("PICTURES_SECRET_ACCESS_KEY", "hunter2"),
        ("PICTURE_LIMIT_PER_USER", "hunter2"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    variables = {"SECRET_KEY": SECRET_KEY, "ARGON2_MEMORY_KIB": "64", name: value}
    ended = run(["serve"], tmp_path, **variables)

    assert ended.status == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "hunter2" not in ended.stderr
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("database", "replica"),
    [
        ("sqlite:///g.db", "postgresql://u:hunter2@127.0.0.1/g"),
        ("postgresql://u:hunter2@127.0.0.1/g", "sqlite:///hunter2.db"),
    ],
)
def test_a_replica_of_sqlite_is_refused_in_a_line(
    tmp_path: Path, database: str, replica: str
) -> None:
    ended = run(
        ["serve"], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=database, DATABASE_READ_URL=replica
    )

    assert ended.status == 1
    assert ended.stderr == (
        "gatehouse: DATABASE_READ_URL is for a standby of PostgreSQL: it and DATABASE_URL must begin"
        " with postgresql://\n"
    )


def test_a_url_of_a_replica_that_cannot_be_used_is_refused_by_its_name(tmp_path: Path) -> None:
    ended = run(
        ["serve"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL="postgresql://u:hunter2@127.0.0.1/g",
        DATABASE_READ_URL="postgresql://u:hunter2@127.0.0.1/g?hunter2=1",
    )

    assert ended.status == 1
    assert ended.stderr.startswith("gatehouse: DATABASE_READ_URL is not a valid PostgreSQL URL")
    assert "hunter2" not in ended.stderr


def test_a_file_that_is_not_text_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff\xfe")
    failed = subprocess.run(
        [GATEHOUSE, "serve"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert failed.returncode == 1
    assert failed.stderr == "gatehouse: .env must be text in UTF-8\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('\n# comment\n\n\nSECRET_KEY="hunter2\n', [5]),
        ("SECRET_KEY hunter2\n\nPORT=1\n PORT: 'hunter2'", [1, 4]),
        ("PORT=1\r\n\r\n=hunter2\r\n", [3]),
        ("LOG_FORMAT='json' hunter2", [1]),
        ('CORS_ORIGINS="https://a.example,\nhttps://b.example"\nexport = hunter2', [3]),
    ],
)
def test_a_line_that_is_no_setting_is_refused_with_its_number(
    tmp_path: Path, text: str, lines: list[int]
) -> None:
    (tmp_path / ".env").write_bytes(text.encode())
    ended = run(["migrate"], tmp_path, SECRET_KEY=SECRET_KEY)

    assert ended.status == 1
    assert ended.stderr.splitlines() == [
        f"gatehouse: .env line {line} must be NAME=value" for line in lines
    ]


def test_every_form_of_a_line_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "\ufeff\n  # comment\n\nexport LOG_LEVEL=error # why\n"
        "PUBLIC_URL = 'https://a.example'\nWORKERS=\nNAME_ALONE\n"
        'CORS_ORIGINS="https://a.example,\nhttps://b.example"\n\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    read = load_settings(secret_key=SECRET_KEY)

    assert (read.log_level, read.public_url, read.workers) == ("ERROR", "https://a.example", 1)
    assert read.cors_origins == ("https://a.example", "https://b.example")


def test_secret_makes_one_that_will_do(tmp_path: Path) -> None:
    secret = run(["secret"], tmp_path).stdout.strip()

    assert settings_for("sqlite:///x.db", secret_key=secret)


def test_the_example_names_every_setting_with_its_default() -> None:
    example = dict(re.findall(r"^([A-Z_0-9]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    defaults = Settings(_env_file=EXAMPLE, secret_key=SecretStr(SECRET_KEY))  # type: ignore[call-arg]

    # Each provider has variables of its own, by its name.
    names = {name.upper() for name in Settings.model_fields} - COLLECTED
    assert sorted(example) == sorted(names)
    assert defaults.model_dump() == Settings(secret_key=SecretStr(SECRET_KEY)).model_dump()


def test_origins_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example,")

    assert settings_for("sqlite:///x.db").cors_origins == ("https://a.example", "https://b.example")


def test_any_origin_may_be_allowed() -> None:
    assert settings_for("sqlite:///x.db", cors_origins="*").cors_origins == ("*",)


def test_former_secrets_are_split_at_commas_and_never_shown() -> None:
    settings = settings_for("sqlite:///x.db", secret_key_fallbacks=f"{'a' * 32}, {'b' * 32}")
    former = [secret.get_secret_value() for secret in settings.secret_key_fallbacks]

    assert former == ["a" * 32, "b" * 32]
    assert "aaaa" not in repr(settings)


def test_a_secret_key_is_optional_where_keys_sign() -> None:
    assert not settings_for("sqlite:///x.db", algorithm="ES256", secret_key="").secret_key


def test_networks_are_split_at_commas_too() -> None:
    networks = settings_for("sqlite:///x.db", trusted_proxies="10.0.0.0/8, ::1").trusted_proxies

    assert networks == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "proxy.example"),
        ("public_url", "accounts.example.com"),
        ("public_url", "https://example.com//accounts"),
        ("public_url", "https://example.com/../accounts"),
        ("public_url", "https://example.com/accounts?x=1"),
        ("rate_limit_storage_url", "memcached://127.0.0.1"),
        ("rate_limit_storage_url", "redis://"),
        ("rate_limit_storage_url", "redis+udp://127.0.0.1"),
        ("introspection_client_id", "an id without a secret"),
        ("introspection_client_secret", "too short"),
        ("secret_key_fallbacks", f"{SECRET_KEY}, too short"),
        ("session_idle_days", 0),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        settings_for("sqlite:///x.db", **{name: value})


def test_each_line_says_what_a_setting_must_be() -> None:
    with pytest.raises(SystemExit) as stopped:
        load_settings(
            secret_key="hunter2",
            algorithm="RS256",
            graphiql="hunter2",
            port="hunter2",
            workers=0,
            log_format="hunter2",
            cors_origins="hunter2, hunter2",
        )

    assert str(stopped.value).splitlines() == [
        "gatehouse: GRAPHIQL must be a valid boolean",
        "gatehouse: SECRET_KEY must have at least 32 bytes; make one with `gatehouse secret` and put it into .env",
        "gatehouse: PORT must be a valid integer",
        "gatehouse: WORKERS must be greater than or equal to 1",
        "gatehouse: CORS_ORIGINS must be origins such as https://app.example.com, separated by commas",
        "gatehouse: LOG_FORMAT must be 'text' or 'json'",
    ]


@pytest.mark.parametrize("who", ["all", "Admins"])
def test_a_second_factor_that_cannot_be_set_up_cannot_be_required(who: str) -> None:
    """An IP address cannot have passkeys."""
    settings = {"public_url": "https://192.0.2.1", "require_second_factor": who}
    with pytest.raises(ValidationError, match="REQUIRE_SECOND_FACTOR needs DATA_KEY"):
        settings_for("sqlite:///x.db", **settings)
    by_app = settings_for("sqlite:///x.db", **settings, data_key=SECRET_KEY)
    by_passkey = settings_for("sqlite:///x.db", **settings, passkey_rp_id="example.com")

    assert by_app.require_second_factor == by_passkey.require_second_factor == who.lower()


def test_the_issuer_is_the_public_url_or_else_the_address_it_listens_at() -> None:
    public = settings_for("sqlite:///x.db", public_url="https://accounts.example.com")
    local = settings_for("sqlite:///x.db", host="::1", port=8001)

    assert public.issuer == "https://accounts.example.com"
    assert local.issuer == "http://[::1]:8001"


def test_each_provider_has_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS", "google, work")
    monkeypatch.setenv("PROVIDER_GOOGLE_CLIENT_ID", "a")
    monkeypatch.setenv("GATEHOUSE_PROVIDER_WORK_CLIENT_ID", "b")
    monkeypatch.setenv("PROVIDER_WORK_ISSUER", "https://id.example.com")

    settings = settings_for("sqlite:///x.db", data_key="a data key of at least 32 characters")

    assert settings.providers == ("google", "work")
    assert settings.provider_settings["google"].client_id == "a"
    assert settings.provider_settings["work"].issuer == "https://id.example.com"


@pytest.mark.parametrize(
    "issuer",
    ["https://id.example.com/", "https://ID.example.com", "https://id.example.com/Eu_west-1~a"],
)
def test_an_issuer_is_kept_letter_by_letter(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("PROVIDERS", "work")
    monkeypatch.setenv("PROVIDER_WORK_CLIENT_ID", " a ")
    monkeypatch.setenv("PROVIDER_WORK_ISSUER", f" {issuer} ")
    monkeypatch.setenv("PROVIDER_WORK_LABEL", "")

    settings = settings_for("sqlite:///x.db", data_key="a data key of at least 32 characters")

    assert settings.provider_settings["work"].issuer == issuer
    assert settings.provider_settings["work"].client_id == "a"
    assert settings.provider_settings["work"].label is None


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PROVIDERS": "google"}, "client_id"),
        ({"PROVIDERS": "Google Inc"}, "must be names"),
        (
            {"PROVIDERS": "work", "PROVIDER_WORK_CLIENT_ID": "a", "PROVIDER_WORK_CLIENTID": "b"},
            "clientid",
        ),
        (
            {
                "PROVIDERS": "work",
                "PROVIDER_WORK_CLIENT_ID": "a",
                "PROVIDER_WORK_LABEL": "Example\nBcc: b@example.com",
            },
            "characters on one line",
        ),
        ({"REDIRECT_ALLOWLIST": "app.example.com"}, "must be addresses"),
        ({"REDIRECT_ALLOWLIST": "http://app.example.com/x"}, "must be addresses"),
        ({"REDIRECT_ALLOWLIST": "https://a@example.com/x"}, "must be addresses"),
        ({"REDIRECT_ALLOWLIST": "javascript:alert(1)"}, "must be addresses"),
        ({"REDIRECT_ALLOWLIST": "https://example.com/#x"}, "must be addresses"),
    ],
)
def test_what_is_wrong_with_a_provider_is_said(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match=message):
        settings_for("sqlite:///x.db", data_key="a data key of at least 32 characters")
