"""The only name tables: what a suite can say, and where it is found. Strings; nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from windtunnel.registry import Registry

if TYPE_CHECKING:
    from windtunnel.core.dataset import DataSource
    from windtunnel.core.metric import Metric
    from windtunnel.core.model import ModelSource
    from windtunnel.core.recipe import Recipe
    from windtunnel.core.threat import Threat

MODELS: Final[Registry[ModelSource]] = Registry(
    "model",
    "windtunnel.core.model:ModelSource",
    {
        "windtunnel": "windtunnel.models.packaged:ZooModel",
        "timm": "windtunnel.models.timm:TimmModel",
        "torchvision": "windtunnel.models.torchvision:TorchvisionModel",
        "transformers": "windtunnel.models.transformers:TransformersModel",
        "local": "windtunnel.models.local:LocalModel",
        "python": "windtunnel.models.python:PythonModel",
    },
)
"""Families: a model is named "family/name", e.g. "timm/resnet18.a1_in1k"."""

RECIPES: Final[Registry[Recipe]] = Registry(
    "recipe",
    "windtunnel.core.recipe:Recipe",
    {
        "linear-probe": "windtunnel.recipes.linear_probe:LinearProbe",
        "full": "windtunnel.recipes.full:Full",
        "lp-ft": "windtunnel.recipes.lp_ft:LpFt",
        "pgd-at": "windtunnel.recipes.pgd_at:PgdAt",
    },
)

THREATS: Final[Registry[Threat]] = Registry(
    "threat",
    "windtunnel.core.threat:Threat",
    {
        "clean": "windtunnel.threats.clean:Clean",
        "fgsm": "windtunnel.threats.gradient.fgsm:FGSM",
        "pgd": "windtunnel.threats.gradient.pgd:PGD",
        "apgd": "windtunnel.threats.gradient.apgd:APGD",
        "cw": "windtunnel.threats.minimum.cw:CW",
        "deepfool": "windtunnel.threats.minimum.deepfool:DeepFool",
        "ddn": "windtunnel.threats.minimum.ddn:DDN",
        "fmn": "windtunnel.threats.minimum.fmn:FMN",
        "fab": "windtunnel.threats.minimum.fab:FAB",
        "square": "windtunnel.threats.query.square:Square",
        "hopskipjump": "windtunnel.threats.query.hopskipjump:HopSkipJump",
        "mi-fgsm": "windtunnel.threats.gradient.transfer:MIFGSM",
        "ni-fgsm": "windtunnel.threats.gradient.transfer:NIFGSM",
        "di-fgsm": "windtunnel.threats.gradient.transfer:DIFGSM",
        "ti-fgsm": "windtunnel.threats.gradient.transfer:TIFGSM",
        "si-ni-fgsm": "windtunnel.threats.gradient.transfer:SINIFGSM",
        "autoattack": "windtunnel.threats.autoattack:AutoAttack",
        "gaussian-noise": "windtunnel.threats.corruptions.noise:GaussianNoise",
        "defocus-blur": "windtunnel.threats.corruptions.blur:DefocusBlur",
        "fog": "windtunnel.threats.corruptions.fog:Fog",
        "contrast": "windtunnel.threats.corruptions.contrast:Contrast",
        "pixelate": "windtunnel.threats.corruptions.pixelate:Pixelate",
        "jpeg": "windtunnel.threats.corruptions.jpeg:Jpeg",
        "shift": "windtunnel.threats.shift:Shift",
    },
)

CORRUPTION_SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"common": ("gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg")}
)
"""What `{use: corruptions, set: ...}` stands for."""

DATASETS: Final[Registry[DataSource]] = Registry(
    "dataset",
    "windtunnel.core.dataset:DataSource",
    {
        "digits": "windtunnel.datasets.digits:Digits",
        "mnist5k": "windtunnel.datasets.mnist5k:Mnist5k",
        "fashion-mnist": "windtunnel.datasets.fashion_mnist:FashionMnist",
        "folder": "windtunnel.datasets.folder:Folder",
        "table": "windtunnel.datasets.table:Table",
        "torchvision": "windtunnel.datasets.torchvision:Torchvision",
        "huggingface": "windtunnel.datasets.huggingface:HuggingFace",
    },
)

METRICS: Final[Registry[Metric]] = Registry(
    "metric",
    "windtunnel.core.metric:Metric",
    {
        "accuracy": "windtunnel.metrics.accuracy:Accuracy",
        "macro-f1": "windtunnel.metrics.f1:MacroF1",
        "ece": "windtunnel.metrics.calibration:ExpectedCalibrationError",
    },
)
