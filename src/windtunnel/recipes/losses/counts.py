"""How often each class occurs in a training split. Imports torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.part import Fitting


def counts(fitting: Fitting) -> Tensor:
    """Samples of each class in the training split, (classes,), float64 on the CPU."""
    data = fitting.train
    return torch.from_numpy(np.bincount(data.labels, minlength=len(data.classes))).double()
