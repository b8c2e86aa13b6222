"""The scores from which on boxes are worth showing, kept in the file of a model."""

from collections.abc import Sequence
from pathlib import Path

from keras_cornernet.export.describing import change_description
from keras_cornernet.export.runtimes import is_exported


def keep_min_scores(path: str | Path, min_scores: Sequence[float], *, trust: bool = False) -> None:
    """Writes the scores of an operating point into a file, where `predict` finds them.

    Args:
        path: of a detector: a `.keras` file, or an exported file or folder.
        min_scores: for each class, see `PostprocessConfig.min_scores`.
        trust: of SavedModels, see `export.load`.

    Raises:
        ValueError: the file holds no detector, or has another number of classes.
    """
    scores = tuple(map(float, min_scores))
    if is_exported(path):
        change_description(path, trust=trust, scores=scores, score=min(scores))
    else:
        from keras_cornernet.presets import from_preset, save_model

        save_model(from_preset(path).with_settings(min_scores=scores), path)
