"""What workers compute on, and how many there are."""

from __future__ import annotations

import os

import pytest
import torch

from windtunnel.core.runner import Runner
from windtunnel.errors import WindtunnelError
from windtunnel.execution.devices import Devices
from windtunnel.execution.workbench import pick_device


def test_gpus_are_given_to_workers_in_turn():
    several = Devices("cuda", 3)
    assert [several.of_worker(number) for number in range(5)] == ["cuda:0", "cuda:1", "cuda:2", "cuda:0", "cuda:1"]
    assert Devices("cuda", 1).of_worker(4) == "cuda"
    assert Devices("cpu", 8).of_worker(3) == "cpu"


@pytest.mark.parametrize(
    ("devices", "runner", "threads", "expected"),
    [
        (Devices("cuda", 4), Runner(), 1, 4),
        (Devices("cuda", 4), Runner(workers=8), 1, 8),
        (Devices("mps", 1), Runner(), 2, 1),
        (Devices("cpu", 8), Runner(), 1, 8),
        (Devices("cpu", 8), Runner(), 3, 2),
        (Devices("cpu", 2), Runner(), 4, 1),
    ],
)
def test_there_is_a_worker_for_each_accelerator_or_as_many_as_the_cores_suffice_for(devices, runner, threads, expected):
    assert devices.workers(runner, threads) == expected


def test_a_cpu_is_taken_where_it_is_asked_for():
    assert Devices.of("cpu") == Devices("cpu", os.cpu_count())


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is an accelerator")
def test_without_accelerators_there_is_the_cpu_and_a_gpu_that_is_asked_for_is_missed_by_a_worker():
    assert Devices.of("auto") == Devices("cpu", os.cpu_count())
    assert Devices.of("cuda") == Devices("cuda", 1)
    for name in ("cuda", "cuda:1"):
        with pytest.raises(WindtunnelError, match="asks for the device 'cuda', but torch sees none"):
            pick_device(name)
