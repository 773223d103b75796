"""Other releases of Gatehouse: folders that a process imports the packages from, with the installed
dependencies of this one."""

import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory

from db import migrations
from db.migrations.version import SCRIPTS
from tests.conftest import SECRET_KEY
from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS, Server, environment, running_server

PACKAGES = ("cli", "server", "api", "graphql_schema", "domain", "db", "settings")

# Newer than all revisions that this code knows.
NEXT_REVISION = "9999"

# What a migration should do: it adds things that the code before ignores.
EXPANDS = """
    op.create_table("next_releases", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("sessions", sa.Column("next_release", sa.String(20), server_default="new"))
    op.create_index("ix_sessions_next_release", "sessions", ["next_release"])
    op.add_column("users", sa.Column("next_release", sa.String(20)))
"""
FAILS = f"""{EXPANDS}
    raise RuntimeError("This migration fails.")
"""
_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{down_revision}"
oldest_compatible = "{oldest_compatible}"


def upgrade() -> None:{steps}


def downgrade() -> None:
    raise NotImplementedError
"""


@dataclass(frozen=True)
class Release:
    folder: Path

    def command(self, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-P", "-c", "from cli.main import main; main()", *arguments)

    def run(self, database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of it on a database."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=environment(
                DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY, PYTHONPATH=str(self.folder)
            ),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )

    def serving(
        self, database_url: str, folder: Path, **settings: str
    ) -> AbstractContextManager[Server]:
        """Serve a database."""
        return running_server(
            database_url,
            SECRET_KEY,
            folder,
            self.command("serve"),
            PYTHONPATH=str(self.folder),
            **settings,
        )

    @property
    def knows_compatibility(self) -> bool:
        """Return whether it stays ready on a newer schema that permits it."""
        return (self.folder / "db" / "migrations" / "version.py").exists()

    def become_next(self, oldest_compatible: str, steps: str = EXPANDS) -> None:
        """Add a migration, as installing the next release in its place would."""
        migration = _MIGRATION.format(
            revision=NEXT_REVISION,
            down_revision=migrations.HEAD,
            oldest_compatible=oldest_compatible,
            steps=steps,
        )
        versions = self.folder / "db" / "migrations" / "versions"
        (versions / f"{NEXT_REVISION}_next_release.py").write_text(migration)


def this_release(folder: Path) -> Release:
    """Copy today's code, without the pages."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("explorer", "account")
        )
    return Release(folder)


def next_release(folder: Path, *, oldest_compatible: str, steps: str = EXPANDS) -> Release:
    """Copy today's code, and add a migration to it."""
    release = this_release(folder)
    release.become_next(oldest_compatible, steps)
    return release


def release_before(folder: Path) -> Release:
    """Extract the newest tagged release or, as long as there is none, the last commit of the oldest
    code that can serve on today's schema."""
    archive = folder.with_suffix(".tar")
    commit = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*") or _last_commit_of(
        oldest_compatible(migrations.HEAD)
    )
    _git("archive", f"--output={archive}", commit, *PACKAGES)
    shutil.unpack_archive(archive, folder)
    return Release(folder)


def has_history() -> bool:
    """Return whether this is a clone with all commits, and not a part of them or an archive."""
    return _git("rev-parse", "--is-shallow-repository", "--show-prefix") == "false"


def oldest_compatible(revision: str) -> str:
    """Return the oldest revision whose code can serve on the schema of this one."""
    script = ScriptDirectory(str(SCRIPTS)).get_revision(revision)
    stated: str = script.module.oldest_compatible
    return stated


def _last_commit_of(revision: str) -> str:
    """Return the commit before the one that added the next migration, or the newest one."""
    newer = [each for each in migrations.REVISIONS if each > revision]
    added = newer and _git(
        "log", "-1", "--diff-filter=A", "--format=%H", "--", f"db/migrations/versions/{newer[0]}_*"
    )
    return f"{added}^" if added else "HEAD"


def _git(*arguments: str) -> str:
    """Return what git prints, which is nothing if it fails."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip()
