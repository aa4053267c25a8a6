"""Checkpoints on disk: the same logits as the network that was saved, and nothing in a file is ever run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import save_for_hf
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from windtunnel.core.model import Model
from windtunnel.core.network import tensors_sha256
from windtunnel.errors import ModelError
from windtunnel.models.local import LocalModel
from windtunnel.models.transformers import quiet


def network(classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    net: nn.Module = timm.create_model("test_resnet", pretrained=False, num_classes=classes)
    return net.eval()


def images() -> Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def logits(model: Model) -> Tensor:
    assert model.head is not None
    with torch.no_grad():
        return model.head(model.backbone(images()))


def local(path: Path, **arguments: Any) -> LocalModel:
    return LocalModel(name=str(path), **arguments)


def resnet(path: Path, **arguments: Any) -> LocalModel:
    return local(path, architecture="timm/test_resnet", **arguments)


class Poison:
    """Pickles as a call that writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "ran")


class TestFiles:
    @pytest.mark.parametrize("ending", ["safetensors", "pt", "pth"])
    def test_a_saved_state_gives_the_same_logits_bit_for_bit(self, tmp_path: Path, ending: str) -> None:
        net, path = network(), tmp_path / f"weights.{ending}"
        save = save_file if ending == "safetensors" else torch.save
        save(net.state_dict(), path)
        model = resnet(path).load()
        with torch.no_grad():
            assert torch.equal(logits(model), net(images()))
        assert model.weights_sha256 == tensors_sha256(net.state_dict())

    def test_the_digest_does_not_depend_on_the_format_and_notices_one_weight(self, tmp_path: Path) -> None:
        state = network().state_dict()
        save_file(state, tmp_path / "a.safetensors")
        torch.save(state, tmp_path / "a.pt")
        state["conv1.0.weight"][0, 0, 0, 0] += 1
        torch.save(state, tmp_path / "b.pt")
        first, second, third = (resnet(tmp_path / name).load().weights_sha256 for name in ("a.safetensors", "a.pt", "b.pt"))
        assert first == second != third

    def test_the_file_decides_the_number_of_classes(self, tmp_path: Path) -> None:
        save_file(network(classes=3).state_dict(), tmp_path / "w.safetensors")
        head = resnet(tmp_path / "w.safetensors").load().head
        assert head is not None
        assert head.out_features == 3

    def test_loading_leaves_the_global_generator_alone(self, tmp_path: Path) -> None:
        save_file(network(classes=3).state_dict(), tmp_path / "w.safetensors")
        before = torch.get_rng_state()
        resnet(tmp_path / "w.safetensors").load()
        assert torch.equal(before, torch.get_rng_state())

    def test_a_file_without_the_last_layer_gives_a_backbone_without_a_head(self, tmp_path: Path) -> None:
        net = network()
        state = {key: tensor for key, tensor in net.state_dict().items() if not key.startswith("fc.")}
        save_file(state, tmp_path / "w.safetensors")
        model = resnet(tmp_path / "w.safetensors").load()
        assert model.head is None
        assert model.weights_sha256 == tensors_sha256(state)

    def test_counters_of_batches_may_be_missing_as_in_old_checkpoints(self, tmp_path: Path) -> None:
        net = network()
        save_file({key: tensor for key, tensor in net.state_dict().items() if "num_batches" not in key}, tmp_path / "w.safetensors")
        with torch.no_grad():
            assert torch.equal(logits(resnet(tmp_path / "w.safetensors").load()), net(images()))

    def test_nested_states_and_prefixes_are_taken_as_they_are_named(self, tmp_path: Path) -> None:
        net, path = network(), tmp_path / "run.pt"
        torch.save({"epoch": 3, "state_dict": {f"module.{key}": tensor for key, tensor in net.state_dict().items()}}, path)
        with torch.no_grad():
            assert torch.equal(logits(resnet(path, entry="state_dict", prefix="module.").load()), net(images()))

    def test_a_nested_state_is_pointed_out(self, tmp_path: Path) -> None:
        torch.save({"epoch": 3, "state_dict": network().state_dict()}, tmp_path / "run.pt")
        with pytest.raises(ModelError, match="say which with `entry: state_dict`"):
            resnet(tmp_path / "run.pt").load()

    def test_a_prefix_is_pointed_out(self, tmp_path: Path) -> None:
        state = {f"module.{key}": tensor for key, tensor in network().state_dict().items()}
        save_file(state, tmp_path / "w.safetensors")
        with pytest.raises(ModelError, match=r"missing: conv1\.0\.weight.*would fit with `prefix: module\.`"):
            resnet(tmp_path / "w.safetensors").load()

    def test_missing_and_unexpected_names_are_listed(self, tmp_path: Path) -> None:
        state = dict(network().state_dict())
        state["own"] = state.pop("bn1.weight")
        save_file(state, tmp_path / "w.safetensors")
        expected = r"1 tensors are missing and 1 are unexpected. missing: bn1.weight. unexpected: own. Check `architecture`"
        with pytest.raises(ModelError, match=expected):
            resnet(tmp_path / "w.safetensors").load()

    def test_a_tensor_of_another_shape_is_named(self, tmp_path: Path) -> None:
        state = {**network().state_dict(), "bn1.weight": torch.zeros(3)}
        save_file(state, tmp_path / "w.safetensors")
        with pytest.raises(ModelError, match=r"'bn1.weight' has shape \(3,\), but the architecture wants"):
            resnet(tmp_path / "w.safetensors").load()

    def test_a_file_needs_an_architecture(self, tmp_path: Path) -> None:
        save_file(network().state_dict(), tmp_path / "w.safetensors")
        with pytest.raises(ModelError, match=r"say which network they belong to, e.g. `architecture: timm/resnet18`"):
            local(tmp_path / "w.safetensors").load()

    def test_a_transformers_architecture_for_a_file_is_refused(self, tmp_path: Path) -> None:
        save_file(network().state_dict(), tmp_path / "w.safetensors")
        with pytest.raises(ModelError, match="must be a timm, torchvision, windtunnel or python name"):
            local(tmp_path / "w.safetensors", architecture="transformers/google/vit").load()

    def test_the_projects_own_networks_can_be_filled_from_a_file(self, tmp_path: Path) -> None:
        from windtunnel.models import zoo

        net = zoo.build("micro-resnet")
        save_file(net.state_dict(), tmp_path / "w.safetensors")
        model = local(tmp_path / "w.safetensors", architecture="windtunnel/micro-resnet").load()
        assert model.preprocessing.mean == zoo.preprocessing("micro-resnet").mean
        assert model.weights_sha256 == tensors_sha256(net.state_dict())

    def test_preprocessing_can_be_given_and_is_recorded(self, tmp_path: Path) -> None:
        save_file(network().state_dict(), tmp_path / "w.safetensors")
        source = resnet(tmp_path / "w.safetensors", size=32, mean=(0.1,), std=(0.2, 0.3, 0.4), interpolation="nearest")
        assert source.load().preprocessing.as_dict() == {
            "size": (3, 32, 32), "mean": (0.1, 0.1, 0.1), "std": (0.2, 0.3, 0.4), "interpolation": "nearest",
        }  # fmt: skip
        assert source.arguments()["size"] == 32


class TestUntrustedFiles:
    def test_a_pickle_that_would_run_code_is_refused_and_not_run(self, tmp_path: Path) -> None:
        torch.save({"weight": Poison(tmp_path / "ran")}, tmp_path / "w.pt")
        with pytest.raises(ModelError, match=r"is refused: it holds more than tensors .*reading that would run code.*save_file"):
            resnet(tmp_path / "w.pt").load()
        assert not (tmp_path / "ran").exists()

    def test_a_whole_pickled_network_is_refused_by_name(self, tmp_path: Path) -> None:
        torch.save(network(), tmp_path / "w.pt")
        with pytest.raises(ModelError, match=r"more than tensors \(timm\.models\.resnet\.ResNet\)"):
            resnet(tmp_path / "w.pt").load()

    @pytest.mark.parametrize("ending", ["safetensors", "pt"])
    def test_a_truncated_file_is_reported_as_such(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"w.{ending}"
        (save_file if ending == "safetensors" else torch.save)(network().state_dict(), path)
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(ModelError, match=rf"w\.{ending} is not a complete"):
            resnet(path).load()

    def test_an_empty_file_is_reported_as_such(self, tmp_path: Path) -> None:
        (tmp_path / "w.pt").touch()
        with pytest.raises(ModelError, match=r"w\.pt is not a complete PyTorch checkpoint"):
            resnet(tmp_path / "w.pt").load()

    def test_values_that_are_no_tensors_are_named(self, tmp_path: Path) -> None:
        torch.save({**network().state_dict(), "epoch": 3}, tmp_path / "w.pt")
        with pytest.raises(ModelError, match=r"not tensors \(epoch\)"):
            resnet(tmp_path / "w.pt").load()

    def test_a_list_is_not_a_state(self, tmp_path: Path) -> None:
        torch.save([torch.zeros(2)], tmp_path / "w.pt")
        with pytest.raises(ModelError, match="holds a list, not a state dict"):
            resnet(tmp_path / "w.pt").load()

    def test_a_timm_folder_cannot_ask_for_another_file(self, tmp_path: Path) -> None:
        config = {"architecture": "test_resnet", "model_args": {"checkpoint_path": "/tmp/other.pth"}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(ModelError, match="sets checkpoint_path in model_args"):
            local(tmp_path).load()


class TestFolders:
    def test_a_timm_folder_gives_the_saved_network_and_its_preprocessing(self, tmp_path: Path) -> None:
        net = network()
        net.pretrained_cfg = {**net.pretrained_cfg, "mean": (0.1, 0.2, 0.3), "interpolation": "bicubic"}
        save_for_hf(net, tmp_path, safe_serialization=True)
        model = local(tmp_path).load()
        with torch.no_grad():
            assert torch.equal(logits(model), net(images()))
        assert (model.preprocessing.mean, model.preprocessing.interpolation) == ((0.1, 0.2, 0.3), "bicubic")

    def test_a_transformers_folder_gives_the_saved_network(self, tmp_path: Path) -> None:
        torch.manual_seed(0)
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
        net = ViTForImageClassification(ViTConfig(**sizes, image_size=64, patch_size=16, num_labels=5)).eval()
        with quiet():
            net.save_pretrained(tmp_path)
        ViTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(tmp_path)
        with torch.no_grad():
            assert torch.equal(logits(local(tmp_path).load()), net(images()).logits)

    def test_a_folder_describes_itself(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="is a folder, which describes itself; leave out architecture"):
            resnet(tmp_path).load()

    def test_a_folder_without_config_names_the_files_that_could_be_meant(self, tmp_path: Path) -> None:
        save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
        with pytest.raises(ModelError, match=r"has no config\.json.*\./w\.safetensors"):
            local(tmp_path).load()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is not valid JSON"),
            ("[]", "holds a list; expected an object"),
            ("{}", "neither `model_type` .* nor `architecture`"),
            ('{"architecture": "test_resnot"}', "names 'test_resnot', which timm does not have. Did you mean test_resnet"),
            ('{"architecture": "test_resnet"}', "none of model.safetensors"),
        ],
    )
    def test_a_config_that_says_nothing_useful_is_reported(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ModelError, match=message):
            local(tmp_path).load()

    def test_nothing_there_is_reported_with_what_was_expected(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"There is no checkpoint .*none\.pt. Expected a folder with a config.json"):
            resnet(tmp_path / "none.pt").load()


class TestNamesAndStamps:
    def test_identity_has_no_path_but_the_architecture(self, tmp_path: Path) -> None:
        one, two = resnet(tmp_path / "a.pt"), resnet(tmp_path / "b.pt")
        assert one.identity() == two.identity() != local(tmp_path / "a.pt", architecture="timm/resnet18").identity()

    def test_the_stamp_notices_a_changed_file(self, tmp_path: Path) -> None:
        source = resnet(tmp_path / "w.pt")
        missing = source.stamp()
        (tmp_path / "w.pt").write_bytes(b"one")
        first = source.stamp()
        (tmp_path / "w.pt").write_bytes(b"longer")
        assert len({missing, first, source.stamp()}) == 3

    @pytest.mark.parametrize(("name", "title"), [("./a.pt", "./a.pt"), ("/x/a.pt", "/x/a.pt"), ("~/a.pt", "~/a.pt"), ("x/a.pt", "local/x/a.pt")])
    def test_the_title_is_what_a_suite_writes(self, name: str, title: str) -> None:
        assert LocalModel(name=name).title == title
