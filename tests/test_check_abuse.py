"""`gatehouse check`: the services that keep abuse out, and who can create an account."""

import pytest

from cli.check.abuse import breached_passwords, captcha, registration
from cli.check.findings import Finding, Level
from settings import Settings
from tests.conftest import settings_for
from tests.fault_server import FaultServer, Response, json_response, serving_in_thread
from tests.servers import free_port

OK, WARNING, PROBLEM = Level
BREACHES, VERIFIER = "BREACHED_PASSWORDS_URL", "CAPTCHA_VERIFY_URL"
AWAY = f"http://127.0.0.1:{free_port()}"


def configured(**changes: object) -> Settings:
    return settings_for("sqlite:///unused.db", **{"account_pages": False, **changes})


def refusing(*codes: str) -> Response:
    return json_response({"success": False, "error-codes": codes})


def of_captcha(answer: Response, **changes: object) -> list[Finding]:
    server = FaultServer({"/verify": lambda _: answer})
    with serving_in_thread(server):
        settings = configured(
            captcha_verify_url=f"{server.url}/verify", captcha_secret="x", **changes
        )
        return list(captcha(settings))


def test_by_default_all_is_off() -> None:
    settings = configured()
    findings = [*breached_passwords(settings), *captcha(settings), *registration(settings)]

    assert {finding.level for finding in findings} == {OK}
    assert [finding.item for finding in findings][:3] == [BREACHES, VERIFIER, "REGISTRATION"]
    assert findings[2].message == "open"


def test_a_service_of_breaches_is_used() -> None:
    server = FaultServer({"/range/00000": lambda _: Response(200, b"A" * 35 + b":3")})
    with serving_in_thread(server):
        url = f"{server.url}/range"
        assert list(breached_passwords(configured(breached_passwords_url=url))) == [
            Finding(OK, BREACHES, url)
        ]


def test_a_service_of_breaches_that_cannot_be_used_is_a_problem() -> None:
    with serving_in_thread(FaultServer()) as server:
        [wrong] = breached_passwords(configured(breached_passwords_url=server.url))
    [away] = breached_passwords(configured(breached_passwords_url=AWAY))

    assert wrong.level is away.level is PROBLEM
    assert wrong.message.startswith("cannot be used: answered with status 404; ")
    assert away.message.startswith("cannot be used: cannot connect: ")


def test_a_service_of_captchas_refuses_what_it_has_not_issued() -> None:
    [finding] = of_captcha(refusing("invalid-input-response"))

    assert (finding.level, finding.item) == (OK, VERIFIER)


@pytest.mark.parametrize(
    ("answer", "item", "says"),
    [
        (json_response({"success": True}), VERIFIER, "accepts every token"),
        (refusing("invalid-input-secret"), "CAPTCHA_SECRET", "is not accepted"),
        (refusing("x", "sitekey-secret-mismatch"), "CAPTCHA_SECRET", "is not accepted"),
        (Response(404), VERIFIER, "cannot be used: answered with status 404"),
    ],
)
def test_a_captcha_that_stops_everyone_or_no_one_is_a_problem(
    answer: Response, item: str, says: str
) -> None:
    [finding] = of_captcha(answer)

    assert (finding.level, finding.item) == (PROBLEM, item)
    assert says in finding.message


def test_pages_without_a_captcha_are_a_warning() -> None:
    _, finding = of_captcha(refusing(), account_pages=True)

    assert (finding.level, finding.item) == (WARNING, "ACCOUNT_PAGES")


def test_a_domain_that_is_allowed_and_blocked_is_a_problem() -> None:
    both = "example.com, *.example.com"
    settings = configured(allowed_email_domains=both, blocked_email_domains="*.EXAMPLE.com")
    _, finding = registration(settings)

    assert finding == Finding(
        PROBLEM, "BLOCKED_EMAIL_DOMAINS", "has *.example.com, as ALLOWED_EMAIL_DOMAINS"
    )
