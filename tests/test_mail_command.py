"""`gatehouse mail`."""

from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from domain.mail import Template
from tests.commands import Run, run
from tests.conftest import SECRET_KEY


def preview(folder: Path, *options: str, **settings: str) -> Run:
    return run(["mail", "preview", *options], folder, SECRET_KEY=SECRET_KEY, **settings)


def test_preview_prints_every_mail_in_every_language(tmp_path: Path) -> None:
    printed = preview(tmp_path)

    assert printed.status == 0
    assert printed.stderr == ""
    for template in Template:
        assert f"\nen/{template}: " in f"\n{printed.stdout}"
        assert f"\nde/{template}: " in f"\n{printed.stdout}"
    assert "en/verify_email: Confirm your email address\n====" in printed.stdout


def test_preview_takes_a_language(tmp_path: Path) -> None:
    printed = preview(tmp_path, "--language", "de").stdout

    assert "de/verify_email: Bestätigen Sie Ihre E-Mail-Adresse\n" in printed
    assert "en/" not in printed


def test_preview_has_the_brand_and_the_address_of_the_application(tmp_path: Path) -> None:
    printed = preview(tmp_path, BRAND_NAME="Example", APP_URL="https://app.example.com/x/").stdout

    assert "Your Example sign-in code" in printed
    assert "https://app.example.com/x/reset-password#token=" in printed


def test_without_app_url_links_lead_to_the_account_pages(tmp_path: Path) -> None:
    printed = preview(tmp_path, PUBLIC_URL="https://accounts.example.com/auth").stdout

    assert "https://accounts.example.com/auth/account/reset-password#token=" in printed


def test_preview_writes_three_files_for_each_mail(tmp_path: Path) -> None:
    written = preview(tmp_path, "--out", "mails")

    assert written.lines == ["Gatehouse: wrote 20 mails to mails."]
    assert len(list((tmp_path / "mails").glob("*/*"))) == 60
    folder = tmp_path / "mails" / "de"
    message = message_from_bytes((folder / "verify_email.eml").read_bytes(), policy=SMTP)
    assert message["Subject"] == "Bestätigen Sie Ihre E-Mail-Adresse"
    assert "<html" in (folder / "verify_email.html").read_text()
    assert "482913" in (folder / "verify_email.txt").read_text()


def test_a_folder_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "en").write_text("a file")

    ended = preview(tmp_path, "--out", "mails")

    assert (ended.status, ended.lines) == (1, ["gatehouse: mails/en: File exists"])


def test_preview_names_the_file_and_the_line_of_a_broken_template(tmp_path: Path) -> None:
    (tmp_path / "mails" / "de").mkdir(parents=True)
    (tmp_path / "mails" / "de" / "verify_email.txt").write_text("\n{% block %}")

    ended = preview(tmp_path, MAIL_TEMPLATES_DIR="mails")

    assert ended.status == 1
    (line,) = ended.lines
    assert line.startswith("gatehouse: MAIL_TEMPLATES_DIR: de/verify_email.txt, line 2: ")
