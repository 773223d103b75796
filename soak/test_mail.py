"""What the server guarantees about mail. `make soak ONLY=mail` runs these tests."""

import os
from collections.abc import Callable
from pathlib import Path

from soak.figures import Figures
from soak.mail_outages import mail_outages

MAILS = int(os.environ.get("MAILS", "10000"))
SECONDS = float(os.environ.get("SECONDS", "240"))

Save = Callable[[Figures], None]


async def test_mail_outages_and_kills_lose_no_mail(
    database_url: str, tmp_path: Path, port: int, save: Save
) -> None:
    save(await mail_outages(database_url, tmp_path, mails=MAILS, seconds=SECONDS, port=port))
