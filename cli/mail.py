"""`gatehouse mail`: see how mails look."""

from pathlib import Path

import click

from api.mail import create_renderer
from cli.usage import examples
from domain.mail.languages import LANGUAGES
from domain.mail.preview import Preview, previews
from domain.mail.render import part_of
from settings import load_settings


@click.group(
    no_args_is_help=False,
    epilog=examples("gatehouse mail preview", "gatehouse mail preview --language de --out mails"),
)
def mail() -> None:
    """See how mails look."""


@mail.command(
    epilog=examples("gatehouse mail preview", "gatehouse mail preview --language de --out mails")
)
@click.option(
    "--language", type=click.Choice(sorted(LANGUAGES)), help="Only the mails in this language."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each mail as .html, .txt and .eml into this folder.",
)
def preview(language: str | None, out: Path | None) -> None:
    """Render every mail with sample values, and with the templates of MAIL_TEMPLATES_DIR.

    Prints the texts, or writes the mails into a folder. Sends nothing.
    """
    try:
        renderer = create_renderer(load_settings())
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None
    mails = list(previews(renderer, *([language] if language else [])))
    if out is None:
        print("\n\n".join(map(_as_text, mails)))
        return
    for mail in mails:
        _write(mail, out)
    print(f"Gatehouse: wrote {len(mails)} mails to {out}.")


def _as_text(mail: Preview) -> str:
    title = f"{mail.language}/{mail.template}: {mail.message['Subject']}"
    return f"{title}\n{'=' * len(title)}\n\n{part_of(mail.message, 'plain')}"


def _write(mail: Preview, out: Path) -> None:
    folder = out / mail.language
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in (
        ("html", part_of(mail.message, "html").encode()),
        ("txt", part_of(mail.message, "plain").encode()),
        ("eml", bytes(mail.message)),
    ):
        (folder / f"{mail.template}.{suffix}").write_bytes(content)
