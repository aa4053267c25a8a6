"""A fine-tuning of a suite that is killed goes on in another process from its last kept epoch, and leaves the same entry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.toy_suite import suite

from windtunnel import make_recipe
from windtunnel.execution.facts import Facts
from windtunnel.execution.plan import plan, sources
from windtunnel.execution.store import Store
from windtunnel.execution.victims import BEST, LAST
from windtunnel.execution.work import Finetune
from windtunnel.execution.workbench import Workbench


class Killed(BaseException):
    pass


def bench_and_work(folder) -> tuple[Workbench, Finetune]:
    toy = replace(suite(), recipes={"full": make_recipe("full", epochs=5, batch=16)}, seeds=(0,))
    store = Store(folder)
    bench = Workbench(store, device="cpu", checkpoint_every=0)
    for source in sources(toy):
        bench.prepare(source)
    return bench, next(work for work in plan(toy, Facts(store)).work if isinstance(work, Finetune))


def test_a_killed_fine_tuning_goes_on_and_leaves_the_same_entry(tmp_path):
    def kill(done: int, epochs: int) -> None:
        if done == 4:
            raise Killed

    whole, work = bench_and_work(tmp_path / "whole")
    whole.finetune(work, lambda done, epochs: None)
    first, work = bench_and_work(tmp_path / "killed")
    with pytest.raises(Killed):
        first.finetune(work, kill)
    assert list((tmp_path / "killed" / "partial").iterdir())
    seen: list[int] = []
    second, work = bench_and_work(tmp_path / "killed")
    second.finetune(work, lambda done, epochs: seen.append(done))
    assert seen == [4, 5], "three epochs were kept"
    assert list((tmp_path / "killed" / "partial").iterdir()) == []
    entries = [bench.store.read(work.cell.key) for bench in (whole, second)]
    for name in (BEST, LAST, "record.json"):
        assert entries[0].bytes(name) == entries[1].bytes(name), name
