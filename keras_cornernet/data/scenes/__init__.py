"""Drawn scenes of people: data for demos, notebooks and quick tests that need no download.

A person is a small 3D skeleton. A pose sets the direction of every bone; the body is rotated, projected and
drawn with tapered limbs (`poses`, `body`, `clothes`, `limbs`, `head`, `person`). People and `props` are
placed on `backgrounds` (`placement`, `light`, `scene`); `dataset` writes many scenes to files, and in
a `clip` a person moves.
"""

from keras_cornernet.data.scenes.clip import Clip, draw_clip
from keras_cornernet.data.scenes.dataset import make_scenes
from keras_cornernet.data.scenes.scene import draw_scene

__all__ = ["Clip", "draw_clip", "draw_scene", "make_scenes"]
