"""torchvision's networks: whatever their last layer is called, and the preprocessing of their weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision import models

from windtunnel.core.network import tensors_sha256
from windtunnel.errors import ModelError
from windtunnel.models.torchvision import TorchvisionModel
from windtunnel.seeding import scoped


@pytest.mark.parametrize(
    ("name", "features"), [("resnet18", 512), ("mobilenet_v3_small", 1024), ("shufflenet_v2_x0_5", 1024), ("regnet_y_400mf", 440)]
)
def test_backbone_and_head_together_are_torchvisions_network(name: str, features: int) -> None:
    model = TorchvisionModel(name=name, pretrained=False, size=64).load()
    with scoped("init", f"torchvision/{name}"):
        whole = models.get_model(name).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert model.head is not None
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(images)), whole(images), atol=1e-5)
    assert (model.features, model.weights_sha256) == (features, tensors_sha256(whole.state_dict()))


def test_preprocessing_is_that_of_the_chosen_weights() -> None:
    found = TorchvisionModel(name="resnet18", pretrained=False).load().preprocessing
    assert found.as_dict() == {"size": (3, 224, 224), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "interpolation": "bilinear"}


def test_a_network_without_a_linear_layer_is_refused() -> None:
    with pytest.raises(ModelError, match="torchvision/squeezenet1_1 do not come from a linear layer"):
        TorchvisionModel(name="squeezenet1_1", pretrained=False, size=64).load()


def test_an_unknown_name_gets_the_nearest_names() -> None:
    with pytest.raises(ModelError, match=r"no classifier 'resnet19'. Did you mean resnet1"):
        TorchvisionModel(name="resnet19").load()


def test_unknown_weights_get_the_members_there_are() -> None:
    with pytest.raises(ModelError, match=r"no weights 'IMAGENET1K_V9' for resnet18. Did you mean 'IMAGENET1K_V1'"):
        TorchvisionModel(name="resnet18", weights="IMAGENET1K_V9").load()


def test_a_failed_download_says_from_where_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    # A file where the cache's folder should be fails as a download does, with an OSError, and needs no network.
    (tmp_path / "hub").write_text("")
    with pytest.raises(ModelError, match=r"fetched from https://\S+resnet18-f37072fd.pth, and that failed: .*pretrained: false"):
        TorchvisionModel(name="resnet18").load()
