"""Where the weights of a training run come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.presets import provenance_of, weights_file
from keras_cornernet.structures import DataSource, Parent, Provenance, sha256_of_annotations
from keras_cornernet.structures.provenance import NOT_STATED


def sources_of(
    dataset: Any, name: str = "training data", terms: Mapping[str, str] | None = None
) -> list[DataSource]:
    """The sets that a data set was joined from, or the one that it is.

    Args:
        dataset: what a reader or `join_datasets` returned.
        name: of the set, where the data set was not joined.
        terms: on which a set may be used, by name, where that is stated.
    """
    items = getattr(dataset, "samples", None) or getattr(dataset, "people", None)
    parts = [(part.name, part.count) for part in getattr(dataset, "parts", ())]
    parts = parts or [(name, len(items or dataset))]
    sources, start = [], 0
    for part, count in parts:
        stated = (terms or {}).get(part, NOT_STATED)
        chosen = items[start : start + count] if items else [dataset.select(range(start, start + count))]
        digest = sha256_of_annotations(chosen)
        sources.append(DataSource(Path(part).name, stated, count, digest))
        start += count
    return sources


def start_of(preset: str, *, weights: str | Path | None = None, trained: bool = True) -> Provenance | None:
    """The provenance of the weights that a run starts from, they themselves among the parents.

    Args:
        preset, weights, trained: see `train`.

    Returns:
        None where a run starts from random weights.
    """
    starts = [weights_file(preset) if trained else None, None if weights is None else Path(weights)]
    known = [path for path in starts if path is not None]
    if not known:
        return None
    start = Provenance()
    for path in known:
        inherited = provenance_of(path) if path.suffix == ".keras" else Provenance()
        parent = Parent(path.stem if path.suffix == ".keras" else path.name, files.sha256_of(path))
        start = start.grown(inherited.data, (parent, *inherited.parents))
    return start
