"""How a result is shown: in a notebook, or in the viewer of the system."""

import base64
import html
import io
import sys

from PIL import Image

WIDEST = 960  # pixels of the longer side of a picture within a notebook


def image_html(picture: Image.Image, caption: str) -> str:
    """A picture and its caption as HTML without outside references; the caption is escaped."""
    small = picture.copy()
    small.thumbnail((WIDEST, WIDEST))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = html.escape(caption)
    return (
        f'<figure style="margin: 0"><img src="data:image/jpeg;base64,{data}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def text_html(text: str) -> str:
    """A line of text as HTML, escaped."""
    return f"<p>{html.escape(text)}</p>"


def show_image(picture: Image.Image) -> None:
    """Shows a picture as the output of a notebook's cell, or else in the viewer of the system."""
    if in_notebook():
        from IPython.display import display

        display(picture)  # type: ignore[no-untyped-call]
    else:
        picture.show()


def in_notebook() -> bool:
    """Whether the code runs in a Jupyter kernel, which can display pictures; a terminal cannot."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
