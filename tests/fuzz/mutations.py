"""How the fuzz tests damage files, and what may come of it."""

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from([0, -1, 1e-40, 1e40, 10**9, 2**31, 2**63, float("nan"), float("inf")]),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(max_size=8), st.sampled_from(["1", "nan", "../x", "\0", "a/b"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def examples(count: int) -> settings:
    """The same examples in every run; `FUZZ_TIMES=20` tries so many times as many, and makes failures small.

    Otherwise a failure is shown as it was found, since making it small takes minutes.
    """
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    phases = [Phase.generate, *([Phase.shrink] if TIMES > 1 else [])]
    return settings(
        phases=phases,
        max_examples=count * TIMES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=checks,
    )


@contextmanager
def only_clear_errors(path: str | Path) -> Iterator[None]:
    """Within the block an error must be of a promised type and name the file on one line."""
    try:
        yield
    except (OSError, ValueError) as error:
        message = str(error)
        assert Path(path).name in message, f"the file is not named: {type(error).__name__}: {message}"
        assert "\n" not in message and len(message) < 1500, message
        assert not any(word in message for word in ("safe_mode", "weights_only", "allow_pickle")), message


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The keys that lead to each part of a json-like value."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@st.composite
def damaged_json(draw: Any, content: Any) -> Any:
    """A json-like value with some of its parts replaced, removed or doubled."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(content))))
        if not path:
            return draw(VALUES)
        parent = content
        for key in path[:-1]:
            parent = parent[key]
        action = draw(st.sampled_from(["replace", "replace", "remove", "double"]))
        if action == "replace":
            parent[path[-1]] = draw(VALUES)
        elif action == "remove":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(parent[path[-1]]))
        else:
            parent[draw(st.text(max_size=4))] = copy.deepcopy(parent[path[-1]])
        if not isinstance(content, dict | list):
            break
    return content


@st.composite
def damaged_bytes(draw: Any, content: bytes) -> bytes:
    """The bytes of a file, some of them changed, lost, doubled or new, or cut."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 40))
        action = draw(st.sampled_from(["change", "change", "insert", "remove", "double", "flip", "cut"]))
        if action == "change":
            new = draw(st.binary(min_size=1, max_size=8))
            content[at : at + len(new)] = new
        elif action == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif action == "insert":
            content[at:at] = draw(st.binary(max_size=40))
        elif action == "remove":
            del content[at : at + length]
        elif action == "double":
            content[at:at] = content[at : at + length]
        elif action == "cut":
            del content[at:]
    return bytes(content)
