"""Adapters that peft puts into layers, and folding them into the weights that they change. Imports torch and peft."""

from __future__ import annotations

from typing import Any

from peft import inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from windtunnel.core.network import Network
from windtunnel.seeding import scoped


def inject(network: Network, config: Any, seed: int) -> None:
    """Put adapters into the layers that a configuration of peft names; the same ones for the same seed."""
    with scoped(seed, "adapters"):
        inject_adapter_in_model(config, network.backbone)


def adapters(network: Network) -> list[nn.Parameter]:
    """The parameters of all adapters."""
    layers = [module for module in network.backbone.modules() if isinstance(module, BaseTunerLayer)]
    own = {id(each) for layer in layers for each in layer.get_base_layer().parameters()}
    return list({id(each): each for layer in layers for each in layer.parameters() if id(each) not in own}.values())


def fold(network: Network) -> None:
    """Fold every adapter into the weights of its layer, and leave the layer as if there had been none."""
    for name, layer in list(network.backbone.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge()
            parent = network.backbone.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], layer.get_base_layer())
    for left in ("peft_config", "_hf_peft_config_loaded"):
        if left in vars(network.backbone):
            delattr(network.backbone, left)
