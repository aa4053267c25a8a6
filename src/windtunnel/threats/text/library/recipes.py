"""Recipes: the attacks of textattack by name, what each needs, and its parameters as the package's source says them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from windtunnel.errors import MissingPackageError

PACKAGE = "textattack"


class Recipe(NamedTuple):
    """What is known of a recipe without its package.

    Args:
        module: below `textattack.attack_recipes`.
        kind: its class there.
        source: where it was published.
        needs: resources, by their names in `windtunnel.language.resources`.
        fixed: arguments of its `build` that are not the user's.
        gradient: whether it follows the gradient of the loss by the victim's embedding of words.
    """

    module: str
    kind: str
    source: str
    needs: tuple[str, ...] = ()
    fixed: Mapping[str, str] = MappingProxyType({})
    gradient: bool = False


RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "a2t": Recipe(
            "a2t_yoo_2021",
            "A2TYoo2021",
            "Yoo and Qi 2021, arXiv 2109.00544",
            ("embedding", "tagger", "stsb-distilbert-base"),
            gradient=True,
        ),
        "alzantot": Recipe(
            "genetic_algorithm_alzantot_2018",
            "GeneticAlgorithmAlzantot2018",
            "Alzantot et al. 2018, arXiv 1804.07998",
            ("embedding", "google-language-model"),
        ),
        "bad-characters": Recipe(
            "bad_characters_2021",
            "BadCharacters2021",
            "Boucher et al. 2021, arXiv 2106.09898",
            fixed=MappingProxyType({"goal_function_type": "targeted_classification"}),
        ),
        "bae": Recipe(
            "bae_garg_2019",
            "BAEGarg2019",
            "Garg and Ramakrishnan 2020, arXiv 2004.01970",
            ("bert-base-uncased", "tagger", "universal-sentence-encoder"),
        ),
        "bert-attack": Recipe(
            "bert_attack_li_2020", "BERTAttackLi2020", "Li et al. 2020, arXiv 2004.09984", ("bert-base-uncased", "universal-sentence-encoder")
        ),
        "checklist": Recipe("checklist_ribeiro_2020", "CheckList2020", "Ribeiro et al. 2020, arXiv 2005.04118", ("flair",)),
        "clare": Recipe("clare_li_2020", "CLARE2020", "Li et al. 2020, arXiv 2009.07502", ("distilroberta-base", "universal-sentence-encoder")),
        "deepwordbug": Recipe("deepwordbug_gao_2018", "DeepWordBugGao2018", "Gao et al. 2018, arXiv 1801.04354"),
        "faster-alzantot": Recipe(
            "faster_genetic_algorithm_jia_2019",
            "FasterGeneticAlgorithmJia2019",
            "Jia et al. 2019, arXiv 1909.00986",
            ("embedding", "learning-to-write"),
        ),
        "french": Recipe("french_recipe", "FrenchRecipe", "none; the package's own", ("flair", "multilingual-wordnet")),
        "iga": Recipe("iga_wang_2019", "IGAWang2019", "Wang et al. 2019, arXiv 1909.06723", ("embedding",)),
        "kuleshov": Recipe("kuleshov_2017", "Kuleshov2017", "Kuleshov et al. 2018, OpenReview r1QZ3zbAZ", ("embedding", "gpt2")),
        "leap": Recipe("leap_2023", "LEAP2023", "Xiao et al. 2023, arXiv 2308.11284", ("wordnet",)),
        "pruthi": Recipe("pruthi_2019", "Pruthi2019", "Pruthi et al. 2019, arXiv 1905.11268"),
        "pso": Recipe("pso_zang_2020", "PSOZang2020", "Zang et al. 2020, arXiv 1910.12196", ("hownet", "flair")),
        "pwws": Recipe("pwws_ren_2019", "PWWSRen2019", "Ren et al. 2019, ACL Anthology P19-1103", ("wordnet",)),
        "spanish": Recipe("spanish_recipe", "SpanishRecipe", "none; the package's own", ("flair", "multilingual-wordnet")),
        "textbugger": Recipe(
            "textbugger_li_2018", "TextBuggerLi2018", "Li et al. 2018, arXiv 1812.05271", ("embedding", "universal-sentence-encoder")
        ),
        "textfooler": Recipe(
            "textfooler_jin_2019", "TextFoolerJin2019", "Jin et al. 2019, arXiv 1907.11932", ("embedding", "tagger", "universal-sentence-encoder")
        ),
    }
)
"""Those that make a classifier err.

Without `hotflip`, which the package runs on its own LSTM of whole words alone; `input-reduction`, which keeps the prediction; `morpheus` and
`seq2sick`, which attack translations; and `chinese`, whose table of homophones is not in the package.
"""

BY_PLACE: Final[Mapping[str, str]] = MappingProxyType({"LevenshteinEditDistance": "max_edit_distance"})
"""Parameters that recipes give without their names."""

NOT_THEIRS = ("allow_skip", "verbose", "model_batch_size", "batch_size", "target_max_score")
"""Parameters that change no result, or that are ours: what counts is that the classifier errs."""

Value = bool | int | float | None


class Parameters(NamedTuple):
    """The parameters of a recipe.

    Args:
        build: those of its function `build`, with their defaults.
        parts: class of a constraint, transformation or search -> parameters that the recipe gives to it.
        stop_words: whether it leaves NLTK's stop words alone.
    """

    build: Mapping[str, Value]
    parts: Mapping[str, Mapping[str, Value]]
    stop_words: bool

    @property
    def defaults(self) -> dict[str, Value]:
        """All of them by name; one that is given to several parts counts only if all are given the same."""
        found: dict[str, list[Value]] = {}
        for part in (self.build, *self.parts.values()):
            for name, value in part.items():
                found.setdefault(name, []).append(value)
        return {name: values[0] for name, values in found.items() if len(set(values)) == 1}


@cache
def parameters(name: str) -> Parameters:
    """Parameters of a recipe with their defaults, read from the package's source.

    Raises:
        MissingPackageError: textattack is not installed, or has no such recipe.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingPackageError("Attacks of textattack need that package. Install it with: pip install 'windtunnel[text]'")
    recipe = RECIPES[name]
    path = Path(spec.origin).parent / "attack_recipes" / f"{recipe.module}.py"
    build = next(_builds(path, recipe.kind), None) if path.is_file() else None
    if build is None:
        raise MissingPackageError(f"The installed textattack has no recipe {recipe.kind}. Install another version: pip install -U textattack")
    parts: dict[str, dict[str, Value]] = {}
    calls = [(node, node.func.id) for node in ast.walk(build) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call, kind in calls:
        for key, value in _given(call, kind) if kind[0].isupper() else ():
            parts.setdefault(kind, {})[key] = value
    stop_words = any(kind == "StopwordModification" and not (call.args or call.keywords) for call, kind in calls)
    return Parameters(dict(_defaults(build)), parts, stop_words)


def _builds(path: Path, kind: str) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            yield from (each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "build")


def _defaults(build: ast.FunctionDef) -> Iterator[tuple[str, Value]]:
    names = [argument.arg for argument in build.args.args]
    for name, node in zip(names[len(names) - len(build.args.defaults) :], build.args.defaults, strict=True):
        if name not in NOT_THEIRS:
            yield name, ast.literal_eval(node)


def _given(call: ast.Call, kind: str) -> Iterator[tuple[str, Value]]:
    """Numbers and switches that a call is given; words choose a method, and make another recipe."""
    named = [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None]
    placed = [(BY_PLACE[kind], call.args[0])] if kind in BY_PLACE and call.args else []
    for name, node in (*named, *placed):
        if name not in NOT_THEIRS and isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            yield name, node.value
