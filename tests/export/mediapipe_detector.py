"""Run by the python that MEDIAPIPE_PYTHON names: what MediaPipe finds on images.

    python mediapipe_detector.py MODEL IMAGES.npz

Prints json: for each image a list of `[x1, y1, x2, y2, score, name, label]`.
"""

import json
import sys

import mediapipe
import numpy as np
from mediapipe.tasks import python
from mediapipe.tasks.python import vision

model, images = sys.argv[1:]
options = vision.ObjectDetectorOptions(
    base_options=python.BaseOptions(model_asset_path=model), score_threshold=0.05, max_results=-1
)
answers = []
with vision.ObjectDetector.create_from_options(options) as detector:
    for image in np.load(images).values():
        shown = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        rows = []
        for one in detector.detect(shown).detections:
            box, best = one.bounding_box, one.categories[0]
            ends = box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height
            rows.append([*ends, best.score, best.category_name, best.index])
        answers.append(rows)
print(json.dumps(answers))
