"""Measure how many images a second of processor time go forward and backward (to the input) through a zoo network on one thread.

Processor time leaves out waiting for other programs, though not their share of the caches.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from windtunnel.models import zoo

BATCH = 100
WARM_UP = 3


def seconds_of_passes(name: str, passes: int) -> list[float]:
    """Return the sorted processor times of single forward and backward passes; parameters need no gradient, as in an attack."""
    net = zoo.build(name).requires_grad_(False)
    inputs = torch.rand(BATCH, *zoo.preprocessing(name).size, requires_grad=True)
    times = []
    for _ in range(WARM_UP + passes):
        start = time.process_time()
        torch.autograd.grad(net(inputs).logsumexp(1).sum(), inputs)
        times.append(time.process_time() - start)
    return sorted(times[WARM_UP:])


def main() -> None:
    """Print the median and the best rate; on a shared machine the best is the nearer to the truth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=sorted(zoo.ZOO))
    parser.add_argument("--passes", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names:
        times = seconds_of_passes(name, options.passes)
        best, median = (round(BATCH / time) for time in (times[0], times[len(times) // 2]))
        print(json.dumps({"network": name, "images_per_second": {"median": median, "best": best}}))


if __name__ == "__main__":
    main()
