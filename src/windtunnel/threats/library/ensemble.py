"""The members of AutoAttack, driven through torchattacks on a known set of samples. Imports torch.

Each function makes one attempt on all survivors and returns one candidate per survivor. The attacks' single runs are called
instead of their `perturb`, which reseeds the global generators and thins out the batch behind the back of the keyed draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from windtunnel.threats.library.adapter import Survivors, attacked, library
from windtunnel.threats.library.draws import KeyedDraws, uniform


def apgd(survivors: Survivors, seed: int, purpose: str, *, loss: str, steps: int, rho: float, targets: Tensor | None = None) -> Tensor:
    """Auto-PGD on cross-entropy ("ce"), the DLR loss ("dlr"), or the targeted DLR loss if `targets` are given.

    Source:
        Croce and Hein 2020, arXiv 2003.01690, algorithm 1 and equations 4 and 6.
    Deviation:
        torchattacks' own targeted class moves all samples by the first one's step size in L2; its untargeted class, which does not,
        is run with the targeted loss instead.
    """
    batch = survivors.batch
    with attacked(survivors.victim, batch, seed, purpose) as network:
        attack = library().APGD(network, norm=survivors.norm, eps=survivors.eps, steps=steps, loss=loss, rho=rho)
        if targets is not None:
            attack.loss = "dlr"
            attack.dlr_loss = lambda logits, labels: targeted_dlr(logits, labels, targets)
        highest, standing, _, broken = attack.attack_single_run(batch.inputs, batch.labels)
    return torch.where(standing.view(-1, *[1] * (batch.inputs.ndim - 1)), highest, broken)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The targeted difference of logits ratio, to be increased; needs four classes.

    Source:
        Croce and Hein 2020, arXiv 2003.01690, equation 6.
    """
    ordered = logits.sort(dim=1).values
    gap = logits.gather(1, labels[:, None]) - logits.gather(1, targets[:, None])
    scale = ordered[:, -1] - (ordered[:, -3] + ordered[:, -4]) / 2
    return -gap.squeeze(1) / (scale + 1e-12)  # keeps equal logits from dividing by zero


def fab(survivors: Survivors, seed: int, purpose: str, *, steps: int, place: int) -> Tensor:
    """The targeted fast adaptive boundary attack towards the class that comes `place`-th after the predicted one.

    Source:
        Croce and Hein 2020, arXiv 1907.02044; targeted as in arXiv 2003.01690, section 5.
    """
    batch = survivors.batch
    # Without gradient, as the library's own driver does: the attack switches it on where it needs it.
    with attacked(survivors.victim, batch, seed, purpose) as network, torch.no_grad():
        attack = library().FAB(network, norm=survivors.norm, eps=survivors.eps, steps=steps, multi_targeted=True)
        attack.target_class = place + 1
        found: Tensor = attack.attack_single_run_targeted(batch.inputs, batch.labels)
    return found


def square(survivors: Survivors, seed: int, purpose: str, *, queries: int) -> Tensor:
    """The Square attack: random search with square-shaped changes, on the margin.

    Source:
        Andriushchenko et al. 2020, arXiv 1912.00049.
    """
    batch = survivors.batch
    with attacked(survivors.victim, batch, seed, purpose) as network:
        attack = library().Square(network, norm=survivors.norm, eps=survivors.eps, n_queries=queries)
        attack.init_hyperparam(batch.inputs)
        _key(attack, network.draws, len(batch))
        _, found = attack.attack_single_run(batch.inputs, batch.labels)
    perturbed: Tensor = found
    return perturbed


def _key(attack: Any, draws: KeyedDraws, count: int) -> None:
    """Let a Square attack draw from keyed streams: its three drawing methods are replaced, the search itself is the library's.

    The attack drops a sample once its margin is gone, so the streams follow the samples that are left.
    """
    ask, rows, patterns = attack.margin_and_loss, list(range(count)), dict[int, Tensor]()

    def draw(shape: Sequence[int]) -> Tensor:
        return draws.sample(shape, uniform(torch.float32))

    def random_choice(shape: Sequence[int]) -> Tensor:
        return torch.sign(2 * draw(shape) - 1).to(attack.device)

    def random_int(low: int = 0, high: int = 1, shape: Sequence[int] = (1,)) -> Tensor:
        return (low + (high - low) * draw(shape)).long().to(attack.device)

    def eta(side: int) -> Tensor:
        """The pattern of an L2 window, upright or lying; kept, for it depends on the side alone."""
        if side not in patterns:
            upper, lower = attack.eta_rectangles(side // 2, side), attack.eta_rectangles(side - side // 2, side)
            whole = torch.cat([upper, -lower])
            patterns[side] = whole / whole.square().sum().sqrt()
        return patterns[side].T if float(draw((1,))) > 0.5 else patterns[side]  # a fair coin

    def margin_and_loss(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal rows
        margins, losses = ask(inputs, labels)
        rows = [row for row, stands in zip(rows, (margins > 0).tolist(), strict=True) if stands]
        draws.follow(rows)
        return margins, losses

    attack.random_choice, attack.random_int, attack.eta, attack.margin_and_loss = random_choice, random_int, eta, margin_and_loss
