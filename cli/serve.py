"""`gatehouse serve`: serve the API."""

import click

from cli.usage import examples, workers_option
from server.serve import serve as run_server


@click.command(epilog=examples("gatehouse serve", "gatehouse serve --workers 4"))
@workers_option("Number of worker processes. Overrides WORKERS.")
def serve(workers: int | None) -> None:
    """Serve the API on HOST and PORT.

    SIGTERM and SIGINT (Ctrl+C) finish open requests and stop the server. With several workers,
    SIGHUP restarts them one at a time, with the current code and .env.
    """
    run_server(workers=workers)
