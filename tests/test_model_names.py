"""The grammar of model names, and what is said about names that are none."""

from __future__ import annotations

import pytest

from windtunnel import model_names
from windtunnel.errors import ModelError, UnknownNameError
from windtunnel.models.local import LocalModel
from windtunnel.models.timm import TimmModel


@pytest.mark.parametrize(
    ("text", "family", "rest"),
    [
        ("timm/resnet18.a1_in1k", "timm", "resnet18.a1_in1k"),
        ("transformers/google/vit-base", "transformers", "google/vit-base"),
        ("windtunnel/micro-vit", "windtunnel", "micro-vit"),
        ("local/some/folder", "local", "some/folder"),
        ("python/own.networks:make", "python", "own.networks:make"),
        ("./folder", "local", "./folder"),
        ("../folder", "local", "../folder"),
        ("/folder", "local", "/folder"),
        ("~/folder", "local", "~/folder"),
        ("weights.safetensors", "local", "weights.safetensors"),
        ("runs/last.pt", "local", "runs/last.pt"),
        ("runs/last.pth", "local", "runs/last.pth"),
        ("C:\\runs\\folder", "local", "C:\\runs\\folder"),
        ("C:/runs/folder", "local", "C:/runs/folder"),
        ("own.networks:make", "python", "own.networks:make"),
        ("own:Net.small", "python", "own:Net.small"),
    ],
)
def test_a_name_has_a_family_and_a_rest(text: str, family: str, rest: str) -> None:
    assert model_names.resolve(text) == (family, rest)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet18", r"Unknown model 'resnet18'. Did you mean 'timm/resnet18' or 'torchvision/resnet18'\?"),
        ("micro-resnt", "Did you mean 'windtunnel/micro-resnet'"),
        ("windtunnel/micro-resnt", r"Unknown model 'windtunnel/micro-resnt'. Did you mean 'windtunnel/micro-resnet'\? Choose from"),
        ("tim/resnet18", "Did you mean 'timm/resnet18'"),
        ("google/vit-base", "On the Hugging Face hub it would be 'transformers/google/vit-base'; on disk './google/vit-base'"),
        ("timm/", 'named "family/name"'),
        ("", 'named "family/name"'),
        ("a b:c", 'named "family/name"'),
    ],
)
def test_a_name_that_is_none_gets_what_may_have_been_meant(text: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        model_names.resolve(text)


def test_a_source_is_built_from_name_and_arguments() -> None:
    assert model_names.source("timm/resnet18", {"pretrained": False}) == TimmModel(name="resnet18", pretrained=False)
    assert model_names.source("./w.pt", {"architecture": "timm/resnet18"}) == LocalModel(name="./w.pt", architecture="timm/resnet18")


def test_every_wrong_argument_is_reported_at_once() -> None:
    with pytest.raises(
        ModelError, match=r"Arguments of timm/resnet18: 'sise' is unknown. Did you mean 'size'\?.*'pretraind' is unknown. Did you mean"
    ):
        model_names.source("timm/resnet18", {"sise": 3, "pretraind": True})
    with pytest.raises(ModelError, match=r"size: Input should be greater than 0; channels: Input should be 1 or 3"):
        model_names.source("timm/resnet18", {"size": 0, "channels": 2})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ModelError, match=r"Arguments of own:make: size: .*required"):
        model_names.source("own:make")


def test_the_name_is_no_argument() -> None:
    with pytest.raises(ModelError, match="'name' is unknown"):
        model_names.source("timm/resnet18", {"name": "other"})
