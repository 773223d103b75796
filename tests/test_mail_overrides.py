"""MAIL_TEMPLATES_DIR: templates of an operator, which replace ours file by file."""

import logging
from pathlib import Path

import pytest

from domain.mail import Template
from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.mails import html, rendered, renderer, text

SUBJECT = '{% extends "layout.txt" %}{% block subject %}Hello{% endblock %}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mails" / "en").mkdir(parents=True)
    return tmp_path / "mails"


def start(command: str, folder: Path) -> Run:
    return run(
        [command],
        folder.parent,
        SECRET_KEY=SECRET_KEY,
        MAIL_TEMPLATES_DIR=str(folder),
        DATABASE_URL=f"sqlite:///{folder.parent / 'gatehouse.db'}",
    )


def test_a_file_replaces_ours_and_the_others_stay(folder: Path) -> None:
    (folder / "en" / "verify_email.txt").write_text(
        f"{SUBJECT}{{% block body %}}Your code is {{{{ code }}}}.{{% endblock %}}"
    )
    message = rendered(by=renderer(folder=folder))

    assert message["Subject"] == "Hello"
    assert text(message).startswith("Your code is 482913.\n")
    assert "Replies are not read" in text(message)
    assert "Confirm email" in html(message)
    assert rendered("new_sign_in", by=renderer(folder=folder))["Subject"] == (
        "New sign-in to your account"
    )


def test_a_layout_is_replaced_for_all_mails(folder: Path) -> None:
    (folder / "layout.html").write_text(
        '{% include "imprint.html" %}{% block body %}{% endblock %}'
    )
    (folder / "imprint.html").write_text("<i>Example & Sons</i>")

    for template in Template:
        for language in ("en", "de"):
            document = html(rendered(template, by=renderer(folder=folder), language=language))
            assert document.startswith("<i>Example & Sons</i>")


def test_html_of_an_operator_escapes_values_too(folder: Path) -> None:
    (folder / "en" / "new_sign_in.html").write_text("{{ ip }}")
    message = rendered("new_sign_in", {"ip": "<script>"}, by=renderer(folder=folder))

    assert html(message) == "&lt;script&gt;\n"


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "en/verify_email.html",
            "<p>\n{{ code }\n</p>",
            "en/verify_email.html, line 2: unexpected '}'",
        ),
        (
            "en/verify_email.html",
            "<p>\n\n{{ usernme }}",
            "en/verify_email.html, line 3: 'usernme' is undefined",
        ),
        (
            "layout.html",
            '\n{% include "nowhere.html" %}',
            "layout.html, line 2: 'nowhere.html' not found in search paths",
        ),
        (
            "en/reset_password.html",
            "\n{{ 1 / 0 }}",
            "en/reset_password.html, line 2: division by zero",
        ),
        ("en/reset_password.txt", "Hello", "en/reset_password.txt has no block `subject`"),
        (
            "en/reset_password.txt",
            "{% block subject %}Two\nlines{% endblock %}",
            "en/reset_password.txt: the subject must have one line",
        ),
        ("en/verfy_email.html", "<p>", "en/verfy_email.html is not the name of a template"),
    ],
)
def test_a_broken_file_ends_the_start_in_a_line(
    folder: Path, command: str, file: str, content: str, message: str
) -> None:
    (folder / file).write_text(content)

    ended = start(command, folder)

    assert ended.status == 1
    (line,) = ended.lines
    assert line.startswith(f"gatehouse: MAIL_TEMPLATES_DIR: {message}")


def test_a_file_that_is_not_utf_8_ends_the_start_in_a_line(folder: Path) -> None:
    (folder / "en" / "verify_email.html").write_bytes(b"\xff")

    (line,) = start("check", folder).lines

    assert line.startswith("gatehouse: MAIL_TEMPLATES_DIR: en/verify_email: 'utf-8' codec")


def test_a_folder_that_is_missing_ends_the_start_in_a_line(folder: Path) -> None:
    missing = folder / "missing"

    assert start("check", missing).lines == [
        f"gatehouse: MAIL_TEMPLATES_DIR: {missing} is not a folder"
    ]


def test_a_mail_has_our_text_if_a_file_breaks_while_serving(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    by = renderer(folder=folder)
    file = folder / "en" / "verify_email.html"
    file.write_text("<p>{{ code }}")
    assert html(rendered(by=by)) == "<p>482913\n"

    file.unlink()
    file.write_text("<p>{{ code }} {{ missing }}")
    with caplog.at_level(logging.ERROR, "gatehouse"):
        message = rendered(by=by)

    assert html(message) == html(rendered())
    assert text(message) == text(rendered())
    assert [record.getMessage() for record in caplog.records] == [
        "MAIL_TEMPLATES_DIR: en/verify_email.html, line 1: 'missing' is undefined."
        " The mail has our text."
    ]
