"""Prediction on millions of images with Ray Data: workers that can be lost, results as json lines."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet.extras import import_extra
from keras_cornernet.inference.reading import images_of, read_or_report
from keras_cornernet.tasks import load_model, task_of


class RayPredictor:
    """Predicts on batches of paths, for `map_batches` of a `ray.data.Dataset`.

    Each worker loads the model once. An image that cannot be read is a row with an error; the work goes on.

    Args:
        model: a preset with weights, a `.keras` file or an exported file, which every worker can reach.
        detector: of a pose network: the model that finds the people.
        min_score: leave out boxes below this score; None keeps all of a detector, as `predict` does.
        flip: average with the mirror image.
        trust: of models that are SavedModels, see `export.load`.

    Example:
        >>> rows = ray.data.from_items([{"path": path} for path in paths])  # doctest: +SKIP
        >>> rows.map_batches(  # doctest: +SKIP
        ...     RayPredictor, fn_constructor_kwargs={"model": "people.keras"}, concurrency=8, batch_size=16
        ... ).write_json("found")
    """

    def __init__(
        self,
        model: str,
        *,
        detector: str | None = None,
        min_score: float | None = None,
        flip: bool | None = False,
        trust: bool = False,
    ):
        loaded = load_model(model, trust=trust)
        finder = None if detector is None else load_model(detector, trust=trust)
        self.plan = task_of(loaded).prediction(loaded, detector=finder, min_score=min_score)
        self.flip = flip

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Adds what was found.

        Args:
            batch: `path`, and what else the rows hold.

        Returns:
            The same with `predictions`, a json text of rows in COCO's result form without `image_id`, and
            `error`, which is empty where the image could be read.
        """
        rows = [self._predict(str(path)) for path in batch["path"]]
        found, errors = zip(*rows, strict=True) if rows else ((), ())
        return {**batch, "predictions": np.array(found, object), "error": np.array(errors, object)}

    def _predict(self, path: str) -> tuple[str, str]:
        errors: list[str] = []
        for item in images_of(path):
            image = read_or_report(item, lambda _, error: errors.append(str(error)))
            if image is not None:
                (found,) = self.plan.model.stream(image.image, flip=self.flip, **self.plan.all_options)
                rows = [{k: v for k, v in row.items() if k != "image_id"} for row in found.to_coco(0)]
                return json.dumps(rows), ""
        return "[]", "; ".join(errors)


def predict_with_ray(
    model: str,
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    workers: int = 2,
    batch_size: int = 16,
    **options: Any,
) -> None:
    """Predicts on images in several processes of a Ray cluster and writes json lines.

    A worker that is lost is started anew, and what it had not handed over is done again.

    Args:
        model: see `RayPredictor`.
        paths: of the images; every worker must reach them.
        output: folder for files of lines with `path`, `predictions` and `error`, in no order.
        workers: processes with a model each.
        batch_size: images that a worker is given at once.
        options: further arguments of `RayPredictor`.

    Raises:
        ImportError: Ray is not installed; the message states what to type.
    """
    ray_data = import_extra("ray.data", "ray", "prediction in several processes")
    rows = ray_data.from_items(
        [{"path": str(path)} for path in paths], override_num_blocks=_blocks(len(paths))
    )
    found = rows.map_batches(
        RayPredictor,
        fn_constructor_kwargs={"model": model, **options},
        concurrency=workers,
        batch_size=batch_size,
        max_restarts=-1,
        max_task_retries=-1,
    )
    found.write_json(str(Path(output).absolute()))


def _blocks(count: int) -> int:
    """Parts that are handed out one by one: what a lost worker held is done again."""
    return int(np.clip(count // 16, 1, 10_000))
