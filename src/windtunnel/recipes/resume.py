"""Going on inside a fine-tuning that was interrupted: everything that the next epoch depends on, kept after an epoch. Imports torch."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from windtunnel.core.recipe import Checkpoint, Epoch

if TYPE_CHECKING:
    from windtunnel.recipes.training import Loop

VERSION = 2


@dataclass
class Past:
    """What the stages that are over left behind, beside the network.

    Args:
        curves: theirs.
        parts: name of a stage -> in how many parts its batches had to be worked through, where that is more than was asked for.
    """

    curves: list[Epoch] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Resume:
    """Where to go on.

    Args:
        checkpoint: where it is kept; None keeps nothing.
        stage: number of the stage to go on with.
        past: what the stages before it left.
        kept: the rest, as it was kept; None to begin from the beginning.
    """

    checkpoint: Checkpoint | None
    stage: int = 0
    past: Past = field(default_factory=Past)
    kept: dict[str, Any] | None = None

    @classmethod
    def of(cls, checkpoint: Checkpoint | None) -> Resume:
        """What a checkpoint holds."""
        content = checkpoint.read() if checkpoint is not None else None
        if content is None:
            return cls(checkpoint)
        kept = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if kept.get("version") != VERSION:
            return cls(checkpoint)
        past = Past([Epoch(**each) for each in kept["earlier"]], kept["parts"])
        return cls(checkpoint, kept["stage"], past, kept)

    def put_back(self, loop: Loop) -> int:
        """Make a loop as it was after its last epoch that was kept; the number of that epoch."""
        kept = self.kept
        if kept is None:
            return 0
        loop.network.load_state_dict(kept["network"])
        loop.optimizer.load_state_dict(kept["optimizer"])
        loop.scaler.load_state_dict(kept["scaler"])
        loop.pieces = kept["pieces"]
        device = loop.fitting.device
        loop.fitting.state.update(
            {name: tensor.to(loop.fitting.state[name].device if name in loop.fitting.state else device) for name, tensor in kept["state"].items()}
        )
        with torch.no_grad():
            for parameter, value in zip((each for hook in loop.hooks for each in hook.parameters()), kept["own"], strict=True):
                parameter.copy_(value)
        trained = loop.trained
        trained.best, trained.best_epoch, trained.best_figure = kept["best"], kept["best_epoch"], kept["best_figure"]
        trained.last = kept["last"]
        trained.curves = [Epoch(**each) for each in kept["curves"]]
        return int(kept["epoch"])

    def keep(self, loop: Loop, stage: int, epoch: int, past: Past) -> None:
        """Keep everything after an epoch, unless that was done a moment ago."""
        if self.checkpoint is None or not self.checkpoint.due():
            return
        trained = loop.trained
        content = {
            "version": VERSION,
            "stage": stage,
            "epoch": epoch,
            "earlier": [asdict(each) for each in past.curves],
            "parts": past.parts,
            "network": loop.network.state_dict(),
            "optimizer": loop.optimizer.state_dict(),
            "scaler": loop.scaler.state_dict(),
            "pieces": loop.pieces,
            "state": loop.fitting.state,
            "own": [each.detach() for hook in loop.hooks for each in hook.parameters()],
            "best": trained.best,
            "best_epoch": trained.best_epoch,
            "best_figure": trained.best_figure,
            "last": trained.last,
            "curves": [asdict(each) for each in trained.curves],
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        self.checkpoint.write(buffer.getvalue())
