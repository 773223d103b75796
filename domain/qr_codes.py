"""QR codes. The only file that imports segno."""

import io


def svg(text: str) -> str:
    """Return a QR code as an SVG image without a size of its own, dark on white: readers need the
    contrast, also on a dark page."""
    # Imported here: few requests need it.
    import segno

    image = io.BytesIO()
    segno.make(text, micro=False).save(
        image, kind="svg", xmldecl=False, omitsize=True, light="white", border=4
    )
    return image.getvalue().decode()
