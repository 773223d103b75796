"""`gatehouse users import`: bring the users of another system along."""

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any

import click

from cli.usage import examples
from cli.users.firebase import read_firebase
from cli.users.import_report import ImportReport, import_report
from cli.users.opening import OPERATOR_DEVICE, services_of
from cli.users.user_file import InvalidHeader, UserFile
from domain import accounts
from domain.accounts import ForeignUser, NotImported
from domain.passwords.formats import FirebaseConfig
from settings import Settings, load_settings

# One transaction each, so that servers that write to the same SQLite file do not wait for long.
BATCH_SIZE = 500

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

Batch = list[ForeignUser | NotImported]


@click.command(
    name="import",
    epilog=examples(
        "gatehouse users import users.csv",
        "gatehouse users import users.jsonl --report refused.jsonl",
        "gatehouse users import users.jsonl --firebase parameters.txt",
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--format",
    type=click.Choice(["csv", "jsonl"]),
    help="The format of FILE, unless its name ends in .csv or .jsonl.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write each line that is not imported, with the reason, as a line of JSON.",
)
@click.option(
    "--firebase",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The password hash parameters of a Firebase project, as its console shows them.",
)
@click.option("--dry-run", is_flag=True, help="Check each line, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_users(
    file: Path,
    format: str | None,
    report: Path | None,
    firebase: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Create accounts for the users of another system.

    FILE is CSV, with the names of its columns on the first line, or a JSON object on each line. The
    fields are username, email, email_verified, password_hash, password_salt, created_at, image_file
    and locale, of which the first two are required.

    Hashes of bcrypt, scrypt, PBKDF2, Argon2 and Firebase are kept until their owners sign in, and
    then replaced. Sends no mail.

    Accounts that exist already stay as they are, so an import that was interrupted is continued by
    the same command.
    """
    settings = load_settings()
    source_format = format or _FORMATS.get(file.suffix.lower())
    if source_format is None:
        raise click.UsageError("Name the format of FILE with --format", click.get_current_context())
    parameters = _firebase(firebase)
    with file.open("rb") as source:
        _require_another(report, file)
        with import_report(report) as found, _progress_bar(file) as bar:
            batches = _batches(UserFile(source, source_format), bar)
            try:
                asyncio.run(_import(settings, batches, found, parameters, dry_run))
            except InvalidHeader as error:
                raise SystemExit(f"gatehouse: {file}: {error}") from None
            except KeyboardInterrupt:
                print(f"\ngatehouse: interrupted: {_said(found, dry_run)}", file=sys.stderr)
                print("gatehouse: run the same command again to continue", file=sys.stderr)
                raise click.Abort from None
    print(json.dumps(found.counts) if as_json else f"Gatehouse: {_said(found, dry_run)}")
    if found.refused:
        raise SystemExit(_why(found, report))


def _require_another(report: Path | None, file: Path) -> None:
    """Raise UsageError if the report would replace the file that is read."""
    if report is not None and report.exists() and report.samefile(file):
        raise click.UsageError("--report must be another file", click.get_current_context())


def _firebase(path: Path | None) -> FirebaseConfig | None:
    if path is None:
        return None
    try:
        return read_firebase(path)
    except ValueError:
        raise SystemExit(
            f"gatehouse: {path} does not have the base64_signer_key, the base64_salt_separator, the"
            " rounds and the mem_cost of a Firebase project"
        ) from None


def _progress_bar(file: Path) -> AbstractContextManager[Any]:
    """Return the bar of the bytes that are read, which is shown on a terminal."""
    return click.progressbar(
        length=file.stat().st_size,
        label="Importing",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    )


def _batches(file: UserFile, bar: Any) -> Iterator[Batch]:
    lines = iter(file)
    while batch := list(islice(lines, BATCH_SIZE)):
        yield batch
        bar.update(file.position - bar.pos)


async def _import(
    settings: Settings,
    batches: Iterable[Batch],
    report: ImportReport,
    firebase: FirebaseConfig | None,
    is_trial: bool,
) -> None:
    async def import_batch(batch: Batch) -> None:
        unreadable = [line for line in batch if isinstance(line, NotImported)]
        outcome = await accounts.import_users(
            services,
            OPERATOR_DEVICE,
            [line for line in batch if isinstance(line, ForeignUser)],
            firebase=firebase,
            is_trial=is_trial,
        )
        report.add(outcome, unreadable)

    async with services_of(settings) as services:
        for batch in batches:
            # An interrupt takes effect here.
            await asyncio.sleep(0)
            await _to_its_end(import_batch(batch))


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Run work, and end it before an interrupt takes effect: what it commits is counted."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _said(report: ImportReport, dry_run: bool) -> str:
    return (
        f"{'would import' if dry_run else 'imported'} {report.imported:,} users."
        f" {report.existing:,} have an account already, and {report.refused:,} were refused."
    )


def _why(report: ImportReport, path: Path | None) -> str:
    if path:
        return f"gatehouse: {path} has the reasons for the lines that were refused"
    lines = [f"gatehouse: {line}" for line in report.shown]
    if report.problems > len(lines):
        lines.append("gatehouse: for all reasons, name a file with --report")
    return "\n".join(lines)
