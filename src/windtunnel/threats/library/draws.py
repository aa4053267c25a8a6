"""Keyed randomness for attack code that can only draw from torch's global generator. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from windtunnel.errors import VictimError
from windtunnel.seeding import generator, generators

Sampler = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Answer = Callable[["KeyedDraws", tuple[Any, ...], dict[str, Any]], Tensor]

# Sampling without a keyed counterpart: answering it from the global generator would depend on batch size and order.
REFUSED = frozenset(
    {"multinomial", "poisson", "binomial", "cauchy_", "geometric_", "log_normal_", "gumbel_softmax", "rrelu", "rrelu_"}
    | {"dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "native_dropout"}
    | {"fractional_max_pool2d", "fractional_max_pool3d"}
)


class KeyedDraws(TorchFunctionMode):
    """While active, every draw from torch's global generator is answered from generators keyed by what they are for.

    A draw with as many dimensions as the inputs and one row per sample gets rows from the samples' own streams, which go on
    from draw to draw; any other draw (a window's position, say) comes from one stream that all batches share. So a sample
    meets the same draws in any batch, at any place in it. Calls with an explicit generator are left to it.

    Args:
        ids: of the samples in the batch, in its order.
        seed: keys every stream, with the purpose.
        purpose: what the draws are for; another purpose draws independently.
        dimensions: number of dimensions of the inputs, the batch's included.
    Raises:
        VictimError: a kind of draw that has no keyed counterpart.
    """

    def __init__(self, ids: Sequence[str], seed: int, purpose: str, dimensions: int = 4) -> None:
        super().__init__()
        self.purpose = purpose
        self.dimensions = dimensions
        self._streams = generators(seed, purpose, ids)
        self._shared = generator(seed, purpose)

    def sample(self, shape: Sequence[int], sampler: Sampler) -> Tensor:
        """A draw of `shape` from the streams that it belongs to, on the CPU."""
        size = tuple(int(side) for side in shape)
        if len(size) == self.dimensions and size[0] == len(self._streams) > 0:
            return torch.from_numpy(np.stack([np.asarray(sampler(stream, size[1:])) for stream in self._streams]))
        return torch.from_numpy(np.asarray(sampler(self._shared, size)))

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Answer a draw; let everything else pass."""
        named = kwargs or {}
        name = getattr(func, "__name__", "")
        refused = name in REFUSED or getattr(func, "__module__", "") == "torch.nn.init"
        answer = None if refused else ANSWERS.get(name)
        if (answer is None and not refused) or named.get("generator") is not None:
            return func(*args, **named)
        if answer is not None:
            return answer(self, args, named)
        raise VictimError(
            f"{self.purpose} called torch's {name}(), which would draw from the global generator and make the result depend on batch and order. "
            "Draw with rand, randn or randint, or give it a torch.Generator."
        )


def _float_kind(dtype: torch.dtype) -> Any:
    return np.float64 if dtype == torch.float64 else np.float32


def uniform(dtype: torch.dtype) -> Sampler:
    """Uniform on [0, 1), in the precision of `dtype`."""
    kind = _float_kind(dtype)
    return lambda stream, shape: np.asarray(stream.random(shape, dtype=kind))


def _normal(dtype: torch.dtype) -> Sampler:
    kind = _float_kind(dtype)
    return lambda stream, shape: np.asarray(stream.standard_normal(shape, dtype=kind))


def _integers(low: int, high: int) -> Sampler:
    return lambda stream, shape: np.asarray(stream.integers(low, high, shape, dtype=np.int64))


def _place(values: Tensor, named: Mapping[str, Any], like: Tensor | None = None, integral: bool = False) -> Tensor:
    """Give drawn values the type and device that the call asked for."""
    if named.get("out") is not None:
        raise VictimError("A draw into out=... has no keyed counterpart; assign its result instead.")
    default = torch.int64 if integral else torch.get_default_dtype()
    dtype = named.get("dtype") or (like.dtype if like is not None else default)
    device = named.get("device") or (like.device if like is not None else torch.get_default_device())
    return values.to(device=device, dtype=dtype).requires_grad_(bool(named.get("requires_grad", False)))


def _shape(args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[int, ...]:
    size = named["size"] if "size" in named else args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
    return tuple(int(side) for side in size)


def _rand(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    dtype = named.get("dtype") or torch.get_default_dtype()
    return _place(draws.sample(_shape(args, named), uniform(dtype)), named)


def _randn(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    dtype = named.get("dtype") or torch.get_default_dtype()
    return _place(draws.sample(_shape(args, named), _normal(dtype)), named)


def _range(args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[int, int, tuple[Any, ...]]:
    """(low, high, what is left) of randint's two signatures."""
    left = list(args)
    scalars = [left.pop(0) for _ in range(min(2, len(left))) if left and not isinstance(left[0], list | tuple)]
    high = named["high"] if "high" in named else scalars.pop()
    low = named.get("low", scalars.pop() if scalars else 0)
    return int(low), int(high), tuple(left)


def _randint(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    low, high, left = _range(args, named)
    return _place(draws.sample(_shape(left, named), _integers(low, high)), named, integral=True)


def _rand_like(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    like = args[0]
    return _place(draws.sample(like.shape, uniform(named.get("dtype") or like.dtype)), named, like)


def _randn_like(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    like = args[0]
    return _place(draws.sample(like.shape, _normal(named.get("dtype") or like.dtype)), named, like)


def _randint_like(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    low, high, _ = _range(args[1:], named)
    return _place(draws.sample(args[0].shape, _integers(low, high)), named, args[0])


def _randperm(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    count = int(args[0] if args else named["n"])
    return _place(draws.sample((count,), lambda stream, shape: stream.permutation(shape[0])), named, integral=True)


def _normal_function(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    """torch.normal: mean and deviation are tensors, or numbers with a size."""
    left = list(args)
    mean = named["mean"] if "mean" in named else left.pop(0)
    deviation = named["std"] if "std" in named else left.pop(0) if left else 1.0
    tensors = [value for value in (mean, deviation) if isinstance(value, Tensor)]
    like = tensors[0] if tensors else None
    shape = np.broadcast_shapes(*(tuple(tensor.shape) for tensor in tensors)) if tensors else _shape(tuple(left), named)
    dtype = named.get("dtype") or (like.dtype if like is not None else torch.get_default_dtype())
    values: Tensor = mean + deviation * _place(draws.sample(shape, _normal(dtype)), named, like)
    return values


def _bernoulli(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    chances = args[0]
    p = args[1] if len(args) > 1 else named.get("p", chances)
    hits: Tensor = draws.sample(chances.shape, uniform(chances.dtype)).to(chances.device) < p
    return hits.to(chances.dtype)


def _fill(target: Tensor, values: Tensor) -> Tensor:
    with torch.no_grad():
        filled: Tensor = target.copy_(values)
    return filled


def _bounds(args: tuple[Any, ...], named: Mapping[str, Any], first: str, second: str, default: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two optional arguments after the tensor."""
    low = args[1] if len(args) > 1 else named.get(first, default[0])
    high = args[2] if len(args) > 2 else named.get(second, default[1])
    return low, high


def _uniform_(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    low, high = _bounds(args, named, "from", "to", (0.0, 1.0))
    drawn = draws.sample(args[0].shape, uniform(args[0].dtype))
    # Rounding of the product may pass an end of the range, which torch's own sampling never does.
    return _fill(args[0], (low + (high - low) * drawn).clamp_(low, high))


def _normal_(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    mean, deviation = _bounds(args, named, "mean", "std", (0.0, 1.0))
    return _fill(args[0], mean + deviation * draws.sample(args[0].shape, _normal(args[0].dtype)))


def _random_(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    target, *ends = args
    ends = [*ends, *(named[key] for key in ("from", "to") if key in named)]
    # As torch does: without an end, all whole numbers that the type can hold exactly.
    top = int(torch.iinfo(target.dtype).max) if not target.dtype.is_floating_point else int(2 / torch.finfo(target.dtype).eps)
    low, high = (ends[0], ends[1]) if len(ends) == 2 else (0, ends[0] if ends else top)
    return _fill(target, draws.sample(target.shape, _integers(int(low), int(high))))


def _bernoulli_(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    p = args[1] if len(args) > 1 else named.get("p", 0.5)  # torch's own default
    drawn = draws.sample(args[0].shape, uniform(torch.float32)).to(args[0].device)
    return _fill(args[0], drawn < p)


def _exponential_(draws: KeyedDraws, args: tuple[Any, ...], named: dict[str, Any]) -> Tensor:
    rate = args[1] if len(args) > 1 else named.get("lambd", 1.0)
    kind = _float_kind(args[0].dtype)
    drawn = draws.sample(args[0].shape, lambda stream, shape: np.asarray(stream.standard_exponential(shape, dtype=kind)))
    return _fill(args[0], drawn / rate)


ANSWERS: Mapping[str, Answer] = {
    "rand": _rand,
    "randn": _randn,
    "randint": _randint,
    "rand_like": _rand_like,
    "randn_like": _randn_like,
    "randint_like": _randint_like,
    "randperm": _randperm,
    "normal": _normal_function,
    "bernoulli": _bernoulli,
    "uniform_": _uniform_,
    "normal_": _normal_,
    "random_": _random_,
    "bernoulli_": _bernoulli_,
    "exponential_": _exponential_,
}
"""Name of torch's function or tensor method -> its keyed counterpart."""
