"""Files that contain one secret each, as Docker, Kubernetes and systemd mount them."""

from pathlib import Path

from settings.files import open_regular

# Larger than any secret.
_MAX_BYTES = 64 * 1024


def read_secret(path: str) -> str:
    """Return the text of a file, without the white space around it.

    Raises ValueError with a message that continues a line after the name of the variable. It does
    not contain the path: someone may have put the secret there.
    """
    try:
        with open_regular(Path(path)) as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"names a file that cannot be read: {error.strerror}") from None
    except ValueError:  # NUL in the path
        raise ValueError("must be the path of a file") from None
    return _text(content)


def _text(content: bytes) -> str:
    if len(content) > _MAX_BYTES:
        raise ValueError(f"names a file of more than {_MAX_BYTES} bytes")
    try:
        # Windows editors begin a file with a byte order mark.
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("names a file that is not text in UTF-8") from None
    if not text:
        raise ValueError("names a file that is empty")
    return text
