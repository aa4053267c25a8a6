"""Linear probing with features computed once, against training the same head through the frozen backbone. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass

from perf import bare
from perf.material import NETWORKS, Tensors, digits, finetuning, settle, supervised
from perf.report import Figure, Section
from perf.timing import Job, Ratio, Times, interleave, ratio
from windtunnel.core.dataset import Splits
from windtunnel.core.network import Network
from windtunnel.recipes.supervised import Supervised

ROUNDS = 5
NAIVE_EPOCHS = 5
AT_LEAST = 10.0

TEXT = """\
The recipe `linear-probe` as it comes ({epochs} epochs on `digits`: {count} training samples; AdamW, cosine schedule), its one pass over the data for
the features included, against a loop that trains the same head through the frozen backbone in evaluation mode: same initial head, same
batches in the same order, same optimiser and learning rates, the validation split after each epoch. The loop gets its data as one tensor
in memory. It runs {naive} epochs; its seconds are multiplied by {epochs}/{naive}, which flatters neither, since it has nothing to do but epochs.
Loading data and network is outside the clock on both sides. One thread, {rounds} interleaved rounds.

Both heads trained for {naive} epochs:

{heads}
"""


@dataclass(frozen=True)
class Heads:
    """What the two ways of training a head lead to.

    Args:
        ours, naive: accuracy on the test split.
        difference: largest difference between two weights.
        size: largest weight.
    """

    ours: float
    naive: float
    difference: float
    size: float

    def __str__(self) -> str:
        return (
            f"test accuracy {self.ours:.2%} (recipe) and {self.naive:.2%} (loop); "
            f"weights differ by at most {self.difference:.1g}, the largest being {self.size:.2g}"
        )


def measure(rounds: int = ROUNDS, epochs: int | None = None) -> Section:
    """One figure per network.

    Args:
        rounds: repetitions.
        epochs: of the recipe; its default if left out.
    """
    settle()
    data = digits()
    recipe = supervised("linear-probe") if epochs is None else supervised("linear-probe", epochs=epochs)
    figures, heads = [], []
    for network in NETWORKS:
        ours, naive = times(network, data, recipe, rounds)
        figures.append(_figure(network, ours, naive, ratio(naive, ours)))
        heads.append(f"- {network}: {same_head(network, data, NAIVE_EPOCHS)}.")
    text = TEXT.format(epochs=recipe.epochs, naive=NAIVE_EPOCHS, rounds=rounds, count=len(data["train"]), heads="\n".join(heads))
    return Section("linear_probe", tuple(figures), text)


def times(network: str, data: Splits, recipe: Supervised, rounds: int) -> tuple[Times, Times]:
    """Seconds of the recipe, and of the loop for as many epochs."""
    short = supervised("linear-probe", epochs=NAIVE_EPOCHS)
    train, val = Tensors.of(data["train"]), Tensors.of(data["val"])
    found = interleave(
        [
            Job("ours", recipe.finetune, lambda: finetuning(network, data)),
            Job("naive", lambda work: bare.train_head(work, short, train, val), lambda: finetuning(network, data)),
        ],
        rounds,
    )
    return found["ours"], found["naive"].scaled(recipe.epochs / NAIVE_EPOCHS)


def same_head(network: str, data: Splits, epochs: int) -> Heads:
    """Train a head both ways and compare."""
    recipe = supervised("linear-probe", epochs=epochs)
    ours = recipe.finetune(finetuning(network, data)).network
    naive = bare.train_head(finetuning(network, data), recipe, Tensors.of(data["train"]), Tensors.of(data["val"]))
    test = Tensors.of(data["test"])
    return Heads(bare.accuracy(ours, test), bare.accuracy(naive, test), _apart(ours, naive), float(naive.head.weight.detach().abs().max()))


def _apart(ours: Network, naive: Network) -> float:
    return float((ours.head.weight - naive.head.weight).detach().abs().max())


def _figure(network: str, ours: Times, naive: Times, faster: Ratio) -> Figure:
    measured = f"{faster.medians:.0f} times ({faster.low:.0f} to {faster.high:.0f}): {ours} against {naive}"
    return Figure(
        f"linear probe, {network}: faster than through the frozen backbone", f"at least {AT_LEAST:.0f} times", measured, faster.medians >= AT_LEAST
    )
