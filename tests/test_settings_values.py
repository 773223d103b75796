"""Values of settings as shells, editors, browsers and Kubernetes write them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import Settings, load_settings
from tests.conftest import SECRET_KEY, settings_for

BARE = "sqlite:///./gatehouse.db"


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read ``.env`` in a new folder, as the command does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    return tmp_path / ".env"


@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "\t", "\u00a0"])
def test_white_space_around_a_value_is_not_part_of_it(
    monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    for name, value in {
        "DATABASE_URL": BARE,
        "SECRET_KEY": SECRET_KEY,
        "PORT": "9000",
        "GRAPHIQL": "false",
        "SIGNING_KEYS_DIR": "/keys",
        "INTROSPECTION_CLIENT_ID": "",
    }.items():
        monkeypatch.setenv(name, f"{blank}{value}{blank}")

    settings = load_settings()

    assert settings.database_url.get_secret_value() == BARE
    assert settings.secret_key.get_secret_value() == SECRET_KEY
    assert (settings.port, settings.graphiql) == (9000, False)
    assert settings.signing_keys_dir == Path("/keys")
    # Blanks alone are an empty value, which means the default.
    assert settings.introspection_client_id is None


def test_the_file_is_cleaned_too(env_file: Path) -> None:
    env_file.write_bytes(b'\xef\xbb\xbfPORT="9000 "\r\nHOST=\' ::1\'\r\nLOG_FORMAT=" "\r\n')

    settings = load_settings()

    assert (settings.port, settings.host, settings.log_format) == (9000, "::1", None)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("ENVIRONMENT", "Production", "production"),
        ("LOG_LEVEL", "warning", "WARNING"),
        ("LOG_FORMAT", "JSON", "json"),
        ("ALGORITHM", "hs512", "HS512"),
        ("GRAPHIQL", "TRUE", True),
        ("INTROSPECTION", "No", False),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "1_440", 1440),
        ("HOST", "[::1]", "::1"),
        ("TRUSTED_PROXIES", "fe80::1%eth0 ,10.0.0.0/8", ("fe80::1%eth0", "10.0.0.0/8")),
        ("ACCOUNT_PAGES", "off", False),
        ("BRAND_COLOR", "#ABC", "#aabbcc"),
        ("BRAND_COLOR", " #0A7d4F ", "#0a7d4f"),
        ("BRAND_NAME", " Ada & Söhne ", "Ada & Söhne"),
        ("CORS_HEADERS", "baggage , X-My-Header", ("baggage", "X-My-Header")),
    ],
)
def test_a_value_may_be_written_as_people_write_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: object
) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY * 2)  # as long as HS512 needs
    monkeypatch.setenv(name, value)

    assert getattr(load_settings(), name.lower()) == read


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://App.Example.com", "https://app.example.com"),
        ("HTTPS://app.example.com:443", "https://app.example.com"),
        ("http://localhost:80/", "http://localhost"),
        ("http://localhost:5173/", "http://localhost:5173"),
        ("https://app.example.com:80", "https://app.example.com:80"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:08080", "http://[::1]:8080"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_an_origin_is_what_a_browser_sends(written: str, sent: str) -> None:
    assert settings_for(BARE, cors_origins=f"{written}, *").cors_origins == (sent, "*")


@pytest.mark.parametrize(
    "text",
    [
        "app.example.com",
        "null",
        "https://app.example.com/path",
        "https://app.example.com//",
        "https://app.example.com?",
        "https://user@app.example.com",
        "https://app.example.com:",
        "https://app.example.com:65536",
        "https://app.example.com:0",
        "https://",
        "https://[::1",
        "https://[1.2.3.4]",
        "https://a b",
        "https://*.example.com",
        "wss://app.example.com",
        "file:///",
    ],
)
def test_what_a_browser_never_sends_is_not_an_origin(text: str) -> None:
    with pytest.raises(ValueError, match="must be origins"):
        settings_for(BARE, cors_origins=text)


def test_the_public_url_is_normalized_like_an_origin() -> None:
    settings = settings_for(BARE, public_url="HTTPS://Accounts.Example.com:443/")

    assert settings.issuer == "https://accounts.example.com"


def test_the_public_url_is_a_web_address() -> None:
    with pytest.raises(ValueError, match="must be an address"):
        settings_for(BARE, public_url="capacitor://localhost")


def test_the_prefix_wins_wherever_it_is_set(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(
        "GATEHOUSE_HOST=127.0.0.2\nGATEHOUSE_WORKERS=2\nPORT=9001\nLOG_LEVEL=ERROR\n"
    )
    monkeypatch.setenv("HOST", "build-machine")  # as zsh sets it
    monkeypatch.setenv("METRICS_PORT", "tcp://10.0.0.1:9102")
    monkeypatch.setenv("GATEHOUSE_METRICS_PORT", "9000")
    monkeypatch.setenv("GATEHOUSE_WORKERS", "3")
    monkeypatch.setenv("PORT", "9002")

    settings = load_settings()

    assert (settings.host, settings.metrics_port) == ("127.0.0.2", 9000)
    # Of two names alike, the environment wins over the file.
    assert (settings.workers, settings.port, settings.log_level) == (3, 9002, "ERROR")


@pytest.mark.parametrize("protocol", ["tcp", "udp", "sctp"])
def test_a_service_link_of_kubernetes_is_no_port(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    env_file.write_text("METRICS_PORT=9000\n")
    monkeypatch.setenv("METRICS_PORT", f"{protocol}://10.0.0.1:9102")
    monkeypatch.setenv("METRICS_SERVICE_HOST", "10.0.0.1")

    assert load_settings().metrics_port == 9000


@pytest.mark.parametrize("name", ["GATEHOUSE_PORT", "GATEHOUSE_METRICS_PORT"])
def test_a_service_may_be_called_gatehouse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("METRICS_PORT", "9002")
    monkeypatch.setenv(name, "tcp://10.0.0.1:8000")

    settings = load_settings()

    assert (settings.port, settings.metrics_port) == (9001, 9002)


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "tcp://10.0.0.1:8000"), ("GATEHOUSE_METRICS_PORT", "http://a:1")]
)
def test_what_kubernetes_does_not_set_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit, match="PORT must be a valid integer"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("brand_color", text) for text in ("red", "#ab", "#abcd", "#abcdef00", "#ggg", "#fff;")),
        *(("brand_name", text) for text in ("", "  ", "a" * 51, "two\nlines", "\u202ereversed")),
    ],
)
def test_a_brand_that_cannot_be_shown_is_not_valid(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        settings_for(BARE, **{name: value})
