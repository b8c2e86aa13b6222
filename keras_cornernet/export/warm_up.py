"""Requests that TensorFlow Serving answers before any others, so that no user waits for tracing."""

from pathlib import Path

import tensorflow as tf

from keras_cornernet.preprocessing import Size

FILE_NAME = "tf_serving_warmup_requests"  # in `assets.extra`, where the server expects it


def write_requests(path: str | Path, model_name: str, image_size: Size) -> None:
    """Writes one request for each signature, with a plain picture.

    Args:
        path: of the file.
        model_name: as the server knows it.
        image_size: `(height, width)` of the picture.

    Raises:
        ImportError: the protobufs of `tensorflow-serving-api` are not installed.

    Source: "SavedModel Warmup" of the TensorFlow Serving manual.
    """
    try:
        from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "no warm-up requests were written: they need tensorflow-serving-api. Type: "
            "pip install 'keras_cornernet[serving]'"
        ) from error
    picture = tf.zeros((*image_size, 3), tf.uint8)
    inputs = {
        "serving_default": {"image_bytes": tf.io.encode_jpeg(picture)[None]},
        "images": {"images": tf.cast(picture, tf.float32)[None]},
    }
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, values in inputs.items():
            request = predict_pb2.PredictRequest(
                model_spec=model_pb2.ModelSpec(name=model_name, signature_name=signature)
            )
            for name, value in values.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            records.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
