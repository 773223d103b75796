import re
import subprocess
import sys

import pytest

from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS


def test_make_alone_lists_every_target_with_a_line() -> None:
    targets = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert [line.split(maxsplit=1)[0] for line in listed.splitlines()] == sorted(targets[0].split())
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in listed.splitlines())


@pytest.mark.parametrize("folder", ["soak", "clients"])
def test_the_tests_of_other_targets_can_be_collected(folder: str) -> None:
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", folder, "--collect-only", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert collected.returncode == 0, collected.stdout
