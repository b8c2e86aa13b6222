"""A self-test as files, for programs that cannot read it out of an exported file."""

import base64
from pathlib import Path
from typing import Any

from keras_cornernet import files
from keras_cornernet.export.description import Description
from keras_cornernet.export.self_tests.content import SelfTest


def save_self_test(description: Description, folder: str | Path) -> Path:
    """Writes the pictures as `0.png`, `1.png`, .. and `answers.json`.

    The json has for each picture its `file`, the `answers` in its pixels, the score from which on they are
    compared (`min_score`) and the `tolerance`: of distances over the picture's longer side, of scores over
    twice `min_score`, and which fraction of the boxes or joints must be within both.

    Args:
        description: of the exported file.
        folder: made if it is missing.

    Returns:
        The path of `answers.json`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = SelfTest.from_json(description.self_test).to_json()  # checks it
    cases: list[dict[str, Any]] = []
    for number, case in enumerate(content["pictures"]):
        name = f"{number}.png"
        files.write_bytes(folder / name, base64.b64decode(case.pop("png")))
        cases.append({"file": name, **case})
    answers = {
        "task": description.task,
        "names": description.names,
        "image_size": description.image_size,
        "fit": description.fit,
        "pictures": cases,
        "faults": content["faults"],
    }
    return files.write_json(folder / "answers.json", answers, indent=1)
