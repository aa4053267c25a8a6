"""Nearest mean: the class whose mean features are closest, as a linear head; nothing is trained by gradient."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Epoch, Finetuned, Finetuning, Recipe
from windtunnel.errors import RecipeError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NearestMean(Recipe):
    """A head that answers 2 mean.x - |mean|^2, which is largest for the nearest class mean.

    Args:
        sharpness: factor on the logits; moves confidence, never the prediction.
    """

    use: ClassVar[str] = "nearest-mean"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    sharpness: float = 1.0

    def passes(self, samples: int) -> float:
        """One look at every sample."""
        return float(samples)

    def finetune(self, work: Finetuning) -> Finetuned:
        """Set the head from the means of the frozen features."""
        import torch

        from windtunnel.core.network import Network

        network = Network(work.model, len(work.train.classes), seed=work.seed).to(work.device)
        labels = torch.from_numpy(work.train.labels)
        if len(labels.unique()) < len(work.train.classes):
            raise RecipeError("A class has no training sample, so it has no mean.")
        features = work.features(work.train).cpu()
        means = torch.stack([features[labels == index].mean(0) for index in range(len(work.train.classes))])
        with torch.no_grad():
            network.head.weight.copy_(2 * self.sharpness * means)
            network.head.bias.copy_(-self.sharpness * means.square().sum(1))
        predicted = network.head(work.features(work.val)).argmax(1).cpu().numpy()
        state = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
        work.progress(1, 1)
        curve = Epoch("means", 1, 0.0, float((predicted == work.val.labels).mean()))
        return Finetuned(network, state, state, 1, (curve,))
