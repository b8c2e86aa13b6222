"""What `fit` reads: files in, `(images, padded annotations)` out; never heatmaps."""

from collections.abc import Sequence
from typing import Any

from keras_cornernet.backend import runs_on_jax
from keras_cornernet.checks import check_choice
from keras_cornernet.data.batches import Batches, sizes_of
from keras_cornernet.data.boxes import BoxLoader
from keras_cornernet.data.poses import PersonLoader
from keras_cornernet.preprocessing import Size
from keras_cornernet.structures import DetectionDataset, OnProblem, PoseDataset

# What makes training examples of each kind of data set; `tasks.register` adds to it.
LOADERS: dict[type, Any] = {DetectionDataset: BoxLoader, PoseDataset: PersonLoader}

PIPELINES = ("host", "device", "auto")


def make_dataset(
    dataset: Any,
    input_size: Size | Sequence[Size],
    *,
    batch_size: int,
    augmentation: Any = None,
    shuffle: bool = False,
    seed: int = 0,
    max_objects: int | None = None,
    cache_bytes: int = 2**30,
    on_problem: OnProblem | None = None,
    pipeline: str = "host",
    steps_per_launch: int | None = None,
    passes: int = 1,
) -> Any:
    """Batches of images and padded annotations, one pass an epoch.

    Args:
        dataset: what a reader returned: images with boxes, or people with joints.
        input_size: `(height, width)` of the network's input, or several of them: each batch has one, drawn at
            random.
        augmentation, seed, cache_bytes, on_problem: see `BoxLoader` and `PersonLoader`.
        batch_size: images per batch. With `shuffle` the last incomplete batch is dropped.
        shuffle: a new order each epoch.
        max_objects: see `BoxLoader`.
        pipeline: `"host"` makes batches on the processor. `"device"` keeps all images on the accelerator and
            makes batches there, in the training step; see `data.device`. `"auto"` does that where a GPU is
            there and the images fit into half of its memory.
        steps_per_launch, passes: of `DeviceDataset`.

    Returns:
        On TensorFlow a `tf.data.Dataset`, on JAX a `keras.utils.PyDataset`, of `(images, annotations)`:
        `(batch, height, width, 3)` float32 RGB 0..255 and, for boxes,
        `{"boxes": (batch, n, 4), "labels": (batch, n), "ignore": (batch, n)}` with labels -1 for padding
        (`"ignore"` is there only if something can be ignored, `"visible"` `(batch, n)` only with a
        `SaccadeCrop`, `"class_mask"` `(batch, num_classes)` only if some set leaves classes unlabelled), for
        people `{"keypoints": (batch, k, 2), "keypoint_weights": (batch, k)}`. Its attribute `epochs` numbers
        the passes, `names` lists the classes or joints. With several input sizes height and width are unknown
        in `element_spec`. On the device the dataset is a `DeviceDataset`, which yields numbers instead.

    Raises:
        OSError: no image of the data set can be used.
        ValueError: the data set is empty, `batch_size` is below 1 or `input_size` is no size.
        TypeError: the data set is not what a reader returns.
    """
    loader_type = LOADERS.get(type(dataset))
    if loader_type is None:
        raise TypeError(
            f"dataset must be a {' or a '.join(kind.__name__ for kind in LOADERS)}, as readers return, not "
            f"{type(dataset).__name__}"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    count, names = len(dataset), tuple(dataset.names)
    if not count:
        raise ValueError(f"dataset has no {dataset.noun}")
    settings: dict[str, Any] = {
        "augmentation": augmentation,
        "seed": seed,
        "cache_bytes": cache_bytes,
        "on_problem": on_problem,
    }
    if max_objects is not None:
        settings["max_objects"] = max_objects
    sizes = sizes_of(input_size)
    check_choice("pipeline", pipeline, PIPELINES)
    loader = loader_type(dataset, sizes[0], **settings)
    loader.images.first_usable(0)  # raises here rather than in a thread
    parts = dataset.parts if hasattr(dataset, "parts") else ()
    made = Batches(loader, count, batch_size, sizes, parts=parts, shuffle=shuffle, seed=seed)
    if pipeline != "host":
        from keras_cornernet.data.device import DeviceDataset, choose_device

        if choose_device(made, required=pipeline == "device"):
            return DeviceDataset(made, names, steps_per_launch=steps_per_launch, passes=passes)
    if runs_on_jax():
        from keras_cornernet.data.passes import HostBatches

        return HostBatches(made, names)
    from keras_cornernet.data.tf_batches import tf_batches

    return tf_batches(made, names)
