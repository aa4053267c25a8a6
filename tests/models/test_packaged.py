"""Networks whose weights are installed; EfficientNet-Lite0 is checked against what ImageNet networks are known to see."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Tensor, nn

from windtunnel.core.model import Model
from windtunnel.core.network import Preprocess, tensors_sha256
from windtunnel.errors import ModelError
from windtunnel.models import efficientnet, zoo
from windtunnel.models.packaged import ZooModel

# (package, file, ImageNet class index); the classes are daisy, palace and military uniform.
PHOTOGRAPHS = [
    ("sklearn.datasets", "images/flower.jpg", 985),
    ("sklearn.datasets", "images/china.jpg", 698),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", 652),
]


@cache
def photograph(package: str, file: str) -> Tensor:
    """The central square, 224 x 224, in [0, 1]."""
    image = Image.open(Path(str(files(package))) / file).convert("RGB")
    side, (width, height) = min(image.size), image.size
    box = ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
    pixels = torch.from_numpy(np.asarray(image.crop(box), dtype=np.float32).copy()).permute(2, 0, 1)[None] / 255
    return nn.functional.interpolate(pixels, (224, 224), mode="bicubic", antialias=True).clamp(0, 1)


@cache
def lite0() -> Model:
    return ZooModel(name="efficientnet-lite0").load()


def logits(model: Model, inputs: Tensor) -> Tensor:
    assert model.head is not None
    with torch.no_grad():
        return model.head(model.backbone(Preprocess(model.preprocessing)(inputs)))


class TestEfficientNet:
    @pytest.mark.parametrize(("package", "file", "expected"), PHOTOGRAPHS)
    def test_a_photograph_gets_its_imagenet_class(self, package: str, file: str, expected: int) -> None:
        probabilities = logits(lite0(), photograph(package, file)).softmax(1)[0]
        assert int(probabilities.argmax()) == expected
        assert float(probabilities[expected]) > 0.2

    def test_the_statistics_of_the_first_layer_fit_this_normalisation_and_no_other(self) -> None:
        """Median over filters of |log(variance on photographs / variance seen in training)|: 0.25 here, above 1 for the others."""
        pixels = torch.cat([photograph(package, file) for package, file, _ in PHOTOGRAPHS])
        network = efficientnet.build()
        stem, norm = network.get_submodule("conv_stem"), network.get_submodule("bn1")
        alive = norm.running_var > 0

        def misfit(mean: tuple[float, ...], std: tuple[float, ...]) -> float:
            with torch.no_grad():
                answer = stem((pixels - torch.tensor(mean).view(1, -1, 1, 1)) / torch.tensor(std).view(1, -1, 1, 1))
            return float((answer.var((0, 2, 3))[alive] / norm.running_var[alive]).log().abs().median())

        own = efficientnet.PREPROCESSING
        assert misfit(own.mean, own.std) < 0.4
        for mean, std in [((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.0,), (1.0,)), ((0.0,), (1 / 255,))]:
            assert misfit(mean, std) > 1.0

    def test_the_network_that_pads_evenly_would_be_the_wrong_one(self) -> None:
        import timm

        even = timm.create_model("efficientnet_lite0", pretrained=False).eval()
        even.load_state_dict(efficientnet.tensors(), strict=True)
        for package, file, expected in PHOTOGRAPHS[::2]:
            with torch.no_grad():
                wrong = even(Preprocess(efficientnet.PREPROCESSING)(photograph(package, file))).softmax(1)[0, expected]
            assert float(logits(lite0(), photograph(package, file)).softmax(1)[0, expected]) > float(wrong)

    def test_every_tensor_of_the_package_is_in_the_network_unchanged(self) -> None:
        from windtunnel.models.checkpoint import read_tensors

        stored, state = read_tensors(efficientnet.weights_path()), efficientnet.build().state_dict()
        assert sorted(map(efficientnet.timm_name, stored)) == sorted(state)
        assert len(stored) == 296
        assert all(torch.equal(tensor, state[efficientnet.timm_name(name)]) for name, tensor in stored.items())
        assert lite0().weights_sha256 == tensors_sha256(state)

    @pytest.mark.parametrize("name", ["_blocks.16._bn1.weight", "_blocks.0._expand_conv.weight", "_bn7.weight"])
    def test_a_name_outside_the_known_layout_is_refused(self, name: str) -> None:
        with pytest.raises(ModelError, match=rf"unknown tensor '{name}'"):
            efficientnet.timm_name(name)

    def test_a_file_that_is_not_the_one_its_name_says_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / efficientnet.PACKAGE
        (package / "models").mkdir(parents=True)
        (package / "__init__.py").touch()
        torch.save({"_fc.bias": torch.zeros(1000)}, package / "models" / efficientnet.FILE)
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModelError, match=r"but its name says 57934424: it is damaged. Reinstall"):
            efficientnet.tensors()


class TestSmallNetworks:
    @pytest.mark.parametrize("name", sorted(zoo.ZOO))
    def test_backbone_and_head_together_are_the_zoos_network(self, name: str) -> None:
        model = ZooModel(name=name).load()
        inputs = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        expected = zoo.build(name)
        with torch.no_grad():
            assert torch.allclose(logits(model, inputs), expected(Preprocess(model.preprocessing)(inputs)), atol=1e-5)
        assert model.weights_sha256 == tensors_sha256(expected.state_dict())
        assert (model.name, model.preprocessing.size) == (f"windtunnel/{name}", (1, 32, 32))

    def test_a_random_start_is_the_same_each_time_and_not_the_shipped_weights(self) -> None:
        first, second = (ZooModel(name="micro-resnet", pretrained=False).load().weights_sha256 for _ in range(2))
        assert first == second != ZooModel(name="micro-resnet").load().weights_sha256

    def test_a_convolutional_network_takes_another_size(self) -> None:
        model = ZooModel(name="micro-resnet", size=48).load()
        assert model.preprocessing.size == (1, 48, 48)
        assert logits(model, torch.rand(2, 1, 8, 8)).shape == (2, 10)

    def test_a_transformer_with_fixed_patches_does_not(self) -> None:
        with pytest.raises(ModelError, match=r"windtunnel/micro-vit does not take inputs of shape \(2, 1, 48, 48\)"):
            ZooModel(name="micro-vit", size=48).load()


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(ValidationError, match=r"no network 'micro-resnt'. Did you mean 'micro-resnet'\?"):
        ZooModel(name="micro-resnt")


@pytest.mark.parametrize("name", ZooModel.names)
def test_the_stamp_knows_the_weights_file_and_the_random_start(name: str) -> None:
    assert ZooModel(name=name).stamp() != ZooModel(name=name, pretrained=False).stamp()
    assert ZooModel(name=name).stamp() == ZooModel(name=name).stamp()
