import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_make_alone_lists_every_target_with_a_line() -> None:
    targets = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert [line.split(maxsplit=1)[0] for line in listed.splitlines()] == sorted(targets[0].split())
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in listed.splitlines())
