"""QR codes."""

import io

import segno

_PIXELS = 4


def qr_svg(text: str, *, sized: bool = True) -> str:
    """Return a QR code as an SVG element, for a page or a data: URL.

    Without a size of its own it is as wide as the page lets it be.
    """
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image,
        kind="svg",
        scale=_PIXELS,
        xmldecl=False,
        light="white",
        nl=False,
        omitsize=not sized,
    )
    return image.getvalue().decode("utf-8")


def qr_text(text: str) -> str:
    """Return a QR code as lines of block characters, for a terminal."""
    drawing = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawing, compact=True)
    return drawing.getvalue()
