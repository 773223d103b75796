"""What must not reach a log."""

import logging


class _HideQueryStrings(logging.Filter):
    """Cuts the query string off the paths that uvicorn logs: a GraphQL document sent by GET may hold a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] if isinstance(argument, str) else argument
                for argument in record.args
            )
        return True


_hide_query_strings = _HideQueryStrings()


def keep_secrets_out_of_logs() -> None:
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(_hide_query_strings)
