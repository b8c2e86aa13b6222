"""Writes into the files of this distribution where their weights come from, and their operating points.

    python origins.py --data DATA --scores SCORES

DATA holds the folders `bccd`, `coco_small`, `lspet`, `lspet_photos`, `people_mixed` and `voc_animals`. SCORES
holds what `keras-cornernet evaluate NAME --no-flip --json SCORES/NAME.json` wrote for detectors. Only
`config.json` in each `.keras` file changes.
"""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

from keras_cornernet import read_dataset
from keras_cornernet.models.network import upgraded
from keras_cornernet.structures import DataSource, Parent, Provenance, sha256_of_annotations

WEIGHTS = Path(__file__).parent / "keras_cornernet_weights"
RESEARCH = "research; photographs under Flickr's terms"
TERMS = {
    "bccd": "MIT",
    "voc_animals": f"{RESEARCH}; boxes of PASCAL VOC 2012",
    "coco_small": "labels CC BY 4.0; photographs under Flickr's terms",
    "voc_animals/pose": f"{RESEARCH}; boxes of PASCAL VOC 2012; keypoints of Animal Pose, Cao et al. 2019",
    "people_mixed": "CC BY 4.0, of mixed origin",
    "lspet": f"{RESEARCH}; Johnson & Everingham 2011",
    "lspet_photos": f"{RESEARCH}; Johnson & Everingham 2011",
}
PHOTOS = ("voc_animals", "coco_small", "people_mixed", "lspet_photos:2200")
DRAWN = DataSource("drawn scenes of keras-cornernet make-data", "none: drawn by this package")
ANIMALS = ("dog", "cat", "sheep", "horse", "cow")
LABELS = {"hourglass_animals": ANIMALS}  # the detector's classes whose objects a pose network reads
SEEN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # sets, and models that the weights started from
    "cornernet_bccd": (("bccd",), ()),
    "cornernet_squeeze_bccd": (("bccd",), ()),
    "objects_as_points_bccd": (("bccd",), ()),
    "objects_as_points_photos": (PHOTOS, ("cornernet_small on the same photographs",)),
    "cornernet_people": (("drawn",), ()),
    "hourglass_people": (("drawn",), ()),
    "hourglass_lspet_large": (
        ("drawn", "lspet", "lspet_photos"),
        ("hourglass_lspet", "hourglass_phone on drawn scenes"),
    ),
    "hourglass_animals": (
        ("drawn", "lspet", "lspet_photos", "voc_animals/pose"),
        ("hourglass_lspet_large", "hourglass_lspet", "hourglass_phone on drawn scenes"),
    ),
    "hourglass_lspet": (("drawn", "lspet"), ("hourglass_phone on drawn scenes",)),
}


def source(name: str, data: Path) -> DataSource:
    """A data set as weights remember it; of `NAME:COUNT` only so many items were seen."""
    if name == "drawn":
        return DRAWN
    if name in TERMS and "/" in name:
        folder, _, task = name.partition("/")
        people = read_dataset(data / folder, task, "train").people
        return DataSource(folder, TERMS[name], len(people), sha256_of_annotations(people))
    name, _, part = name.partition(":")
    if part:
        return DataSource(name, TERMS[name], int(part))
    dataset = read_dataset(data / name, part="train")
    items = dataset.samples if hasattr(dataset, "samples") else dataset.people
    return DataSource(name, TERMS[name], len(items), sha256_of_annotations(items))


def state(path: Path, provenance: Provenance, scores: Path | None) -> None:
    """Changes the metadata in one file."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"] = upgraded(config["config"])
    metadata = config["config"]["metadata"]
    metadata["provenance"] = provenance.to_json()
    if path.stem in LABELS:
        metadata["settings"]["label"] = LABELS[path.stem]
    if scores is not None:
        fitted = json.loads(scores.read_text())["operating_point"]
        known = {name.casefold(): row["min_score"] for name, row in fitted.items()}
        names = metadata["categories"]["names"]
        metadata["settings"]["min_scores"] = [known.get(name.casefold()) or 0.3 for name in names]
    elif metadata["settings"].get("min_score") == 0.3:
        metadata["settings"]["min_score"] = None  # the detector's own
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=9)


def main(argv: Any = None) -> None:
    """See the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(SEEN))
    options = parser.parse_args(argv)
    for name in options.only:
        sets, parents = SEEN[name]
        found = Provenance(tuple(source(s, options.data) for s in sets), tuple(map(Parent, parents)))
        scores = options.scores / f"{name}.json"
        state(WEIGHTS / f"{name}.keras", found, scores if scores.is_file() else None)
        print(f"{name}: {found}")


if __name__ == "__main__":
    main()
