"""Every recipe of the package textattack against classifiers, by its name, with its own parameters, many texts at a time.

The classes are made from the package's source when they are asked for: its recipes say which parameters there are, and nothing of it is
imported before an attack runs.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.attempt import Attempted
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.flag import Flag
from windtunnel.core.resource import Resource
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError
from windtunnel.language.resources import RESOURCES
from windtunnel.language.stopwords import StopWords
from windtunnel.threats.text.attack import TextAttack
from windtunnel.threats.text.library.recipes import PACKAGE, RECIPES, Recipe, Value, parameters

DISGUISES = Literal["homoglyphs", "invisible", "deletions", "reorderings"]
"""Values of the one parameter that is a word: `perturbation_type` of `bad-characters`."""

OTHERWISE = {
    "a2t": "the package takes the gradient in training mode, with dropout; here the classifier stays as it is evaluated.",
    "bert-attack": "it tries 8 candidates a word where the published attack tries 48. Use `max_candidates: 48`.",
    "kuleshov": "the published attack is content when the true class has a probability below 0.7; here the classifier has to err.",
    "bad-characters": "its goal is a target class in the package; here the classifier has to err.",
}
"""What is done otherwise than in the publication or the package."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LibraryTextAttack(TextAttack):
    """Base of the recipes of textattack; concrete ones have the parameters of their constraints, transformations and searches.

    Python's, NumPy's and torch's draws are keyed by sample, so that neither batch nor order changes what becomes of one.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch", "transformers", "textattack", "nltk")
    name: ClassVar[str] = ""

    queries: PositiveInt | None = None
    seconds: PositiveFloat = 600.0

    def passes(self) -> float:
        """A guess: a population's generations where there is one, else about ten questions a word of a sentence."""
        generations: int = getattr(self, "max_iters", getattr(self, "maxiter", 0))
        size: int = getattr(self, "pop_size", getattr(self, "popsize", 0))
        guess = float(generations * size) or 200.0
        return guess if self.queries is None else min(guess, float(self.queries))

    def resources(self) -> tuple[Resource, ...]:
        """What the recipe reads."""
        names = RECIPES[self.name].needs
        if getattr(self, "mlm", False):
            names = tuple("bert-base-uncased" if name == "embedding" else name for name in names)
        return tuple(RESOURCES[name] for name in names)

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """What of a published method the package does otherwise."""
        if self.name != "bert-attack" or getattr(self, "max_candidates", 0) >= 48:
            return ()
        return (Flag("not-the-published-method", f"{self.use} is not the published method: {OTHERWISE[self.name]}"),)

    def perturb(self, victim: Victim, batch: Batch[Texts], level: Fraction, seed: int) -> Attempted:
        """What the recipe makes of each text, and how each attempt went.

        Raises:
            MissingPackageError: textattack is not installed.
            ResourceError: something that the recipe reads is not installed.
            VictimError: the recipe crashes on every text, or follows gradients that the victim does not give.
        """
        from windtunnel.language.textattack import provided
        from windtunnel.threats.text.library.making import bounded, made
        from windtunnel.threats.text.library.searches import Limits, Target, search

        self.require()
        texts = batch.inputs
        keys = [(seed, self.use, name) for name in batch.ids]
        rows = [tuple(zip(texts.fields, row, strict=True)) for row in texts]
        targets = [Target(row, int(label), key) for row, label, key in zip(rows, batch.labels.tolist(), keys, strict=True)]
        with provided(getattr(self, "stop_words", "nltk-198"), self._wordnet()):
            values = {name: getattr(self, name) for name in parameters(self.name).defaults}
            attack = bounded(made(self.name, values, self._wrapper(victim, texts)), level, texts)
            found = search(
                attack, lambda asked: victim.logits(Texts(tuple(asked), texts.fields, texts.open)), targets, Limits(self.queries, self.seconds)
            )
        attempts = tuple(each.attempt for each in found)
        if all(each.status == "unfinished" for each in attempts):
            raise VictimError(f"{self.use} finished on none of {len(attempts)} texts; of {batch.ids[0]!r} it says: {attempts[0].reason}")
        return Attempted(texts.put(range(len(texts)), Texts(tuple(each.row for each in found), texts.fields, texts.open)), attempts)

    def _wrapper(self, victim: Victim, texts: Texts) -> Any:
        """What the recipe asks for gradients, if it does."""
        if RECIPES[self.name].gradient:
            from windtunnel.threats.text.library.gradients import Gradients

            return Gradients(victim, texts)
        from windtunnel.threats.text.library.making import Unasked

        return Unasked()

    def _wordnet(self) -> Any:
        """A reader where the recipe substitutes English synonyms."""
        if "wordnet" not in RECIPES[self.name].needs:
            return None
        from windtunnel.language.nltk_wordnet import reader
        from windtunnel.language.wordnet import find_wordnet

        folder = find_wordnet()
        assert folder is not None, "the attack has asked for it"
        return reader(folder)


def __getattr__(name: str) -> type[LibraryTextAttack]:
    for key, recipe in RECIPES.items():
        if recipe.kind == name:
            return _attack(key)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _attack(name: str) -> type[LibraryTextAttack]:
    """The class of one recipe, its fields read off the package's source."""
    recipe, known = RECIPES[name], parameters(name)
    fields: dict[str, tuple[Any, Any]] = {key: (_type(value), field(default=value)) for key, value in known.defaults.items()}
    if known.stop_words:
        fields["stop_words"] = (StopWords, field(default="nltk-198"))
    if "perturbation_type" in fields:
        fields["perturbation_type"] = (DISGUISES, field(default="homoglyphs"))
    body: dict[str, Any] = {
        "__doc__": _text(name, recipe, known.defaults, known.stop_words),
        "__module__": __name__,
        "use": f"{PACKAGE}/{name}",
        "name": name,
        **{key: default for key, (_, default) in fields.items()},
        "__annotations__": {key: kind for key, (kind, _) in fields.items()},
    }
    decorate: Any = dataclass(frozen=True, kw_only=True, config=STRICT)
    finished: type[LibraryTextAttack] = decorate(type(recipe.kind, (LibraryTextAttack,), body))
    return finished


def _text(name: str, recipe: Recipe, defaults: dict[str, Value], stop_words: bool) -> str:
    lines = [f"        {key}: a parameter of textattack; its default is {value}." for key, value in defaults.items() if value is not None]
    if "perturbation_type" in defaults:
        lines.append("        perturbation_type: how characters are disguised.")
    if stop_words:
        lines.append("        stop_words: which of the two lists that NLTK's corpus has had; these words are left alone.")
    head = [
        f"The recipe {name} of the package textattack, as it is there.",
        "",
        "    Args:",
        "        words: largest share of a text's words that may change, rounded up to whole words; 1 leaves it to the recipe.",
        "        queries: a text, counted as textattack does; no bound if left out.",
        "        seconds: that the search on one text may take, the victim's time not counted.",
        *lines,
        "    Source:",
        f"        {recipe.source[0].upper()}{recipe.source[1:]}. The package textattack, Morris et al. 2020, arXiv 2005.05909.",
    ]
    if name in OTHERWISE:
        head += ["    Deviation:", f"        {OTHERWISE[name][0].upper()}{OTHERWISE[name][1:]}"]
    return "\n".join(head) + "\n    "


def _type(value: Value) -> Any:
    return Any if value is None else type(value)
