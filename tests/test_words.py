"""The vocabulary: retired names and sentences that begin in the middle do not come back."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

PRODUCT = ("cli/", "server/", "api/", "graphql_schema/", "domain/", "db/", "settings/")

# Names that the code once had, each with the word that replaced it.
RETIRED_NAMES = {
    r"[Cc]eilings?|[Tt]hrottle\w*": "rate limit",
    r"Gate|info\.context\.gate": "Services",
    r"class Exchanges?|log_exchange|exchange_ended": "RequestRecord",
    r"Envelope|Farewell": "RequestLimitsMiddleware, ShutdownResponder",
    r"api/checklist": "cli/check",
    r"class Callers|domain\.callers|callers\.account": "CurrentUserLoader",
    r"SessionOrigin": "LoginMethod",
    r"prove_password|lock_as_proven|proven_hash": "confirm_password, lock_confirmed",
    r"Turns|\w+\.turn\(\)": "ConnectionQueue, slot()",
    r"Verdict|renewed_hash": "PasswordHasher, Verification",
    r"end_with_the_rest|end_on_record|end_where|ongoing|is_ongoing": "end_all_of, active",
    r"refusal_for|Refusal|naming_what_is_taken": "to_domain_error, RequestError",
    r"shorten_way|_load_what_is_slow": "mount_fast_path, _warm_up",
    r"RememberDocuments|_Ruler": "DocumentCacheExtension, _CostCalculator",
    r"unless_abandoned|refuse_what_has_ended|end_what_takes_longer": "see db/postgres.py",
    r"PATIENCE|patience": "timeout",
    r"give_way": "lower_priority",
    r"KeyWatch|key_folder": "KeyReloader",
    r"HALVES|Visitors?|Guests?|Town|[Cc]ontestants?": "see soak/ and benchmarks/",
}

# Words of prose that have a plain one: user, error, database that is not available.
RETIRED_WORDS = r"the house|whoever|somebody|nobody|refusals?|halves|complaints?|goes on|gives? way"

# PEP 257: a summary line is a sentence, not the rest of one that the name began.
FRAGMENTS = (
    r"(Of|To|In|By|As|At|So|And|Or|Until|Whether|Where|Who|Whom|Whoever|Those|None|One|Not) "
)

# They say what was.
HISTORY = (
    "CHANGELOG.md",
    "graphql_schema/released.graphql",
    "db/migrations/versions/",
    "tests/test_words.py",
)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if not name.startswith(HISTORY)]


def places(pattern: str, files: list[Path]) -> list[str]:
    """Every place of a pattern, as file:line."""
    word = re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])")
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files
        if file.exists()
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if word.search(line)
    ]


@pytest.mark.parametrize("name", RETIRED_NAMES)
def test_no_retired_name_comes_back(name: str) -> None:
    assert places(name, tracked("*.py", "*.ts", "*.tsx", "*.md", "*.toml", "*.graphql")) == []


def test_no_retired_word_comes_back() -> None:
    files = tracked("*.md", "*.graphql", ".env.example", *(f"{folder}*.py" for folder in PRODUCT))

    assert places(RETIRED_WORDS, files) == []


@pytest.mark.parametrize("folder", PRODUCT)
def test_a_docstring_begins_with_a_sentence(folder: str) -> None:
    fragments = []
    for file in tracked(f"{folder}*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if re.match(FRAGMENTS, text):
                    fragments.append(f"{file.relative_to(ROOT)}: {text.splitlines()[0]}")

    assert fragments == []
