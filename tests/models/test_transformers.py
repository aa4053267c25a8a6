"""Image classifiers of transformers, from folders that save_pretrained makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import (
    MobileViTConfig,
    MobileViTForImageClassification,
    MobileViTImageProcessor,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
    ViTModel,
)

from windtunnel.core.network import Preprocess
from windtunnel.errors import ModelError
from windtunnel.models.transformers import TransformersModel, quiet

TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 32, "patch_size": 8}


def vit(folder: Path, **processor: object) -> ViTForImageClassification:
    torch.manual_seed(0)
    network = ViTForImageClassification(ViTConfig(**TINY, num_labels=5)).eval()
    with quiet():
        network.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}, **processor).save_pretrained(folder)
    return network


def images() -> Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_backbone_and_head_together_give_the_saved_networks_logits(tmp_path: Path) -> None:
    network = vit(tmp_path)
    model = TransformersModel(name=str(tmp_path)).load()
    assert model.head is not None
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(images())), network(images()).logits, atol=1e-6)
    assert (model.features, model.head.out_features) == (16, 5)


def test_a_network_whose_classifier_is_a_sequence_is_split_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=4)).eval()
    with quiet():
        network.save_pretrained(tmp_path)
    model = TransformersModel(name=str(tmp_path), size=32, mean=(0.5,), std=(0.5,)).load()
    assert model.head is not None
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(images())), network(images()).logits, atol=1e-6)


def test_preprocessing_is_the_image_processors(tmp_path: Path) -> None:
    vit(tmp_path, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.6, 0.7], resample=3)
    assert TransformersModel(name=str(tmp_path)).load().preprocessing.as_dict() == {
        "size": (3, 32, 32), "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7), "interpolation": "bicubic",
    }  # fmt: skip


def test_a_processor_that_does_not_normalise_has_mean_zero_whatever_its_settings_say(tmp_path: Path) -> None:
    vit(tmp_path, do_normalize=False, image_mean=[0.1, 0.2, 0.3])
    found = TransformersModel(name=str(tmp_path)).load().preprocessing
    assert (found.mean, found.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_another_rescaling_is_folded_into_mean_and_std(tmp_path: Path) -> None:
    vit(tmp_path, rescale_factor=1 / 127.5, image_mean=[1.0, 1.0, 1.0], image_std=[1.0, 1.0, 1.0])
    found = TransformersModel(name=str(tmp_path)).load().preprocessing
    assert (found.mean, found.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_our_preprocessing_gives_what_the_processor_gives_for_an_image_of_the_right_size(tmp_path: Path) -> None:
    vit(tmp_path, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.6, 0.7])
    pixels = torch.randint(0, 256, (32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    theirs = ViTImageProcessor.from_pretrained(tmp_path)(images=pixels.numpy(), return_tensors="pt")["pixel_values"]
    ours = Preprocess(TransformersModel(name=str(tmp_path)).load().preprocessing)(pixels.permute(2, 0, 1)[None].float() / 255)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_network_that_wants_blue_first_gets_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = MobileViTConfig(
        image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 16, 16, 16, 16, 32], num_attention_heads=2, num_labels=3
    )
    network = MobileViTForImageClassification(config).eval()
    with quiet():
        network.save_pretrained(tmp_path)
    MobileViTImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}).save_pretrained(tmp_path)
    model = TransformersModel(name=str(tmp_path)).load()
    pixels = torch.randint(0, 256, (64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    theirs = MobileViTImageProcessor.from_pretrained(tmp_path)(images=pixels.numpy(), return_tensors="pt")["pixel_values"]
    ours = Preprocess(model.preprocessing)(pixels.permute(2, 0, 1)[None].float() / 255)
    assert model.head is not None
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(ours)), network(theirs).logits, atol=1e-5)


def test_a_folder_without_image_processor_is_not_guessed_at(tmp_path: Path) -> None:
    network = vit(tmp_path)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"no usable image processor .*give `mean`, `std` and `size`"):
        TransformersModel(name=str(tmp_path)).load()
    model = TransformersModel(name=str(tmp_path), mean=(0.5,), std=(0.25,)).load()
    assert model.preprocessing.as_dict() == {"size": (3, 32, 32), "mean": (0.5,) * 3, "std": (0.25,) * 3, "interpolation": "bilinear"}
    assert model.head is not None
    assert torch.equal(model.head.weight, network.classifier.weight)


def test_a_backbone_saved_alone_comes_without_a_head_and_with_the_same_digest_each_time(tmp_path: Path) -> None:
    torch.manual_seed(0)
    with quiet():
        ViTModel(ViTConfig(**TINY)).save_pretrained(tmp_path)
    first, second = (TransformersModel(name=str(tmp_path), mean=(0.5,), std=(0.5,)).load() for _ in range(2))
    assert first.head is None
    assert first.weights_sha256 == second.weights_sha256


def test_weights_with_holes_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    vit(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    removed = sorted(key for key in tensors if "layernorm_before.weight" in key or "norm1.weight" in key)[:1] or [sorted(tensors)[3]]
    save_file({key: value for key, value in tensors.items() if key not in removed}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"leave parts of the network untrained: network\.vit"):
        TransformersModel(name=str(tmp_path)).load()


def test_code_that_comes_with_weights_is_not_run(tmp_path: Path) -> None:
    vit(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForImageClassification": "own.Own"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match="cannot load"):
        TransformersModel(name=str(tmp_path)).load()
    assert not (tmp_path / "ran").exists()


def test_without_the_hub_the_error_says_what_is_fetched_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"fetched from the Hugging Face hub \(google/none-such-vit\), and that failed.*save_pretrained"):
        TransformersModel(name="google/none-such-vit").load()


def test_the_identity_of_a_folder_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    for name in ("one", "two"):
        vit(tmp_path / name)
    one, two = (TransformersModel(name=str(tmp_path / name)) for name in ("one", "two"))
    assert one.identity() == two.identity()
    assert one.stamp() != two.stamp()


def test_the_stamp_notices_new_weights(tmp_path: Path) -> None:
    vit(tmp_path)
    source = TransformersModel(name=str(tmp_path))
    before = source.stamp()
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert source.stamp() != before
