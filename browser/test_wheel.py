"""The contents of a wheel that is built after the pages."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent


def test_a_wheel_contains_the_pages_and_the_mails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    [wheel] = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()

    for name in ("account/index.html", "explorer/index.html", "docs/index.html", "docs/start.js"):
        assert f"api/static/{name}" in names
    for folder in ("account", "explorer"):
        assert any(name.startswith(f"api/static/{folder}/assets/") for name in names)
    for name in ("api/templates/mailbox.html", "domain/mail/templates/de/verify_email.html"):
        assert name in names
    assert not any("node_modules" in name for name in names)
