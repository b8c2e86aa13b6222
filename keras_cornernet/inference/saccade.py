"""Detection by glances: CornerNet-Saccade looks at the whole image first, then closer where it pays."""

from collections.abc import Iterator

import numpy as np

from keras_cornernet.backend import jit
from keras_cornernet.codecs import LEVELS
from keras_cornernet.inference.config import SaccadeConfig
from keras_cornernet.inference.detector import Detector, clipped, unmirrored
from keras_cornernet.inference.regions import (
    attended_regions,
    crop_at,
    distinct_regions,
    first_regions,
    regions_of_boxes,
)
from keras_cornernet.ops.boxes import without_unusable
from keras_cornernet.results import Detections


class SaccadeDetector(Detector):
    """Finds objects on crops that the attention of a `CornerNetSaccade` chooses.

    The image is shown small and whole; where an attention map is high, and where a box was found, crops of
    the original image are taken, the best `max_crops` of them; the boxes of all looks are pooled.

    Args:
        network: crops `(batch, height, width, 3)` RGB 0..255 to maps, attention among them.
        codec: a `SaccadeCodec`.
        categories: names and ids of the labels.
        settings: see `SaccadeConfig`.

    Network, peaks, pairing and suppression run in compiled graphs for fixed sizes of batch. In `predict` and
    `stream`, images of any size can be read together; `batch_size` says of how many the crops are pooled.

    Source: Law et al. 2019 (CornerNet-Lite), sec. 3; princeton-vl/CornerNet-Lite,
    `core/test/cornernet_saccade.py`.
    """

    settings_type = SaccadeConfig

    def __init__(self, network, codec, categories, settings: SaccadeConfig | None = None):
        super().__init__(network, codec, categories, settings)
        self._find_and_attend = jit(self._decode_and_attend, network)

    def only_view(self, image_size: tuple[int, int]) -> None:
        """None: it looks at several crops."""
        return None

    def _sizes(self, image):
        return self.settings.input_size

    def _detect(self, items) -> Iterator[Detections]:
        settings = self.settings
        images = [image for _, image in items]
        places = [first_regions(image.shape[:2], settings.first_sizes) for image in images]
        left = [settings.max_crops] * len(images)
        boxes = [[] for _ in images]
        for step in range(len(settings.thresholds) + 1):
            last = step == len(settings.thresholds)
            glances = [self._crops(image, mine) for image, mine in zip(images, places, strict=True)]
            pairs = [(image, crop) for image, mine in zip(images, glances, strict=True) for crop in mine]
            if not pairs:
                break
            size = settings.crop_batch if step else len(settings.first_sizes)
            found = self._look(pairs, size, self._find if last else self._find_and_attend)
            ends = np.cumsum([len(mine) for mine in glances])[:-1]
            for i, parts in enumerate(zip(*(np.split(part, ends) for part in found), strict=True)):
                seen = [part.reshape(-1, *part.shape[2:]) for part in parts[:4]]
                if step == 0:
                    seen[1] = np.where(seen[1] > settings.first_score, seen[1], -1)
                boxes[i].append(seen)
                if not last:
                    maps = dict(zip(LEVELS, parts[4:], strict=True))
                    places[i] = self._next_regions(images[i], glances[i], seen, maps, step)[: left[i]]
                    left[i] -= len(places[i])
        yield from self._detections(items, self._pooled(boxes))

    def _crops(self, image, places):
        size, released = self.settings.input_size, self.settings.released_geometry
        return [crop_at(place, image.shape[:2], size, released=released) for place in places]

    def _look(self, pairs, batch_size, find):
        """What `find` gives for pairs of an image and a glance, boxes in image pixels; one entry for each."""
        parts = []
        width = self.settings.input_size[1]
        for start in range(0, len(pairs), batch_size):
            group = pairs[start : start + batch_size]
            # One size of batch, so that the graph is compiled once.
            crops = np.zeros((batch_size, *self.settings.input_size, 3), np.float32)
            crops[: len(group)] = [crop.apply(image) for image, crop in group]
            found = [np.asarray(part)[: len(group)] for part in find(crops)]
            if self.settings.flip:
                mirrored = [np.asarray(part)[: len(group)] for part in self._find(crops[:, :, ::-1])]
                mirrored[0] = unmirrored(mirrored[0], width)
                found[:4] = [np.concatenate(p, axis=1) for p in zip(found[:4], mirrored, strict=True)]
            found[0] = np.stack([self._to_image(*pair, b) for pair, b in zip(group, found[0], strict=True)])
            parts.append(found)
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _to_image(self, image, crop, boxes):
        moved = crop.points_to_image(boxes.reshape(-1, 2, 2)).reshape(boxes.shape).astype(np.float32)
        return moved if self.settings.released_geometry else clipped(moved, image)

    def _next_regions(self, image, glances, seen, maps, step):
        """Where to look after a round, best first."""
        settings, (boxes, scores, *_) = self.settings, seen
        places = attended_regions(
            maps,
            glances,
            image.shape[:2],
            threshold=settings.thresholds[step],
            zooms=settings.zooms[step],
            closer=step > 0,
            anchor=0.0 if settings.released_geometry else 0.5,
        )
        if settings.box_score is not None:
            places = np.concatenate([places, regions_of_boxes(boxes[scores > settings.box_score])])
        return distinct_regions(places, settings.nms_distance, both_ways=settings.nms_both_axes)

    def _pooled(self, boxes):
        """The boxes of all looks at each image, filled up to what the most looks would give."""
        settings = self.settings
        images = [[np.concatenate(part) for part in zip(*looks, strict=True)] for looks in boxes]
        per_crop = self.codec.num_detections * (1 + settings.flip)
        most = (len(settings.first_sizes) + settings.max_crops) * per_crop

        def padded(part, value):
            full = np.full((most, *part.shape[1:]), value, part.dtype)
            full[: len(part)] = part
            return full

        fillings = (0, -1, 0, 0)  # scores below 0 are no boxes
        return [
            np.stack([padded(image[k], filling) for image in images]) for k, filling in enumerate(fillings)
        ]

    def _decode_and_attend(self, images):
        outputs = self.network(images, training=False)
        maps = self.codec.attention(outputs)
        boxes, scores, *others = self.codec.decode(outputs, tuple(images.shape[1:3]))
        return *without_unusable(boxes, scores), *others, *(maps[level] for level in LEVELS)
