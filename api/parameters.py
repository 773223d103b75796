"""Parameters as application/x-www-form-urlencoded, in a form or in a query string."""

from urllib.parse import parse_qsl


def decode(encoded: bytes, *, max_fields: int | None = None) -> list[tuple[str, str]]:
    """Return the names and values. UTF-8 may be percent-encoded or not (RFC 6749 appendix B).

    Raises ValueError for other encodings and for more than ``max_fields``. (Starlette reads bytes
    that are not percent-encoded as Latin-1, and replaces what is not UTF-8.)
    """
    return parse_qsl(
        encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=max_fields
    )
