"""Small copies of ImageNet-P in the published layout, written as videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from windtunnel.core.dataset import Pixels
from windtunnel.core.sequences import FRAMES


def write_video(path: Path, frames: Sequence[Pixels]) -> None:
    """Frames as an .mp4 of H.264, the codec that the set was published in.

    Args:
        frames: uint8 (height, width, 3) each, with even sides.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"crf": "10", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())


def grey(number: int, offset: int = 0) -> Pixels:
    """A frame by whose brightness its number is told: six levels more each."""
    return np.full((32, 32, 3), offset + 6 * number, dtype=np.uint8)


def write_greys(root: Path, perturbation: str, folder: str = "", names: Sequence[str] = ("n01440764/a.mp4", "n01443537/b.mp4")) -> None:
    """Sequences that brighten from frame to frame, each a little brighter than the one before."""
    for offset, name in enumerate(names):
        write_video(root / (folder or perturbation) / name, [grey(number, offset) for number in range(1, FRAMES[perturbation] + 1)])
