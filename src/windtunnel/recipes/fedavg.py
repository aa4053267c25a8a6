"""FedAvg: fine-tuning on data that is spread over clients, which send weights and never samples; simulated on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.recipe import Finetuned, Finetuning, Material, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count, Rate
from windtunnel.recipes.continued import continuable
from windtunnel.recipes.parts import OneRecipe
from windtunnel.recipes.supervised import Supervised

if TYPE_CHECKING:
    from windtunnel.core.network import Network

LOCAL = MappingProxyType({"epochs": 5, "batch": 10, "schedule": "constant", "warmup": 0.0})
"""Epochs and batch of a client between two averages, at a constant rate: figure 2 of the paper (E = 5, B = 10)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FedAvg(Recipe):
    """In every round clients train on from the shared weights, each on its own samples, and the mean of their weights is the next shared ones.

    The mean is weighted by numbers of samples; batch statistics are averaged like weights. The round with the highest accuracy on the validation
    split is kept. An interrupted one begins anew.

    Args:
        client: how a client trains between two averages, a recipe of one stage that trains through the backbone.
        clients: how many the training split is spread over.
        fraction: share of the clients that take part in a round, at least one; others every round.
        rounds: averages.
        alpha: how evenly classes are spread: shares of each class are drawn from a symmetric Dirichlet distribution of this parameter; near 0
            each class is with a single client, far above 1 all clients are alike.
    Raises:
        RecipeError: a client that trains in stages, on features alone, or with modules of its own.
    Source:
        McMahan et al. 2017, arXiv 1602.05629, algorithm 1; label skew by a Dirichlet distribution: Hsu et al. 2019, arXiv 1909.06335, section 2,
        in the form of Yurochkin et al. 2019, arXiv 1905.12022, which draws the clients' shares of each class.
    Deviation:
        All of ten clients take part by default, which suits small data; the paper has 100 clients, a tenth of them in a round. The client's
        optimiser is the recipe's, adamw; the paper's is sgd.
    """

    use: ClassVar[str] = "fedavg"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {TEXT: MappingProxyType({"client": Supervised.suited(TEXT, **{**LOCAL, "epochs": 1})})}
    )

    client: OneRecipe = Supervised(**LOCAL)  # type: ignore[arg-type]  # they are what it takes
    clients: Count = 10
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    rounds: Count = 10
    alpha: Rate = 0.5

    def __post_init__(self) -> None:
        continuable(self.client, self.use, "client")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of the client."""
        return self.client.modalities

    def restricting(self) -> Mapping[str, Any]:
        """What restricts the client."""
        return self.client.restricting()

    def passes(self, samples: int) -> float:
        """Those of the clients that take part."""
        return self.rounds * self.fraction * self.client.passes(samples)

    def check(self, material: Material) -> None:
        """Every client must have samples, and its parts must find what they need."""
        count = sum(material.classes)
        if self.clients > count:
            raise RecipeError(f"{material.data} has {count} training samples, too few for {self.clients} clients; give `clients` at most {count}.")
        self.client.check(material)

    def rebuild(self, network: Network) -> None:
        """Nothing: clients add nothing."""

    def finetune(self, work: Finetuning) -> Finetuned:
        """Round after round."""
        from windtunnel.recipes.federation import federated

        return federated(self, work)
