"""Which class of a model is which class of a data set."""

from collections.abc import Sequence

from keras_cornernet.structures import Categories


def match_categories(model: Categories, data: Categories) -> tuple[Categories, tuple[str, ...]]:
    """The model's classes under the names that the data set gives them, and notes for people.

    Classes are matched by name, ignoring case. Where no name is common to both: in order if the model has as
    many classes, all unnamed (`class_0`, ..), else by equal ids.

    Raises:
        ValueError: the classes match in none of these ways.
    """
    spelled = {name.casefold(): name for name in data.names}
    names = tuple(spelled.get(name.casefold(), name) for name in model.names)
    notes = []
    if not set(names) & set(data.names):
        by_id = dict(zip(data.ids, data.names, strict=True))
        if model.names == tuple(f"class_{i}" for i in range(len(data.names))):
            names = data.names
        elif set(model.ids) <= set(by_id):
            names = tuple(by_id[id_] for id_ in model.ids)
        else:
            raise ValueError(
                f"the model's classes ({_some(model.names)}) are not those of the annotations "
                f"({_some(data.names)}), and their ids differ too"
            )
        pairs = [f"{a} = {b}" for a, b in zip(model.names, names, strict=True)]
        notes.append(f"no class name is common, so classes are matched by their numbers: {_some(pairs)}")
    unknown = [name for name in data.names if name not in names]
    if unknown:
        notes.append(f"the model does not know the classes {_some(unknown)}")
    return Categories(names, model.ids), tuple(notes)


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:8]) + (", .." if len(values) > 8 else "")
