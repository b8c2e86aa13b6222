"""How results are shown."""

import base64
import html
import io
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from result_cases import detections, image, poses

from keras_cornernet.results.display import in_notebook
from keras_cornernet.structures import Categories


@pytest.mark.parametrize("make", [detections, poses])
def test_notebooks_show_picture_and_text(make):
    shown = make()._repr_html_()
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', shown)[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert picture.size == (60, 50)
        apart = np.abs(np.asarray(picture, int) - np.asarray(make().plot(), int))
        assert apart.mean() < 8  # JPEG is near
    assert html.escape(repr(make())) in shown


def test_large_pictures_are_made_smaller():
    shown = detections(image=image(500, 2000))._repr_html_()
    data = re.search(r"base64,([^\"]+)", shown)[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert picture.size == (960, 240)


def test_without_an_image_the_text_is_shown():
    assert detections(image=None)._repr_html_() == "<p>Detections: 2 dog, 1 cat in street.jpg, best 0.90</p>"


@pytest.mark.parametrize("changes", [{}, {"image": None}])
def test_names_are_escaped(changes):
    names = Categories(('<script>alert("cat")</script>', "<b>"), (0, 1))
    shown = detections(categories=names, path='x"><img src=y.jpg', **changes)._repr_html_()
    assert "<script" not in shown and "<b>" not in shown and "<img src=y" not in shown
    assert "&lt;script&gt;" in shown


def test_show_opens_the_picture_in_the_viewer(monkeypatch):
    opened = []
    monkeypatch.setattr(Image.Image, "show", lambda picture: opened.append(picture))
    detections().show(min_score=0.0)
    np.testing.assert_array_equal(np.asarray(opened[0]), np.asarray(detections().plot(0.0)))


def test_show_displays_in_a_notebook(monkeypatch):
    displayed = []
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=displayed.append))
    assert in_notebook()
    poses().show()
    assert displayed[0].size == (60, 50)


def test_a_terminal_is_no_notebook(monkeypatch):
    for shell in (None, SimpleNamespace()):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
