"""timm's networks: the split, the preprocessing timm records, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from windtunnel.core.network import Preprocess, tensors_sha256
from windtunnel.errors import ModelError
from windtunnel.models.timm import TimmModel
from windtunnel.seeding import scoped


def random(name: str, **arguments: object) -> TimmModel:
    return TimmModel(name=name, pretrained=False, **arguments)  # type: ignore[arg-type]


def reference(name: str) -> nn.Module:
    with scoped("init", f"timm/{name}"):
        network: nn.Module = timm.create_model(name, pretrained=False)
    return network.eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet", "test_convnext"])
def test_backbone_and_head_together_are_timms_network(name: str, images: Tensor) -> None:
    model = random(name).load()
    whole = reference(name)
    assert model.head is not None
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(images)), whole(images), atol=1e-5)
    assert model.weights_sha256 == tensors_sha256(whole.state_dict())
    assert model.features == model.backbone(images).shape[1] == model.head.in_features


def test_preprocessing_is_what_timm_records_for_the_weights() -> None:
    assert random("test_vit").load().preprocessing.as_dict() == {
        "size": (3, 160, 160), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "interpolation": "bicubic",
    }  # fmt: skip
    found = random("test_efficientnet").load().preprocessing
    assert (found.mean, found.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_random_weights_are_the_same_each_time_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = random("test_resnet").load()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(6)
    assert first.weights_sha256 == random("test_resnet").load().weights_sha256
    assert first.weights_sha256 != random("test_resnet", channels=1).load().weights_sha256


def test_two_loads_share_no_tensor() -> None:
    first, second = random("test_resnet").load(), random("test_resnet").load()
    with torch.no_grad():
        next(first.backbone.parameters()).add_(1)
    assert not torch.equal(next(first.backbone.parameters()), next(second.backbone.parameters()))


def test_one_changed_weight_changes_the_digest() -> None:
    state = dict(reference("test_resnet").state_dict())
    changed = {**state, "fc.bias": state["fc.bias"] + 1e-3}
    assert tensors_sha256(state) == random("test_resnet").load().weights_sha256 != tensors_sha256(changed)


def test_grey_digits_reach_a_colour_network_repeated_resized_and_normalised() -> None:
    model = random("test_efficientnet", size=32).load()
    grey = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    by_hand = torch.cat([(grey - mean) / std for mean, std in zip(model.preprocessing.mean, model.preprocessing.std, strict=True)], dim=1)
    assert torch.allclose(Preprocess(model.preprocessing)(grey), by_hand, atol=1e-6)
    assert torch.allclose(model.backbone(Preprocess(model.preprocessing)(grey)), model.backbone(by_hand), atol=1e-5)


@pytest.mark.parametrize("name", ["test_vit", "test_resnet"])
def test_another_size_and_grey_input_are_built_into_the_network(name: str) -> None:
    model = random(name, size=32, channels=1).load()
    assert model.preprocessing.size == (1, 32, 32)
    assert (len(model.preprocessing.mean), len(model.preprocessing.std)) == (1, 1)
    assert model.backbone(torch.zeros(1, 1, 32, 32)).shape == (1, model.features)


def test_a_network_with_two_heads_gives_pooled_features_and_no_head() -> None:
    model = random("deit_tiny_distilled_patch16_224", size=32).load()
    assert (model.head, model.features) == (None, 192)


def test_a_size_that_does_not_fit_the_patches_is_refused() -> None:
    with pytest.raises(ModelError, match=r"timm/test_convnext does not take inputs of shape \(2, 3, 4, 4\)"):
        random("test_convnext", size=4).load()


def test_an_unknown_name_gets_timms_nearest_names() -> None:
    with pytest.raises(ModelError, match=r"timm has no network 'resnet188'. Did you mean resnet18"):
        TimmModel(name="resnet188").load()


def test_an_unknown_tag_gets_the_tags_there_are() -> None:
    with pytest.raises(ModelError, match=r"no weights 'a9_in1k' for resnet18. Choose from: a1_in1k, a2_in1k"):
        TimmModel(name="resnet18.a9_in1k").load()


def test_weights_that_do_not_exist_are_not_fetched() -> None:
    with pytest.raises(ModelError, match=r"no pre-trained weights for timm/darknet17. Set `pretrained: false`"):
        TimmModel(name="darknet17").load()


def test_without_the_hub_the_error_says_what_is_fetched_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The client reads HF_HUB_OFFLINE when it is first imported, so the constants that it became are set, too.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    expected = (
        r"weights of timm/resnet18.a1_in1k are fetched from the Hugging Face hub \(timm/resnet18.a1_in1k\), and that failed: .*pretrained: false"
    )
    with pytest.raises(ModelError, match=expected):
        TimmModel(name="resnet18.a1_in1k").load()


def test_the_stamp_notices_arguments_and_a_newly_cached_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    source = TimmModel(name="resnet18.a1_in1k")
    before = source.stamp()
    assert before == source.stamp() != TimmModel(name="resnet18.a1_in1k", size=32).stamp()
    reference = tmp_path / "models--timm--resnet18.a1_in1k" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text("0123abcd")
    assert before != source.stamp()


@pytest.mark.parametrize("wrong", [{"size": 0}, {"channels": 2}, {"sise": 32}])
def test_arguments_are_checked_before_anything_is_loaded(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TimmModel(name="resnet18", **wrong)  # type: ignore[arg-type]
