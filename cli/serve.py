"""`gatehouse serve`: serve the API."""

import click

from cli.usage import WholeNumber, examples
from server.serve import serve as run_server
from settings import MAX_WORKERS


@click.command(epilog=examples("gatehouse serve", "gatehouse serve --workers 4"))
@click.option(
    "--workers",
    type=WholeNumber(1, MAX_WORKERS),
    metavar="N",
    help="Number of worker processes. Overrides WORKERS.",
)
def serve(workers: int | None) -> None:
    """Serve the API on HOST and PORT.

    SIGTERM and SIGINT (Ctrl+C) finish open requests and stop the server. With several workers,
    SIGHUP restarts them one at a time, with the current code and .env.
    """
    run_server(workers=workers)
