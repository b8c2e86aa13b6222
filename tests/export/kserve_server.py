"""Serves a SavedModel over HTTP in TensorFlow Serving's REST protocol, by KServe.

Run by `test_serving.py` and `benchmarks/serving.py` in an environment of its own: `python kserve_server.py
FOLDER NAME PORT`. KServe brings server and protocol; unlike TensorFlow Serving it leaves `{"b64": ...}` to
the model.
"""

import asyncio
import base64
import sys

import kserve
import tensorflow as tf


class Served(kserve.Model):
    """One version of a model."""

    def __init__(self, name: str, folder: str):
        super().__init__(name)
        self.loaded = tf.saved_model.load(folder)  # kept, since its functions die with it
        self.function = self.loaded.signatures["serving_default"]
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        """The row form: `instances` of `{"image_bytes": {"b64": ...}}` to `predictions`, one for each."""
        return await asyncio.to_thread(self.answer, payload)  # several requests at once

    def answer(self, payload):
        images = [base64.b64decode(row["image_bytes"]["b64"]) for row in payload["instances"]]
        answers = {name: value.numpy().tolist() for name, value in self.function(tf.constant(images)).items()}
        rows = zip(*answers.values(), strict=True)
        return {"predictions": [dict(zip(answers, row, strict=True)) for row in rows]}


if __name__ == "__main__":
    folder, name, port = sys.argv[1:]
    kserve.ModelServer(http_port=int(port), enable_grpc=False, workers=1).start([Served(name, folder)])
