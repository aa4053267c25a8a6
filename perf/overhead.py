"""What the harness itself costs on top of the bare attack and training loops. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
import torchattacks
from torch import Tensor, nn

from perf import bare
from perf.material import NETWORKS, SEED, Tensors, digits, finetuning, settle, supervised
from perf.report import Figure, Section
from perf.timing import Job, Times, interleave, ratio
from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.dataset import Splits
from windtunnel.core.threat import MICRO_BATCH, Threat
from windtunnel.core.victim import Meter, Victim, metered

ROUNDS = 15
SAMPLES = 200
STEPS = 20
EPS = Fraction(8, 255)
EPOCHS = 2
AT_MOST = 0.05

ATTACK = """\
**Attack.** PGD with {steps} steps at Linf 8/255 through `threat(victim, batch)` on {samples} test samples of `digits`, as many as in the
benchmark `digits-linf`, against the loop that a user needs for the same number: the module's answers, `torchattacks.PGD` on the samples that it
classified rightly, the answers on what came out. Both attack the same module and the same samples in micro-batches of {batch}, with the same
step length. PGD stops early for no sample, so both do the same work, which meters in the network confirm:

{meters}

What the harness does beside: it checks range and norm, draws each sample's start from its own generator, notes outcomes per sample, and looks for
masked gradients and for noise that does as well as the attack, with 3 passes over at most 32 samples, whatever the number evaluated. The
rows "added to the attack alone" compare with `torchattacks.PGD` on the rightly classified samples, nobody asking the module which those are or
whether they stand afterwards; they are given for the record and have no target.
"""

TRAINING = """\
**Training.** The recipe `full` for {epochs} epochs against a plain loop over tensors in memory: same initial weights, same batches in the same order,
AdamW with the same learning rates, accuracy on the validation split after each epoch, a copy of the best weights. That they do the same job
is seen from what comes out:

{same}

Network and data are loaded outside the clock. One thread, {rounds} interleaved rounds for each comparison.
"""


@dataclass(frozen=True)
class Passes:
    """Sample-passes of one repetition.

    Args:
        ours, bare: forward and backward, counted in the network.
        attacked: samples that were rightly classified, so attacked.
        correct: samples that stand after the attack.
    """

    ours: Meter
    bare: Meter
    attacked: int
    correct: tuple[int, int]

    def __str__(self) -> str:
        return (
            f"{self.attacked} samples attacked, {self.correct[0]} (harness) and {self.correct[1]} (loop) stand; "
            f"forward {self.ours.forward} and {self.bare.forward}, backward {self.ours.backward} and {self.bare.backward}"
        )


def measure(rounds: int = ROUNDS) -> Section:
    """Attack and training, for each network."""
    settle()
    data = digits()
    figures: list[Figure] = []
    meters, same = [], []
    for network in NETWORKS:
        module, batch = victim(network, data), data["test"].batch(range(SAMPLES))
        figures += attack_figures(network, module, batch, rounds)
        meters.append(f"- {network}: {passes(module, batch)}.")
    for network in NETWORKS:
        figures.append(training_figure(network, data, rounds))
        same.append(f"- {network}: the weights differ by at most {same_weights(network, data):.2g}.")
    text = ATTACK.format(steps=STEPS, samples=SAMPLES, batch=MICRO_BATCH, meters="\n".join(meters))
    text += "\n" + TRAINING.format(epochs=EPOCHS, rounds=rounds, same="\n".join(same))
    return Section("overhead", tuple(figures), text)


def victim(network: str, data: Splits) -> nn.Module:
    """A network fine-tuned just long enough to be worth attacking."""
    module = supervised("full", epochs=EPOCHS).finetune(finetuning(network, data)).network
    return module.requires_grad_(False)


def pgd() -> Threat:
    """The threat under measurement."""
    return THREATS.load("pgd")(eps=(EPS,), steps=STEPS, stop_when_broken=False)  # type: ignore[call-arg]  # the table knows nouns, not their arguments


def attack_alone(module: nn.Module, batch: Batch) -> list[Tensor]:
    """What torchattacks makes of samples known to be rightly classified."""
    attack = torchattacks.PGD(module, eps=float(EPS), alpha=float(Fraction(5, 2) * EPS / STEPS), steps=STEPS)
    return [attack(piece.inputs, piece.labels) for piece in batch.chunks(MICRO_BATCH)]


def bare_attack(module: nn.Module, batch: Batch) -> int:
    """How many samples stand, by a loop without a harness."""
    right = batch.take((bare.answers(module, _inputs(batch)) == batch.labels).nonzero().flatten())
    return int((bare.answers(module, attack_alone(module, right)) == right.labels).sum())


def passes(module: nn.Module, batch: Batch) -> Passes:
    """Count what both do."""
    meter = Meter()
    stand = bare_attack(metered(module, meter).eval(), batch)
    ours = Victim(module)
    outcome = pgd()(ours, batch, seed=SEED)
    attacked = int((outcome.clean_predicted == outcome.labels).sum())
    return Passes(ours.meter, meter, attacked, (int((outcome.predicted[-1] == outcome.labels).sum()), stand))


def attack_figures(network: str, module: nn.Module, batch: Batch, rounds: int) -> list[Figure]:
    """The harness against the loop, and against the attack alone."""
    threat, frozen = pgd(), Victim(module)
    right = batch.take((bare.answers(module, _inputs(batch)) == batch.labels).nonzero().flatten())
    found = interleave(
        [
            Job("ours", lambda _: threat(frozen, batch, seed=SEED)),
            Job("bare", lambda _: bare_attack(module, batch)),
            Job("alone", lambda _: attack_alone(module, right)),
        ],
        rounds,
    )
    whole = _figure(f"PGD-{STEPS}, {network}: added to the bare loop", found["ours"], found["bare"], judged=True)
    alone = _figure(f"PGD-{STEPS}, {network}: added to the attack alone, which answers nothing", found["ours"], found["alone"], judged=False)
    return [whole, alone]


def training_figure(network: str, data: Splits, rounds: int) -> Figure:
    """The recipe against the loop."""
    recipe, train, val = supervised("full", epochs=EPOCHS), Tensors.of(data["train"]), Tensors.of(data["val"])
    found = interleave(
        [
            Job("ours", recipe.finetune, lambda: finetuning(network, data)),
            Job("bare", lambda work: bare.train_all(work, recipe, train, val), lambda: finetuning(network, data)),
        ],
        rounds,
    )
    return _figure(f"full fine-tuning, {network}: added to the bare loop", found["ours"], found["bare"], judged=True)


def same_weights(network: str, data: Splits) -> float:
    """Largest difference between two weights after training both ways."""
    ours = supervised("full", epochs=EPOCHS).finetune(finetuning(network, data)).network.state_dict()
    recipe, train, val = supervised("full", epochs=EPOCHS), Tensors.of(data["train"]), Tensors.of(data["val"])
    theirs = bare.train_all(finetuning(network, data), recipe, train, val).state_dict()
    return max(float((ours[name] - theirs[name]).double().abs().max()) for name in ours)


def _inputs(batch: Batch) -> tuple[Tensor, ...]:
    return torch.split(batch.inputs, MICRO_BATCH)


def _figure(name: str, ours: Times, bare_times: Times, *, judged: bool) -> Figure:
    more = ratio(ours, bare_times)
    measured = (
        f"{more.medians - 1:+.1%} by medians, {more.minima - 1:+.1%} by minima, rounds from {more.low - 1:+.1%} to {more.high - 1:+.1%}: "
        f"{ours} against {bare_times}"
    )
    return Figure(name, f"at most {AT_MOST:.0%}" if judged else "", measured, more.medians - 1 <= AT_MOST if judged else None)
