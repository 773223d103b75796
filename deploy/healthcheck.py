"""Exit with 0 if the server in this container responds with 200 at a health route.

`python healthcheck.py [/health/ready]`, by default /health/live. It imports nothing of Gatehouse,
so that a check every ten seconds costs little.
"""

import http.client
import os
import sys

# Addresses that stand for all of the machine, by one of them.
LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def status(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(LOCAL.get(host, host), port, timeout=4)
    connection.request("GET", path)
    return connection.getresponse().status


if __name__ == "__main__":
    try:
        found = status(
            os.environ.get("GATEHOUSE_HOST") or os.environ.get("HOST") or "127.0.0.1",
            int(os.environ.get("GATEHOUSE_PORT") or os.environ.get("PORT") or 8000),
            (sys.argv[1:] or ["/health/live"])[0],
        )
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SystemExit(f"no response: {error}") from None
    raise SystemExit(None if found == 200 else f"status {found}")
