"""Graphs are exported from TensorFlow; on another backend only folding is tested."""

import keras

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = [
        name
        for room in (
            "graphs",
            "saved_model",
            "tflite",
            "onnx_files",
            "resampling",
            "exported",
            "description",
            "ranges",
            "browser",
            "serving",
            "threads",
            "other_task",
            "self_test",
            "mediapipe",
            "raw",
            "decoding",
        )
        for name in (f"test_{room}.py",)
    ]
