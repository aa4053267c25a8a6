"""Images: float tensors in [0, 1], perturbed within a norm ball."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from windtunnel.core.batch import Batch
from windtunnel.core.budget import distances, tolerance
from windtunnel.core.canonical import fraction_text
from windtunnel.core.dataset import Dataset, Pixels, to_inputs, to_pixels
from windtunnel.core.modality import IMAGE, Modality
from windtunnel.errors import BudgetError, DataError

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.core.flag import Flag
    from windtunnel.core.suspicion import Probe
    from windtunnel.core.threat import Threat

THUMBNAIL = 64
"""Examples are shown at most this many pixels wide and high."""


class ImageModality(Modality["Tensor", Pixels]):
    """Float (batch, channel, height, width) in [0, 1]; kept as uint8 (n, height, width, channel)."""

    name: ClassVar[str] = IMAGE
    shrinks: ClassVar[bool] = True
    copies: ClassVar[str] = "copies.safetensors"

    def check(self, batch: Batch) -> None:
        """Refuse inputs that are empty, not finite or outside [0, 1].

        Raises:
            DataError: with the first offending sample's id.
        """
        import torch

        if not len(batch):
            raise DataError("The batch is empty; there is nothing to evaluate.")
        if not torch.is_floating_point(batch.inputs):
            raise DataError(f"Inputs are {batch.inputs.dtype}; expected float in [0, 1] (uint8 images: divide by 255).")
        flat = batch.inputs.flatten(1)
        low, high = flat.amin(1), flat.amax(1)
        bad = (~((low >= 0) & (high <= 1))).nonzero()  # NaN fails both comparisons
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"Sample {batch.ids[row]!r} has values from {float(low[row]):.4g} to {float(high[row]):.4g}; expected [0, 1]. "
                "Give images before normalisation: it belongs inside the victim."
            )

    def verify(self, threat: Threat, inputs: Tensor, changed: Tensor, level: Fraction, ids: tuple[str, ...]) -> None:
        """Check shape, range and norm of what a threat made.

        Raises:
            BudgetError: the first sample that breaks its budget, by how much.
        """
        import torch

        name = f"{threat.use} at {fraction_text(level)}"
        if changed.shape != inputs.shape:
            raise BudgetError(f"{name} answered with shape {tuple(changed.shape)} for {tuple(inputs.shape)}.")
        outside = ~(torch.isfinite(changed) & (changed >= 0) & (changed <= 1)).flatten(1).all(1)
        if bool(outside.any()):
            row = int(outside.nonzero()[0])
            raise BudgetError(f"{name} left the range [0, 1] on sample {ids[row]!r}; the result is not an image, so nothing it shows counts.")
        if not threat.adaptive:
            return
        moved = distances(threat.measured_norm, inputs, changed)
        allowed = float(level) + tolerance(threat.measured_norm, float(level), inputs[0].numel())
        if float(moved.max()) > allowed:
            row = int(moved.argmax())
            raise BudgetError(
                f"{name} moved sample {ids[row]!r} by {float(moved[row]):.6g} in {threat.measured_norm}, more than its budget {float(level):.6g}; "
                "an attack outside its budget proves nothing."
            )

    def distances(self, norm: str, inputs: Tensor, changed: Tensor) -> npt.NDArray[np.float64]:
        """The norm of each sample's change."""
        found: npt.NDArray[np.float64] = distances(norm, inputs, changed).cpu().numpy()
        return found

    def copy(self, inputs: Tensor) -> Tensor:
        """A clone."""
        return inputs.clone()

    def settled(self, changed: Tensor) -> Tensor:
        """Without its graph of gradients."""
        return changed.detach()

    def put(self, inputs: Tensor, rows: Sequence[int], others: Tensor) -> Tensor:
        """The same tensor, written into."""
        inputs[list(rows)] = others
        return inputs

    def shape(self, inputs: Tensor) -> tuple[int, ...]:
        """(channel, height, width)."""
        return tuple(inputs.shape[1:])

    def rivals(self, probe: Probe) -> Iterator[Flag | None]:
        """A random point at the same distance; what gradients give away, of attacks that follow the victim's."""
        from windtunnel.core import probes, suspicion

        yield suspicion.noise_does_as_well(probe)
        if not (probe.threat.black_box or probe.threat.transfer):
            yield from probes.gradients(probe)

    def inputs(self, stored: Pixels) -> Tensor:
        """As float32 in [0, 1]."""
        return to_inputs(stored)

    def stored(self, inputs: Tensor) -> Pixels:
        """Rounded to the nearest of 256 levels."""
        return to_pixels(inputs)

    def digests(self, stored: Pixels) -> list[bytes]:
        """Over shape and pixels."""
        shape = str(stored.shape[1:]).encode()
        return [hashlib.sha256(shape + image.tobytes()).digest() for image in stored]

    def constant(self, stored: Pixels) -> list[bool]:
        """Whether all pixels of an image are the same in all channels."""
        same: list[bool] = (np.ptp(stored.reshape(len(stored), -1), axis=1) == 0).tolist()
        return same

    def size(self, data: Dataset) -> int:
        """As many bytes as the first image, each."""
        return data.pixels([0]).nbytes * len(data)

    def pack(self, copies: Mapping[str, Pixels]) -> bytes:
        """One uint8 tensor a level."""
        import torch
        from safetensors.torch import save

        return save({level: torch.from_numpy(pixels) for level, pixels in copies.items()})

    def unpack(self, content: bytes) -> Mapping[str, Pixels]:
        """The pixels by level."""
        from safetensors.torch import load

        return {level: tensor.numpy() for level, tensor in load(content).items()}

    def join(self, first: Pixels, second: Pixels) -> Pixels:
        """The images of both."""
        return np.concatenate([first, second])

    def portray(self, pair: Pixels) -> dict[str, Any]:
        """Two small PNG files as base64."""
        return {"images": [_png(image) for image in pair]}


def _png(pixels: Pixels) -> str:
    """A PNG of at most THUMBNAIL pixels a side, as base64."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
