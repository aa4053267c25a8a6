"""Pretrained: the classifier as it came, its own last layer included; nothing is trained."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pretrained(Recipe):
    """Evaluate a classifier as it is: no data is trained on, and seeds change nothing.

    Its logits must be the classes of the data in their order, or the thousand classes of ImageNet where the data's classes are named by
    WordNet ids (as the folders of ImageNet and its kin are) or by their numbers. With some of these classes, only their logits compete,
    as the papers of ImageNet-A and ImageNet-R evaluate. A wrong order shows as `chance-level`.
    """

    use: ClassVar[str] = "pretrained"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    trains: ClassVar[bool] = False

    def passes(self, samples: int) -> float:
        """None."""
        return 0.0

    def finetune(self, work: Finetuning) -> Finetuned:
        """The network with the head that came with its weights.

        Raises:
            RecipeError: the model has no head of its own.
            DataError: its logits cannot be matched with the data's classes.
        """
        import torch

        from windtunnel.core.classes import groups, output_names
        from windtunnel.core.network import Network
        from windtunnel.errors import RecipeError
        from windtunnel.recipes.training import snapshot

        head = work.model.head
        if head is None:
            raise RecipeError(
                f"{work.model.name} comes without a classifier of its own (one linear layer that makes its logits); "
                "give it one by a recipe that trains, such as linear-probe."
            )
        groups(output_names(head.out_features, work.train.classes), work.train.classes)
        network = Network(work.model, head.out_features)
        with torch.no_grad():
            network.head.weight.copy_(head.weight)
            network.head.bias.copy_(head.bias)
        state = snapshot(network.to(work.device))
        return Finetuned(network.eval(), state, state, 0, ())
