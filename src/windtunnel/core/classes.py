"""Classes of a victim and classes of data: which of its logits stand for which class. No torch."""

from __future__ import annotations

from windtunnel.errors import DataError

Groups = tuple[tuple[int, ...], ...]
"""For each class of the data the logits that stand for it; the largest of them is its own."""

EITHER = "|"
"""Stands between the classes that one class of the data covers: "n03642806|n03832673" are notebook and laptop."""

IMAGENET = 1000


def output_names(outputs: int, classes: tuple[str, ...]) -> tuple[str, ...]:
    """What a pre-trained classifier's logits stand for, as far as its number of logits and the data's classes tell.

    As many logits as classes are taken to be these, in their order. A thousand logits are taken to be ImageNet's, in the order of the
    challenge of 2012, if the data's classes are WordNet ids or numbers of that order.

    Raises:
        DataError: the logits cannot be matched with the data's classes.
    """
    named = {part for name in classes for part in name.split(EITHER)}
    if outputs == IMAGENET and named <= set(map(str, range(IMAGENET))):
        return tuple(map(str, range(IMAGENET)))
    if outputs == IMAGENET and all(name.startswith("n") and name[1:].isdigit() for name in named):
        return imagenet_ids()
    if outputs == len(classes):
        return classes
    raise DataError(
        f"The model answers with {outputs} logits and the data has {len(classes)} classes; nothing tells which is which. Fine-tune it on the "
        "data (a recipe such as linear-probe or full), or give a model that was trained on these classes."
    )


def groups(names: tuple[str, ...], classes: tuple[str, ...]) -> Groups | None:
    """The logits of each class of the data; None if they are the victim's own classes in their order.

    Args:
        names: of the victim's logits.
        classes: of the data, each one of `names` or several of them with "|" between.
    Raises:
        DataError: the data has a class that the victim does not know.
    """
    if names == classes:
        return None
    place = {name: index for index, name in enumerate(names)}
    strange = [name for name in classes if any(part not in place for part in name.split(EITHER))]
    if strange:
        raise DataError(
            f"the data has the classes {few(classes)}, the classifier {few(names)}, among which is no {strange[0]!r}; "
            "a classifier can only be evaluated on its own classes, or on some of them."
        )
    return tuple(tuple(place[part] for part in name.split(EITHER)) for name in classes)


def few(names: tuple[str, ...]) -> str:
    """The first names, and how many there are."""
    shown = ", ".join(names[:5])
    return f"{shown}, ... ({len(names)})" if len(names) > 5 else shown


def imagenet_ids() -> tuple[str, ...]:
    """WordNet ids of ImageNet's thousand classes in the order of their logits."""
    from timm.data import ImageNetInfo

    return tuple(ImageNetInfo().label_names())
