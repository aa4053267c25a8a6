"""The modalities there are, by name and by what their inputs look like."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from windtunnel.core.image_modality import ImageModality
from windtunnel.core.modality import IMAGE, TEXT, Modality
from windtunnel.core.text_modality import TextModality
from windtunnel.core.texts import Texts

MODALITIES: Final[Mapping[str, Modality[Any, Any]]] = MappingProxyType({IMAGE: ImageModality(), TEXT: TextModality()})
"""Modality by name."""


def modality_of(inputs: object) -> Modality[Any, Any]:
    """The modality of a batch's inputs, or of samples as a data set keeps them."""
    return MODALITIES[TEXT if isinstance(inputs, Texts) else IMAGE]
