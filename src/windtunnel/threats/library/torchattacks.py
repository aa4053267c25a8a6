"""Every attack of the package torchattacks by its name, with its own parameters, behind the same verification as all others.

The classes are made from the package's source when they are asked for: its constructors say which parameters there are, and nothing of it is
imported before an attack runs.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import field
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radii, Radius
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.errors import MissingPackageError, VictimError
from windtunnel.seeding import integer
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

MODULE = "torchattacks"


class Kind(NamedTuple):
    """What an attack's constructor does not say.

    Args:
        norm: in which it is bounded, or what it keeps small.
        radius: its parameter for the radius; empty for one that looks for the smallest change.
        black_box: asks for answers only.
        norms: of an attack that takes `norm`.
    """

    norm: Literal["Linf", "L2", "L1", "L0"]
    radius: str = "eps"
    black_box: bool = False
    norms: tuple[str, ...] = ()


_LINF, _BOTH = Kind("Linf"), ("Linf", "L2")
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(("FGSM", "BIM", "RFGSM", "PGD", "EOTPGD", "FFGSM", "TPGD", "MIFGSM", "UPGD", "DIFGSM", "TIFGSM", "Jitter", "NIFGSM"), _LINF),
        **dict.fromkeys(("PGDRS", "SINIFGSM", "VMIFGSM", "VNIFGSM"), _LINF),
        "GN": Kind("L2", ""),
        "APGD": Kind("Linf", norms=_BOTH),
        "APGDT": Kind("Linf", norms=_BOTH),
        "SPSA": Kind("Linf", black_box=True),
        "PIFGSM": Kind("Linf", "max_epsilon"),
        "PIFGSMPP": Kind("Linf", "max_epsilon"),
        "CW": Kind("L2", ""),
        "PGDL2": Kind("L2"),
        "PGDRSL2": Kind("L2"),
        "DeepFool": Kind("L2", ""),
        "EADEN": Kind("L2", ""),
        "EADL1": Kind("L1", ""),
        "SparseFool": Kind("L0", ""),
        "OnePixel": Kind("L0", "", black_box=True),
        "Pixle": Kind("L0", "", black_box=True),
        "JSMA": Kind("L0", ""),
        "FAB": Kind("Linf", norms=(*_BOTH, "L1")),
        "AutoAttack": Kind("Linf", norms=_BOTH),
        "Square": Kind("Linf", norms=_BOTH, black_box=True),
    }
)
"""Its attacks; without VANILA, which does nothing, MultiAttack, which is a list of others, and LGV, which trains surrogates."""

OURS = ("n_classes", "seed", "verbose")
"""Parameters that are not the user's: the victim says how many classes there are, and draws are keyed."""

WEAKER = {
    "AutoAttack": "its APGD takes 10 steps where the published one takes 100, so robustness is overstated. Use `autoattack`.",
    "CW": "it takes one constant where the published attack searches for the best by bisection, so distances are overstated. Use `cw`.",
    "APGD": "of its `steps` the published attack takes 100. Use `apgd`, or `steps: 100`.",
    "APGDT": "of its `steps` the published attack takes 100. Use `apgd`, or `steps: 100`.",
}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LibraryAttack(Attack):
    """Base of the attacks of torchattacks; concrete ones have the parameters of its constructors.

    Torch's draws that have a row for each sample are keyed by sample. Others (of NumPy, or one for a whole batch) are keyed by the batch.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch", "torchattacks")
    kind: ClassVar[Kind] = _LINF
    name: ClassVar[str] = ""

    def passes(self) -> float:
        """A guess from the number of steps."""
        steps = next((int(getattr(self, key)) for key in ("steps", "n_queries", "max_iterations", "num_iter_set") if hasattr(self, key)), 1)
        return (1 if self.black_box else 2) * steps * {"AutoAttack": 400, "APGDT": 9}.get(self.name, 1) * getattr(self, "binary_search_steps", 1)

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """What of a published method the package does otherwise."""
        why = WEAKER.get(self.name)
        if why is None or (getattr(self, "steps", 0) >= 100 and self.name in ("APGD", "APGDT")):
            return ()
        return (Flag("not-the-published-method", f"{self.use} is not the published method: {why}"),)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """What the package's attack makes of the inputs, where it lies within the budget; the inputs elsewhere.

        Raises:
            MissingPackageError: torchattacks is not installed.
            VictimError: the package's code fails, e.g. of TIFGSM on grey images.
        """
        import warnings

        import torch

        from windtunnel.core.ball import column
        from windtunnel.core.budget import distances, tolerance
        from windtunnel.seeding import scoped
        from windtunnel.threats.library.adapter import Attacked, library
        from windtunnel.threats.library.draws import KeyedDraws

        kind = getattr(library(), self.name)
        own = {"n_classes": victim.logits(batch.inputs[:1]).shape[1], "seed": integer(seed, self.use) % 2**31, "verbose": False}
        given = {**own, **{key: _plain(getattr(self, key)) for key in _parameters(self.name) if key not in (*OURS, self.kind.radius)}}
        if self.kind.radius:
            given[self.kind.radius] = float(level)
        known = inspect.signature(kind.__init__).parameters
        with scoped(seed, self.use, *batch.ids), KeyedDraws(batch.ids, seed, self.use, batch.inputs.ndim):
            attack = kind(Attacked(victim), **{key: value for key, value in given.items() if key in known})
            try:
                with warnings.catch_warnings(action="ignore"):  # about NumPy and torch having moved on
                    found: Tensor = attack(batch.inputs, batch.labels).detach().to(batch.inputs)
            except (RuntimeError, ValueError, IndexError, TypeError) as error:
                shape = tuple(batch.inputs.shape[1:])
                raise VictimError(f"{self.use} cannot attack {victim.name} with inputs of shape {shape}; the package says: {error}") from error
        found = found.clamp(0, 1)  # the package's projections are a rounding off; NaN stays, and fails the cell
        if self.kind.radius:
            return found
        far = distances(self.measured_norm, batch.inputs, found)
        inside = far <= float(level) + tolerance(self.measured_norm, float(level), batch.inputs[0].numel())
        return torch.where(column(inside, found), found, batch.inputs)


def __getattr__(name: str) -> type[LibraryAttack]:
    if name not in KINDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _attack(name)


@cache
def _attack(name: str) -> type[LibraryAttack]:
    """The class of one attack, its fields read off the package's constructor."""
    kind = KINDS[name]
    default = None
    fields: list[tuple[str, Any, Any]] = []
    lines = []
    for key, value in _parameters(name).items():
        if key in OURS or key == "norm":
            continue
        if key == kind.radius:
            default = value if isinstance(value, Fraction) else Fraction(str(value))
            continue
        fields.append((key, _type(value), field(default=value)))
        lines.append(f"        {key}: a parameter of torchattacks; its default is {value}.")
    choices: Any = Literal[kind.norms or (kind.norm,)]
    fields.append(("norm", choices, field(default=kind.norm)))
    if default is not None:
        fields.append(("eps", Radii, field(default=(default,))))
    members: dict[str, Any] = {
        "__doc__": _text(name, kind, lines),
        "__module__": __name__,
        "use": f"{MODULE}/{name}",
        "name": name,
        "kind": kind,
        "black_box": kind.black_box,
        "minimal": not kind.radius,
    }
    annotations = {key: kind_of for key, kind_of, _ in fields}
    if default is None:
        annotations["eps"] = Radii
        members["eps"] = field()
    body = {**members, **{key: value for key, _, value in fields}, "__annotations__": annotations}
    made = type(name, (LibraryAttack,), body)
    decorate: Any = dataclass(frozen=True, kw_only=True, config=STRICT)
    finished: type[LibraryAttack] = decorate(made)
    return finished


def _text(name: str, kind: Kind, lines: list[str]) -> str:
    norms = " or ".join(f'"{each}"' for each in kind.norms or (kind.norm,))
    what = "in which changes are bounded" if kind.radius else "in which it is measured"
    radius = (
        "radius in input units"
        if kind.radius
        else "radius in input units that a change must keep to in order to count; the attack itself looks for a small one"
    )
    head = [
        f"{name} of the package torchattacks, as it is there.",
        "",
        "    Args:",
        f"        norm: {norms}, {what}.",
        f"        eps: {radius}; several make one curve.",
        *lines,
        "    Source:",
        "        The package torchattacks, Kim 2020, arXiv 2010.01950.",
    ]
    if name in WEAKER:
        head += ["    Deviation:", f"        From the published method: {WEAKER[name]}"]
    return "\n".join(head) + "\n    "


def _type(value: Any) -> Any:
    if isinstance(value, Fraction):
        return Radius
    return float | int if type(value) is float else type(value)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) else value


@cache
def _parameters(name: str) -> Mapping[str, Any]:
    """Parameters of an attack's constructor with their defaults, read from the package's source.

    Raises:
        MissingPackageError: torchattacks is not installed, or has no such attack.
    """
    found = _constructors().get(name)
    if found is None:
        raise MissingPackageError(f"The installed torchattacks has no attack {name}. Install another version: pip install -U torchattacks")
    return found


@cache
def _constructors() -> Mapping[str, Mapping[str, Any]]:
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise MissingPackageError("Attacks of torchattacks need that package. Install it with: pip install 'windtunnel[vision]'")
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted((Path(spec.origin).parent / "attacks").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in KINDS:
                found[node.name] = dict(_defaults(node))
    return found


def _defaults(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            names = [argument.arg for argument in method.args.args]
            values = method.args.defaults
            yield from ((name, _value(value)) for name, value in zip(names[len(names) - len(values) :], values, strict=True))


def _value(node: ast.expr) -> Any:
    """A default: a literal, or a quotient of two, which stays exact."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return Fraction(ast.literal_eval(node.left)) / Fraction(ast.literal_eval(node.right))
    return ast.literal_eval(node)
