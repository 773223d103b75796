"""`gatehouse migrate --to`."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from db import migrations
from tests import databases
from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.databases import make_newer

Migrate = Callable[..., Run]


@pytest.fixture
def migrate(empty_database_url: str, tmp_path: Path) -> Migrate:
    """Run the command on a database without tables."""

    def migrate(*arguments: str, answer: str = "") -> Run:
        with patch("sys.stdin", StringIO(answer)):
            return run(
                ["migrate", *arguments],
                tmp_path,
                SECRET_KEY=SECRET_KEY,
                DATABASE_URL=empty_database_url,
            )

    return migrate


def test_it_goes_up_to_a_revision_and_from_there(migrate: Migrate) -> None:
    first, again, last = migrate("--to", "0009"), migrate("--to", "0009"), migrate()

    assert first.stdout == again.stdout == "Gatehouse: the database has the schema 0009.\n"
    assert last.stdout == "Gatehouse: the database is up to date.\n"


def test_it_goes_down_to_every_revision_and_up_again(migrate: Migrate) -> None:
    migrate()
    for revision in reversed(migrations.REVISIONS[:-1]):
        down = migrate("--to", revision, "--yes")

        assert down.stdout == f"Gatehouse: the database has the schema {revision}.\n"
    assert migrate().stdout == "Gatehouse: the database is up to date.\n"


@pytest.mark.parametrize(
    ("answer", "status", "schema"), [("", 130, "0011"), ("n\n", 1, "0011"), ("y\n", 0, "0009")]
)
def test_it_drops_data_only_when_it_is_told(
    migrate: Migrate, empty_database_url: str, answer: str, status: int, schema: str
) -> None:
    migrate("--to", "0011")
    down = migrate("--to", "0009", answer=answer)

    assert down.status == status
    assert "This drops what the migrations 0010, 0011 have added, with its data." in down.stderr
    assert databases.read(
        empty_database_url, f"SELECT version_num FROM {migrations.VERSION_TABLE}"
    ) == [schema]


@pytest.mark.parametrize("revision", ["0000", "0999", "head", "0010; DROP TABLE users", ""])
def test_an_unknown_revision_is_a_line(migrate: Migrate, revision: str) -> None:
    ended = migrate("--to", revision, "--yes")

    assert ended.status == 2
    assert len(ended.lines) == 1
    assert "Invalid value for '--to'" in ended.stderr
    assert migrations.HEAD in ended.stderr


def test_a_newer_database_is_left_to_its_release(migrate: Migrate, empty_database_url: str) -> None:
    migrate()
    make_newer(empty_database_url, oldest_compatible=migrations.HEAD)
    down = migrate("--to", "0010", "--yes")

    assert down.status == 1
    assert len(down.lines) == 1
    assert "newer than this program" in down.stderr
