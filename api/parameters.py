"""Parameters as application/x-www-form-urlencoded, in a form or in a query string."""

from urllib.parse import parse_qsl

# No form has more than seven (RFC 6749 sections 2.3.1 and 4.3.2), and GraphQL has four.
MAX_PARAMETERS = 20


def decode(encoded: bytes) -> list[tuple[str, str]]:
    """Return the names and values. UTF-8 may be percent-encoded or not (RFC 6749 appendix B).

    Raises ValueError, with a sentence, for other encodings and for too many. (Starlette reads bytes
    that are not percent-encoded as Latin-1, and replaces what is not UTF-8.)
    """
    try:
        return parse_qsl(
            encoded.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise ValueError(f"Send at most {MAX_PARAMETERS} parameters, in UTF-8.") from None
