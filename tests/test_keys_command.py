"""`gatehouse keys`, and the errors of a server for keys that it cannot use."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.signing_keys.files import read_keys, write_key
from api.signing_keys.watcher import KeyReloader
from domain.access_tokens.keys import Key
from tests.commands import Run, run
from tests.conftest import SECRET_KEY, client_of, settings_for, unprepared_app
from tests.servers import running_server

HOUR = 3600


def gatehouse(folder: Path, *arguments: str, **settings: str) -> Run:
    return run(arguments, folder, **{"ALGORITHM": "ES256", **settings})


def keys(folder: Path, *arguments: str, **settings: str) -> str:
    """Return the output of `gatehouse keys`, whether it succeeds or fails."""
    ended = gatehouse(folder, "keys", *arguments, **settings)
    return ended.stdout + ended.stderr


def made(folder: Path, *, made_at: int = 1_700_000_000, algorithm: str = "ES256") -> Key:
    key = Key.generate(algorithm, made_at=made_at, signs_from=made_at)
    write_key(folder / "keys", key)
    return key


def change(folder: Path, key: Key, **members: Any) -> None:
    file = folder / "keys" / f"{key.kid}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | members))


def test_the_life_of_a_key(tmp_path: Path) -> None:
    one = keys(tmp_path, "new").split()[1]
    two = keys(tmp_path, "new").split()[1]
    listed = keys(tmp_path, "list")
    refused = keys(tmp_path, "retire", one)
    leaked = keys(tmp_path, "retire", one, "--compromised")
    again = keys(tmp_path, "list")

    assert f"{one}  ES256  made 2" in listed
    assert listed.splitlines()[0].endswith("UTC  signs")
    assert "will sign from 2" in listed.splitlines()[1]
    assert "No other key may sign yet" in refused
    assert leaked == f"Gatehouse: {one} has ended.\n"
    assert [line.split("  ")[::3] for line in again.splitlines()] == [
        [one, "has ended"],
        [two, "signs"],
    ]


def test_a_retired_key_has_no_private_key_any_more(tmp_path: Path) -> None:
    old, _ = made(tmp_path), made(tmp_path, made_at=1_750_000_000)
    said = keys(tmp_path, "retire", old.kid)

    assert f"{old.kid} verifies until 2" in said
    assert '"d"' not in (tmp_path / "keys" / f"{old.kid}.json").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_keys_are_their_owners_alone_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    kid = keys(tmp_path, "new").split()[1]
    [file] = (tmp_path / "keys").iterdir()

    assert file.name == f"{kid}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_who_shares_the_folder_may_read_that_a_key_is_retired(tmp_path: Path) -> None:
    old, _ = made(tmp_path), made(tmp_path)
    keys(tmp_path, "retire", old.kid, "--compromised")

    assert (tmp_path / "keys" / f"{old.kid}.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a file")
def test_what_root_writes_belongs_to_whom_the_folder_does(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    os.chown(tmp_path / "keys", 12345, 12345)
    keys(tmp_path, "new")
    [file] = (tmp_path / "keys").iterdir()

    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 12345)


def test_a_file_that_is_not_whole_is_not_there_yet(tmp_path: Path) -> None:
    key = made(tmp_path)
    (tmp_path / "keys" / ".partial").write_text('{"kty"')
    (tmp_path / "keys" / ".partial.json").write_text('{"kty"')
    files, problems = read_keys(tmp_path / "keys")

    assert [file.key.kid for file in files.values()] == [key.kid]
    assert problems == []


def test_a_key_whose_last_token_has_ended_is_removed_by_the_next(tmp_path: Path) -> None:
    old = made(tmp_path)
    made(tmp_path, made_at=1_750_000_000)
    write_key(tmp_path / "keys", old.retired(until=old.made_at + HOUR))
    keys(tmp_path, "new")

    assert len(list((tmp_path / "keys").iterdir())) == 2
    assert old.kid not in keys(tmp_path, "list")


def test_a_secret_needs_no_keys_and_says_how_to_change(tmp_path: Path) -> None:
    said = keys(tmp_path, "new", ALGORITHM="HS256", SECRET_KEY=SECRET_KEY)

    assert "ALGORITHM=ES256 gatehouse keys new" in said
    assert "There are no keys" in keys(tmp_path, "list", ALGORITHM="HS256", SECRET_KEY=SECRET_KEY)


@pytest.mark.parametrize("kid", ["../../x", "unknown", "", "x" * 5000])
def test_what_is_no_kid_is_refused_in_a_line(tmp_path: Path, kid: str) -> None:
    made(tmp_path)
    ended = gatehouse(tmp_path, "keys", "retire", kid)

    assert ended.status == 1
    assert (
        ended.stderr
        == "gatehouse: There is no key with this id. `gatehouse keys list` shows all keys.\n"
    )


def test_a_pipe_is_no_key_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    made(tmp_path)
    os.mkfifo(tmp_path / "keys" / "pipe.json")

    keys, problems = read_keys(tmp_path / "keys")

    assert len(keys) == 1
    assert "pipe.json cannot be used" in problems[0]


def test_a_damaged_file_keeps_nobody_from_retiring_another(tmp_path: Path) -> None:
    old, _, damaged = made(tmp_path), made(tmp_path, made_at=1_750_000_000), made(tmp_path)
    change(tmp_path, damaged, d="")
    said = keys(tmp_path, "retire", old.kid, "--compromised")

    assert f"{old.kid} has ended" in said
    assert f"{damaged.kid}.json cannot be used" in said


@pytest.mark.parametrize(
    ("members", "says"),
    [
        (None, "No key in keys can sign with ES256. Make one with `gatehouse keys new`"),
        ({"exp": 1}, "No key in keys can sign with ES256. Make one with `gatehouse keys new`"),
        ({"kid": "another"}, "its `kid` is not its thumbprint"),
        ({"crv": "P-384"}, "ES256 needs the curve P-256"),
        ({"alg": "HS256"}, "its `alg` must be ES256 or RS256"),
        ({"d": "hunter2"}, "its numbers do not form a key"),
        ({"nbf": "hunter2"}, "its `nbf` must be a time in seconds since 1970"),
    ],
)
def test_serve_refuses_keys_that_it_cannot_use_in_a_line(
    tmp_path: Path, members: dict[str, object] | None, says: str
) -> None:
    if members:
        change(tmp_path, made(tmp_path), **members)
    ended = gatehouse(tmp_path, "serve", DATABASE_URL=f"sqlite:///{tmp_path}/gatehouse.db")

    assert ended.status == 1
    [line] = ended.stderr.splitlines()[-1:]
    assert line.startswith("gatehouse: ")
    assert says in line
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


def test_a_file_of_another_name_is_refused(tmp_path: Path) -> None:
    key = made(tmp_path)
    os.replace(tmp_path / "keys" / f"{key.kid}.json", tmp_path / "keys" / "mine.json")

    with pytest.raises(ValueError, match="its file name is not its `kid`"):
        KeyReloader(tmp_path / "keys", "ES256")


@pytest.mark.parametrize("stray", ["keys/anything.json", "keys/notes.json/", "keys"])
async def test_what_is_no_key_does_not_stop_a_server_whose_secret_signs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stray: str
) -> None:
    file = tmp_path / stray
    file.parent.mkdir(exist_ok=True)
    file.mkdir() if stray.endswith("/") else file.write_text("not a key")
    settings = settings_for(f"sqlite:///{tmp_path}/g.db", signing_keys_dir=tmp_path / "keys")
    async with unprepared_app(settings) as app, client_of(app) as client:
        live = await client.get("/health/live")

    assert live.status_code == 200
    assert [message for message in caplog.messages if str(file) in message]
    with pytest.raises(SystemExit, match="gatehouse: The key"):
        create_app(settings.model_copy(update={"algorithm": "ES256"}))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_serve_warns_of_keys_that_anyone_may_read(tmp_path: Path) -> None:
    key = made(tmp_path)
    url = f"sqlite:///{tmp_path}/gatehouse.db"
    with running_server(url, "", tmp_path, ALGORITHM="ES256") as server:
        assert "may read the keys" not in server.logged()
    (tmp_path / "keys" / f"{key.kid}.json").chmod(0o644)
    with running_server(url, "", tmp_path, ALGORITHM="ES256") as server:
        assert "Other users of this machine can read the keys in keys" in server.logged()


def test_a_key_that_is_only_read_again_is_the_same(tmp_path: Path) -> None:
    key = made(tmp_path)
    reloader = KeyReloader(tmp_path / "keys", "ES256")
    known = reloader.ring.find(key.kid)
    made(tmp_path)
    reloader.reload()

    assert len(reloader.ring.all()) == 2
    assert reloader.ring.find(key.kid) is known


def test_a_key_that_has_leaked_ends_even_where_no_other_can_sign(tmp_path: Path) -> None:
    key = made(tmp_path)
    reloader = KeyReloader(tmp_path / "keys", "ES256")
    # With the settings of this command the key does not sign.
    keys(tmp_path, "retire", key.kid, "--compromised", ALGORITHM="HS256", SECRET_KEY=SECRET_KEY)
    reloader.reload()

    assert reloader.ring.published(time.time()) == []


def test_a_change_of_keys_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path)
    reloader = KeyReloader(tmp_path / "keys", "ES256")
    made(tmp_path)
    caplog.set_level("INFO")
    caplog.clear()
    reloader.reload()

    assert len(caplog.messages) == 1


def test_a_file_that_is_damaged_meanwhile_takes_no_key_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, _ = made(tmp_path), made(tmp_path, made_at=1_750_000_000)
    reloader = KeyReloader(tmp_path / "keys", "ES256")
    known = reloader.ring.all()
    change(tmp_path, old, d="hunter2")
    reloader.reload()
    reloader.reload()

    assert reloader.ring.all() == known
    [warning] = caplog.messages
    assert f"{old.kid}.json cannot be used" in warning
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    "settings",
    [
        {"SECRET_KEY_FALLBACKS": "too short,hunter2"},
        {"SECRET_KEY_FALLBACKS": f"{SECRET_KEY.replace(',', '')},hunter2"},
        {"SECRET_KEY_FALLBACKS": "-----BEGIN PUBLIC KEY-----hunter2" + "a" * 40},
        {"SECRET_KEY": "hunter2"},
    ],
)
def test_secrets_that_cannot_be_used_are_refused_in_a_line(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    made(tmp_path)
    ended = gatehouse(
        tmp_path, "serve", DATABASE_URL=f"sqlite:///{tmp_path}/gatehouse.db", **settings
    )

    assert ended.status == 1
    assert "SECRET_KEY" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
