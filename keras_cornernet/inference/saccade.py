"""Detection on crops that attention maps choose: CornerNet-Saccade."""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.codecs import LEVELS
from keras_cornernet.inference.answers import BoxAnswers
from keras_cornernet.inference.batches import Batching, filled_up
from keras_cornernet.inference.config import PostprocessConfig
from keras_cornernet.inference.detector import Detector
from keras_cornernet.inference.mirroring import with_mirror_inputs
from keras_cornernet.inference.placement import Placement, placement_of
from keras_cornernet.inference.reading import ReadImage
from keras_cornernet.inference.regions import (
    ZoomedCrop,
    attended_regions,
    crop_at,
    distinct_regions,
    first_regions,
    regions_of_boxes,
)
from keras_cornernet.inference.saccade_config import SaccadeConfig
from keras_cornernet.inference.timing import Stopwatch
from keras_cornernet.preprocessing import Size
from keras_cornernet.results import Detections
from keras_cornernet.structures import Categories
from keras_cornernet.tensors import Tensor

# Boxes, scores, labels and corner scores of crops, `(crops, n, ...)` each.
Candidates = list[np.ndarray]


class Job(NamedTuple):
    """The work on one image.

    Attributes:
        image: as it was read.
        regions: rows y, x, zoom, score of the crops of the next round.
        crops_left: how many crops may still be taken.
        found: the candidates of each round so far, pooled over its crops.
    """

    image: ReadImage
    regions: np.ndarray
    crops_left: int
    found: tuple[Candidates, ...] = ()


class SaccadeDetector(Detector):
    """Finds objects on crops that the attention maps of a `CornerNetSaccade` choose.

    In the first round the whole image is shown at small sizes. Where an attention map is high, and where a
    box was found, the best `max_crops` crops of the original image are taken. The boxes of all rounds are
    pooled.

    Args:
        network: crops `(batch, height, width, 3)` RGB 0..255 to maps, with attention maps.
        codec: a `SaccadeCodec`.
        categories: names and ids of the labels.
        settings: see `SaccadeConfig`.

    Network, decoding and suppression run in compiled graphs with fixed batch sizes. In `predict` and
    `stream`, images of any sizes can be read together; `batch_size` is the number of images whose crops are
    pooled into batches.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/test/cornernet_saccade.py`.
    """

    settings_type: ClassVar[type[PostprocessConfig]] = SaccadeConfig
    why_no_graph: ClassVar[str] = (
        "a SaccadeDetector chooses its crops while it runs and cannot be exported as one graph"
    )

    def __init__(self, network: Any, codec: Any, categories: Categories, settings: Any = None):
        super().__init__(network, codec, categories, settings)
        self._find_and_attend = jit(self._candidates_and_attention, network)

    def only_view(self, image_size: Size) -> None:
        """None: the detector sees several crops."""
        return None

    def _make_answers(self) -> BoxAnswers:
        return BoxAnswers(self.codec, self.settings, clip_early=not self.settings.released_geometry)

    def _input_sizes(self, image_size: Size) -> object:
        return self.settings.input_size

    def _detect(self, images: Sequence[ReadImage], flip: bool, graph: Stopwatch) -> list[Detections]:
        settings = self.settings
        jobs = [
            Job(image, first_regions(image.size, settings.first_sizes), settings.max_crops)
            for image in images
        ]
        rounds = len(settings.thresholds) + 1
        for step in range(rounds):
            crops = [self._crops(job) for job in jobs]
            if not any(crops):
                break
            attend = step + 1 < rounds
            size = settings.crop_batch if step else len(settings.first_sizes)
            parts = self._run(jobs, crops, Batching(size, flip, graph), attend=attend)
            jobs = [
                self._next_job(job, mine, found, step, attend=attend)
                for job, mine, found in zip(jobs, crops, parts, strict=True)
            ]
        return self._results(images, [self._pooled(jobs, flip)], graph)

    def _crops(self, job: Job) -> list[ZoomedCrop]:
        size, released = self.settings.input_size, self.settings.released_geometry
        return [crop_at(region, job.image.size, size, released=released) for region in job.regions]

    def _run(
        self,
        jobs: Sequence[Job],
        crops: Sequence[Sequence[ZoomedCrop]],
        batching: Batching,
        *,
        attend: bool,
    ) -> list[list[np.ndarray]]:
        """What the network finds on the crops of each job: candidates, and with `attend` attention maps."""
        find = self._find_and_attend if attend else self._find
        pairs = [(job.image, crop) for job, mine in zip(jobs, crops, strict=True) for crop in mine]
        batches = []
        for start in range(0, len(pairs), batching.size):
            group = pairs[start : start + batching.size]
            shown = np.stack([crop.apply(image.image) for image, crop in group])
            placement = placement_of([crop for _, crop in group], [image.size for image, _ in group])
            # One batch size, so that the graph is compiled once.
            shown, *placed = (filled_up(part, batching.size) for part in (shown, *placement))
            with batching.graph:
                found = find(with_mirror_inputs(shown, batching.flip), Placement(*placed))
                batches.append([np.asarray(part)[: len(group)] for part in found])
        ends = np.cumsum([len(mine) for mine in crops])[:-1]
        parts = [np.split(np.concatenate(part), ends) for part in zip(*batches, strict=True)]
        return [list(part) for part in zip(*parts, strict=True)]

    def _next_job(
        self, job: Job, crops: Sequence[ZoomedCrop], parts: Sequence[np.ndarray], step: int, *, attend: bool
    ) -> Job:
        """The job after a round: what was found, and where the next crops are."""
        settings = self.settings
        found = [part.reshape(-1, *part.shape[2:]) for part in parts[:4]]
        boxes, scores, *_ = found
        if step == 0:
            found[1] = scores = np.where(scores > settings.first_score, scores, -1)
        job = job._replace(found=(*job.found, found), regions=job.regions[:0])
        if not attend:
            return job
        regions = attended_regions(
            dict(zip(LEVELS, parts[4:], strict=True)),
            crops,
            job.image.size,
            threshold=settings.thresholds[step],
            zooms=settings.zooms[step],
            closer=step > 0,
            anchor=0.0 if settings.released_geometry else 0.5,
        )
        if settings.box_score is not None:
            regions = np.concatenate([regions, regions_of_boxes(boxes[scores > settings.box_score])])
            regions = distinct_regions(regions, settings.nms_distance, both_ways=settings.nms_both_axes)
        regions = regions[: job.crops_left]
        return job._replace(regions=regions, crops_left=job.crops_left - len(regions))

    def _pooled(self, jobs: Sequence[Job], flip: bool) -> tuple[np.ndarray, ...]:
        """The candidates of all rounds, padded to the number that the largest number of crops would give."""
        settings = self.settings
        pooled = [[np.concatenate(part) for part in zip(*job.found, strict=True)] for job in jobs]
        rows = (len(settings.first_sizes) + settings.max_crops) * self.codec.num_detections * (1 + flip)
        padding = (0, -1, 0, 0)  # a score of -1 marks a row without a box
        return tuple(
            np.stack([_padded(parts[k], rows, value) for parts in pooled]) for k, value in enumerate(padding)
        )

    def _candidates_and_attention(self, inputs: Tensor, placement: Placement) -> tuple[Tensor, ...]:
        """The boxes of one view, and the attention maps of the inputs that are not mirrored."""
        outputs = self.network(inputs, training=False)
        maps = self.codec.attention(outputs)
        images, size = placement.image_size.shape[0], tuple(inputs.shape[1:3])
        flip = inputs.shape[0] != images
        found = self.answers.candidates(outputs, placement, size, flip=flip)
        return *found, *(maps[level][:images] for level in LEVELS)


def _padded(rows: np.ndarray, count: int, value: float) -> np.ndarray:
    """`count` rows: those given, and rows of `value`."""
    padding = np.full((count - len(rows), *rows.shape[1:]), value, rows.dtype)
    return np.concatenate([rows, padding])
