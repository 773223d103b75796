"""Mails as they are rendered: headers, both parts, both languages, and what values may do."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser

import pytest

from domain.mail import Template
from domain.mail.brand import Brand
from domain.mail.languages import LANGUAGES
from domain.mail.preview import SAMPLES
from domain.mail.templates import OURS, TemplateError, without_links
from tests.mails import DATE, ID, html, rendered, renderer, text

TEN_KB = "x" * 10_000

WITH_CODE = {"verify_email", "change_email", "sign_in_code", "registration_code"}
NOTICES = {
    "email_changed",
    "password_changed",
    "new_sign_in",
    "totp_added",
    "totp_removed",
    "recovery_code_used",
    "recovery_codes_replaced",
    "identity_linked",
    "identity_unlinked",
    "passkey_added",
    "passkey_removed",
    "passkey_counter",
    "factors_removed",
}
WITH_TOKEN = {
    "verify_email",
    "change_email",
    "reset_password",
    "password_reset_required",
    *NOTICES,
}

every_mail = pytest.mark.parametrize("template", list(Template))
every_language = pytest.mark.parametrize("language", list(LANGUAGES))


class Tags(HTMLParser):
    """The tags of a document with their attributes."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@every_mail
@every_language
def test_every_mail_has_a_subject_a_text_and_html(template: Template, language: str) -> None:
    message = rendered(template, language=language)

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Content-Language"] == language
    for part in (text(message), html(message)):
        assert len(part) > 100
        assert not re.search(r"\{[{%#]|[#%}]\}|None|[Uu]ndefined|<Template", part)


@every_mail
def test_the_languages_differ(template: Template) -> None:
    english, german = rendered(template), rendered(template, language="de")

    assert english["Subject"] != german["Subject"]
    assert re.search(r"\b(your|this)\b", text(english), re.I)
    assert re.search(r"\b(Ihr|Sie)", text(german))


@every_language
def test_every_language_has_every_file(language: str) -> None:
    expected = {f"{name}.{part}" for name in (*Template, "footer") for part in ("txt", "html")}

    assert {file.name for file in (OURS / language).iterdir()} == expected


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de", "de"), ("DE_at", "de"), ("de-CH", "de"), ("fr", "en"), (None, "en")],
)
def test_an_unknown_language_is_english(tag: str | None, language: str) -> None:
    assert rendered(language=tag)["Content-Language"] == language


@every_mail
@every_language
def test_text_and_html_have_the_same_code_and_the_same_links(
    template: Template, language: str
) -> None:
    message = rendered(template, language=language)
    links = re.findall(r"https?://\S+", text(message))
    in_html = [attributes["href"] for tag, attributes in Tags(html(message)).found if tag == "a"]

    assert in_html == (links if template is not Template.ACCOUNT_MAIL_TEST else [])
    for part in (text(message), html(message)):
        assert ("482913" in part) == (template in WITH_CODE)
        assert ("#token=a-token" in part) == (template in WITH_TOKEN)


@every_mail
def test_a_secret_stands_in_the_fragment_alone(template: Template) -> None:
    for link in re.findall(r"https?://\S+", text(rendered(template))):
        before_fragment = link.partition("#")[0]
        assert "a-token" not in before_fragment
        assert "482913" not in before_fragment
        assert "?" not in before_fragment


@every_mail
def test_html_loads_nothing_and_runs_nothing(template: Template) -> None:
    document = html(rendered(template))

    tags = {tag for tag, _ in Tags(document).found}
    assert not tags & {"img", "script", "link", "iframe", "form", "video", "svg", "base"}
    assert "url(" not in document
    assert "@import" not in document
    loads = {"src", "srcset", "background", "data", "poster"}
    assert not any(loads & set(attributes) for _, attributes in Tags(document).found)


@every_mail
@every_language
def test_a_mail_that_was_not_asked_for_says_what_to_do(template: Template, language: str) -> None:
    said = {"en": r"If it was not you|If you did not ask", "de": r"Wenn Sie das nicht"}

    for part in (text, html):
        found = re.search(said[language], part(rendered(template, language=language)))
        assert bool(found) == (template is not Template.ACCOUNT_MAIL_TEST)


@every_mail
@every_language
def test_a_username_is_in_no_mail(template: Template, language: str) -> None:
    """`visit.evil.com` is a valid username, and mail programs make a link of it."""
    message = rendered(template, {"username": "visit.evil.com"}, language=language)

    assert "evil" not in message.as_string()


def test_the_device_of_a_sign_in_becomes_no_link() -> None:
    """Clients choose it: anyone who has an account chooses what its mails say."""
    message = rendered("new_sign_in", {"device": "visit.evil.com/1 for https://evil.com"})

    assert "evil" not in message.as_string()
    assert "Device: visit\n" in text(message)


@pytest.mark.parametrize("template", ["passkey_added", "passkey_removed", "passkey_counter"])
@every_language
def test_the_name_of_a_passkey_is_shown_and_becomes_no_link(template: str, language: str) -> None:
    named = rendered(template, language=language)
    linked = rendered(template, {"passkey": "Key at visit.evil.com"}, language=language)

    for part in (text, html):
        assert "Work laptop" in part(named)
        assert "Key at visit" in part(linked)
        assert "evil" not in part(linked)


@every_language
def test_the_notice_of_a_recovery_code_says_how_many_are_left(language: str) -> None:
    message = rendered("recovery_code_used", {"codes_left": 0}, language=language)

    assert re.search(r"^[\w ]*Codes[\w ]*: 0$", text(message), re.M)
    assert ">0</td>" in html(message)


@pytest.mark.parametrize(
    ("device", "shown"),
    [("Chrome on Linux", "Chrome on Linux"), ("curl/8.5.0", "curl"), ("a@b.c", "a"), (".", "")],
)
def test_a_device_is_shown_up_to_what_could_be_a_link(device: str, shown: str) -> None:
    assert without_links(device) == shown


def test_an_unknown_device_is_called_so() -> None:
    assert "Device: unknown\nIP address: unknown\n" in text(
        rendered("new_sign_in", {"device": None, "ip": None})
    )


def test_the_headers_are_those_of_an_automatic_message() -> None:
    message = rendered(by=renderer(sender="accounts@example.com"))

    assert message["Message-ID"] == "<01938f2b-6c1e-7a3d-9a51-0f0f0f0f0f0f@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Wed, 25 Nov 2026 14:05:00 +0000"
    assert message["From"] == "Gatehouse <accounts@example.com>"
    assert message["To"] == "ada@example.com"
    assert not [name for name in message if name.lower().startswith("list-")]


def test_a_name_in_mail_from_wins_over_the_brand() -> None:
    by = renderer(sender="Müller & Co <mail@example.com>", brand=Brand("Example"))

    assert rendered(by=by)["From"] == "Müller & Co <mail@example.com>"
    assert "=?utf-8?" in str(bytes(rendered(by=by)))


def test_an_international_domain_is_written_in_ascii() -> None:
    assert rendered(to="ada@bücher.example")["To"] == "ada@xn--bcher-kva.example"


@every_mail
@every_language
def test_a_message_is_ascii_in_short_lines(template: Template, language: str) -> None:
    """RFC 5322 section 2.1.1, for every mail server there is."""
    by = renderer(brand=Brand("Grüße & Söhne " * 3))
    sent = bytes(rendered(template, by=by, language=language, token="t" * 64))

    assert sent.isascii()
    assert max(map(len, sent.split(b"\r\n"))) <= 78
    assert b"\n" not in sent.replace(b"\r\n", b"")
    received = message_from_bytes(sent, policy=SMTP)
    assert received["Subject"] == rendered(template, by=by, language=language)["Subject"]


@pytest.mark.parametrize(
    "address", ["a@example.com\r\nBcc: b@example.com", "a@x> SIZE=1", "a\0@b.c"]
)
def test_a_recipient_that_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rendered(to=address)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\N{LINE SEPARATOR}"])
def test_a_line_break_in_a_subject_is_refused(line_break: str) -> None:
    by = renderer(brand=Brand(f"Example{line_break}Bcc: b@example.com"))

    with pytest.raises(ValueError, match="line"):
        rendered("sign_in_code", by=by)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_a_line_break_in_the_sender_is_refused(line_break: str) -> None:
    by = renderer(sender=f"accounts@example.com{line_break}Bcc: b@example.com")

    with pytest.raises(ValueError, match="linefeed or carriage return"):
        rendered(by=by)


@every_language
def test_values_are_escaped_in_html_and_in_html_alone(language: str) -> None:
    by = renderer(brand=Brand("<b>R&D</b>"))
    message = rendered("new_sign_in", {"ip": '"><script>'}, by=by, language=language)

    assert "<b>" not in html(message)
    assert "<script>" not in html(message)
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in html(message)
    assert "<b>R&D</b>" in text(message)


@every_mail
def test_values_of_10_kb_are_sent_in_short_lines(template: Template) -> None:
    long = {
        name: TEN_KB if isinstance(value, str) and name != "at" else value
        for name, value in SAMPLES[template].items()
    }
    message = rendered(template, long, token=TEN_KB, code=TEN_KB)

    assert max(map(len, bytes(message).split(b"\r\n"))) <= 78
    received = message_from_bytes(bytes(message), policy=SMTP)
    assert isinstance(received, EmailMessage)
    assert text(received) == text(message).replace("\n", "\r\n")


@pytest.mark.parametrize("value", ["\0", "\r\nBcc: b@example.com", "\x1b"])
def test_control_characters_in_a_value_stay_in_the_body(value: str) -> None:
    message = message_from_bytes(
        bytes(rendered("new_sign_in", {"ip": f"192.0.2.1{value}"})), policy=SMTP
    )

    assert message["Bcc"] is None


@pytest.mark.parametrize("template", sorted(WITH_TOKEN))
def test_a_mail_without_its_token_is_not_sent(template: str) -> None:
    with pytest.raises(TemplateError, match="token"):
        rendered(template, token=None)


@pytest.mark.parametrize("name", [name for name in Template if SAMPLES[name]])
def test_a_missing_value_is_an_error_with_the_file_and_the_line(name: Template) -> None:
    payload = {"template": name, "to": "ada@example.com", "language": "en", "values": {}}

    with pytest.raises(TemplateError, match=rf"en/{name}\.txt, line \d+: '\w+' is undefined"):
        renderer().templates.render(name, "en", renderer().values(payload, token="t", code="c"))


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        renderer().render(
            {"template": "nonsense", "to": "ada@example.com"},
            id=ID,
            date=DATE,
        )


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (60, "1 minute", "1 Minute"),
        (600, "10 minutes", "10 Minuten"),
        (3600, "1 hour", "1 Stunde"),
        (5400, "90 minutes", "90 Minuten"),
        (86400, "1 day", "1 Tag"),
        (604800, "7 days", "7 Tage"),
        (30, "1 minute", "1 Minute"),
        (0, "1 minute", "1 Minute"),
    ],
)
def test_a_duration_has_the_longest_unit_that_divides_it(
    seconds: int, english: str, german: str
) -> None:
    assert LANGUAGES["en"].duration(seconds) == english
    assert LANGUAGES["de"].duration(seconds) == german


def test_a_moment_is_written_in_utc() -> None:
    moment = "2027-03-02T00:30:00+02:00"

    assert LANGUAGES["en"].moment(moment) == "1 March 2027, 22:30 UTC"
    assert LANGUAGES["de"].moment(moment) == "1. März 2027, 22:30 Uhr UTC"


@pytest.mark.parametrize(
    "color", ["#6a3de8", "#ffff00", "#ffffff", "#000000", "#0a7d4f", "#ff0000"]
)
def test_every_brand_colour_can_be_read(color: str) -> None:
    """WCAG 2.2, 1.4.3."""
    brand = Brand(color=color)

    assert contrast(brand.accent, "#ffffff") >= 4.5
    assert contrast(brand.dark_accent, "#181b21") >= 4.5
    assert brand.accent in html(rendered(by=renderer(brand=brand)))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
