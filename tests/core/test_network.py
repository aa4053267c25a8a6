"""Preprocess, Network and the digest of tensors, against closed forms."""

from __future__ import annotations

import hashlib
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.network import Network, Preprocess, tensors_sha256
from windtunnel.seeding import generator

PLAIN = Preprocessing((1, 4, 4), (0.0,), (1.0,))
COLOUR = Preprocessing((3, 2, 2), (0.1, 0.2, 0.3), (0.5, 0.25, 2.0))


def pixels(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def small_model() -> Model:
    backbone = nn.Sequential(nn.Flatten(), nn.Identity())
    return Model("test/flat", backbone, 16, None, PLAIN, "")


class TestPreprocess:
    def test_inputs_of_the_right_shape_are_only_normalised(self) -> None:
        inputs = pixels(3, 3, 2, 2)
        expected = torch.stack([(inputs[:, 0] - 0.1) / 0.5, (inputs[:, 1] - 0.2) / 0.25, (inputs[:, 2] - 0.3) / 2.0], dim=1)
        assert torch.allclose(Preprocess(COLOUR)(inputs), expected, rtol=0, atol=1e-7)

    def test_grey_is_repeated_into_each_colour_before_it_is_normalised(self) -> None:
        grey = pixels(2, 1, 2, 2)
        result = Preprocess(COLOUR)(grey)
        for channel, (mean, std) in enumerate(zip(COLOUR.mean, COLOUR.std, strict=True)):
            assert torch.allclose(result[:, channel], (grey[:, 0] - mean) / std, rtol=0, atol=1e-7)

    def test_colour_becomes_grey_by_the_weights_of_luma(self) -> None:
        red, green, blue = torch.eye(3).view(3, 3, 1, 1).expand(3, 3, 4, 4)
        result = Preprocess(PLAIN)(torch.stack([red, green, blue]))
        assert torch.allclose(result[:, 0, 0, 0], torch.tensor([0.299, 0.587, 0.114]))

    def test_halving_a_side_weighs_four_pixels_one_three_three_one(self) -> None:
        row = pixels(8)
        result = Preprocess(PLAIN)(row.view(1, 1, 1, 8).expand(1, 1, 8, 8))[0, 0]
        inner = [float((row[start : start + 4] * torch.tensor([1.0, 3.0, 3.0, 1.0])).sum() / 8) for start in (1, 3)]
        first = float((row[:3] * torch.tensor([3.0, 3.0, 1.0])).sum() / 7)
        last = float((row[-3:] * torch.tensor([1.0, 3.0, 3.0])).sum() / 7)
        assert result[2].tolist() == pytest.approx([first, *inner, last], abs=1e-6)

    def test_nearest_doubling_repeats_pixels(self) -> None:
        image = pixels(1, 1, 2, 2)
        nearest = Preprocess(Preprocessing((1, 4, 4), (0.0,), (1.0,), "nearest"))
        assert torch.equal(nearest(image), image.repeat_interleave(2, 2).repeat_interleave(2, 3))

    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
    def test_an_image_of_one_value_keeps_it_at_every_size(self, interpolation: str) -> None:
        resize = Preprocess(Preprocessing((1, 5, 7), (0.0,), (1.0,), interpolation))  # type: ignore[arg-type]
        assert torch.allclose(resize(torch.full((1, 1, 9, 3), 0.25)), torch.full((1, 1, 5, 7), 0.25))

    def test_gradients_reach_every_pixel_of_a_larger_image(self) -> None:
        image = pixels(1, 1, 9, 9).requires_grad_()
        Preprocess(PLAIN)(image).sum().backward()
        assert image.grad is not None
        assert bool((image.grad > 0).all())

    def test_it_adds_nothing_to_the_weights_that_are_saved(self) -> None:
        assert Preprocess(COLOUR).state_dict() == {}


class TestNetwork:
    def test_logits_are_the_head_on_the_features(self) -> None:
        network = Network(small_model(), 3)
        inputs = pixels(5, 1, 4, 4)
        assert torch.equal(network.features(inputs), inputs.flatten(1))
        assert torch.equal(network(inputs), inputs.flatten(1) @ network.head.weight.T + network.head.bias)

    def test_a_new_head_is_a_function_of_the_seed_alone(self) -> None:
        torch.manual_seed(1)
        first = Network(small_model(), 3, seed=7).head
        torch.manual_seed(2)
        second = Network(small_model(), 3, seed=7).head
        assert torch.equal(first.weight, second.weight)
        assert not torch.equal(first.weight, Network(small_model(), 3, seed=8).head.weight)

    def test_a_new_head_is_small_and_normal_without_bias(self) -> None:
        head = Network(small_model(), 3, seed=7).head
        draws = generator(7, "head").standard_normal((3, 16))
        assert torch.equal(head.weight, torch.from_numpy(draws * 0.02).float())
        assert head.bias.tolist() == [0.0, 0.0, 0.0]

    def test_it_starts_in_evaluation_mode(self) -> None:
        assert not any(part.training for part in Network(small_model(), 3).modules())

    def test_dropout_acts_on_the_features_while_training_only(self) -> None:
        network = Network(small_model(), 3, dropout=0.5)
        inputs = pixels(64, 1, 4, 4)
        still = network(inputs)
        assert torch.equal(still, network(inputs))
        assert not torch.equal(still, network.train()(inputs))

    def test_it_trains_the_models_own_backbone(self) -> None:
        model = small_model()
        assert Network(model, 3).backbone is model.backbone


NUMBERS = st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=6)


class TestDigestOfTensors:
    @given(NUMBERS, NUMBERS)
    def test_the_order_of_the_names_does_not_matter(self, first: list[float], second: list[float]) -> None:
        tensors = {"a": torch.tensor(first), "b": torch.tensor(second)}
        assert tensors_sha256(tensors) == tensors_sha256({"b": tensors["b"], "a": tensors["a"]})

    @given(NUMBERS, st.integers(0, 5))
    def test_one_bit_of_one_value_changes_it(self, values: list[float], place: int) -> None:
        tensor = torch.tensor(values)
        changed = tensor.clone()
        changed.view(torch.int32)[place % len(values)] ^= 1
        assert tensors_sha256({"a": tensor}) != tensors_sha256({"a": changed})

    def test_the_memory_layout_does_not_matter(self) -> None:
        tensor = pixels(3, 4)
        assert tensors_sha256({"a": tensor.T}) == tensors_sha256({"a": tensor.T.contiguous()})
        assert tensors_sha256({"a": tensor}) == tensors_sha256({"a": nn.Parameter(tensor)})

    @pytest.mark.parametrize(
        "other",
        [{"b": torch.zeros(4)}, {"a": torch.zeros(2, 2)}, {"a": torch.zeros(4, dtype=torch.int32)}, {"a": torch.zeros(4), "b": torch.zeros(0)}],
    )
    def test_names_shapes_types_and_empty_tensors_count(self, other: dict[str, Tensor]) -> None:
        assert tensors_sha256({"a": torch.zeros(4)}) != tensors_sha256(other)

    def test_scalars_and_half_precision_are_digested(self) -> None:
        assert tensors_sha256({"a": torch.tensor(3)}) != tensors_sha256({"a": torch.tensor(4)})
        assert len(tensors_sha256({"a": torch.zeros(2, dtype=torch.bfloat16), "b": torch.tensor(True)})) == 64

    def test_a_known_digest_stays_what_it_is(self) -> None:
        known = hashlib.sha256(b"a|torch.float32|(2,)|" + struct.pack("<2f", 1, 2)).hexdigest()
        assert tensors_sha256({"a": torch.tensor([1.0, 2.0])}) == known
