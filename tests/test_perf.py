"""The measurements compare like with like, and their arithmetic is right; nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest
import torch
from perf import __main__ as command
from perf import attacks, bare, overhead
from perf.corruptions import agreement, crops, order, theirs
from perf.material import CPU, SEED, Tensors
from perf.processes import Memory, memory_of, tree
from perf.quickstart import watch
from perf.report import Figure, Section, page
from perf.streaming import peak
from perf.timing import Job, Times, interleave, ratio
from support.small import Stripes, Tiny
from support.victims import answered, convolutional, images

from windtunnel import make_recipe
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.execution.workbench import features

DATA = Stripes().load()


def work() -> Finetuning:
    model = Tiny().load()
    return Finetuning(model, DATA["train"], DATA["val"], SEED, CPU, lambda part: features(Network(model, 1), part, CPU))


def test_a_ratio_is_that_of_the_medians_and_spans_the_rounds():
    found = ratio(Times((2.0, 6.0, 4.0)), Times((1.0, 2.0, 4.0)))
    assert (found.medians, found.minima, found.low, found.high) == (2.0, 2.0, 1.0, 3.0)


def test_a_ratio_of_other_rounds_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        ratio(Times((1.0, 2.0)), Times((1.0,)))


def test_scaling_multiplies_every_repetition():
    assert Times((1.0, 3.0)).scaled(20).seconds == (20.0, 60.0)


def test_jobs_take_turns_and_their_preparation_is_not_timed():
    ticks, log = iter(range(100)), []
    jobs = [Job("a", log.append, lambda: "a"), Job("b", log.append, lambda: "b")]
    found = interleave(jobs, 3, lambda: float(next(ticks)))
    assert log == ["a", "b", "a", "b", "b", "a", "a", "b"]  # the first two warm up
    assert found == {"a": Times((1.0,) * 3), "b": Times((1.0,) * 3)}


def test_the_naive_loop_trains_the_same_head_as_the_recipe():
    recipe = make_recipe("linear-probe", epochs=4)
    ours = recipe.finetune(work()).network
    naive = bare.train_head(work(), recipe, Tensors.of(DATA["train"]), Tensors.of(DATA["val"]))
    fresh = Network(Tiny().load(), 3, seed=SEED)
    assert not torch.allclose(ours.head.weight, fresh.head.weight, atol=1e-3)
    torch.testing.assert_close(ours.head.weight, naive.head.weight, atol=1e-5, rtol=0)
    torch.testing.assert_close(naive.backbone.state_dict(), fresh.backbone.state_dict(), atol=0, rtol=0)


def test_the_bare_loop_trains_the_same_network_as_full_fine_tuning():
    recipe = make_recipe("full", epochs=3)
    ours = recipe.finetune(work()).network.state_dict()
    plain = bare.train_all(work(), recipe, Tensors.of(DATA["train"]), Tensors.of(DATA["val"])).state_dict()
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=0)
    assert not torch.allclose(ours["backbone.0.weight"], Tiny().load().backbone.state_dict()["0.weight"], atol=1e-3)


def test_the_bare_attack_does_the_passes_of_the_harness_but_for_its_probes():
    module = convolutional()
    found = overhead.passes(module.requires_grad_(False), answered(module, images(20)))
    assert found.attacked == 20
    assert found.bare.backward == 20 * overhead.STEPS
    unbounded = 16 * 20  # steps without any bound at most, on some of the samples
    assert 20 < found.ours.backward - found.bare.backward <= 20 + unbounded  # and one look for masked gradients
    assert 0 < found.ours.forward - found.bare.forward <= 6 * 20 + unbounded + 16
    assert max(found.correct) < 20


def test_memory_of_a_tree_counts_children():
    child = "import sys; block = bytearray(b'x') * 60_000_000; print('there', flush=True); sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        found = tree(process.pid)
        alone, whole = memory_of([process.pid]), memory_of(found)
        process.communicate("")
    assert len(found) == 2
    assert alone.proportional < 60_000_000 < whole.proportional <= whole.resident


def test_a_process_that_is_gone_holds_nothing():
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
    assert memory_of([process.pid]) == Memory(0, 0)


def test_a_watched_command_gives_its_output_and_a_peak(tmp_path):
    found = watch((sys.executable, "-c", "block = bytearray(b'x') * 50_000_000; import time; time.sleep(0.5); print('done')"), tmp_path)
    assert found.output == "done\n"
    assert found.peak.proportional > 50_000_000


def test_a_watched_command_that_fails_is_an_error(tmp_path):
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        watch((sys.executable, "-c", "raise SystemExit(3)"), tmp_path)


def test_the_page_shows_a_missed_target_plainly():
    text = page([Section("speed", (Figure("fast", "under 1 s", "2 s", False), Figure("baseline", "", "3 ms", None)), "How.")], "- date: today")
    assert "| fast | under 1 s | 2 s | **no** |" in text
    assert "| baseline |  | 3 ms |  |" in text
    assert "Missed: fast." in text


def test_an_unknown_measurement_is_a_mistake(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["speed"])
    assert "there is no measurement 'speed'; choose from commands" in capsys.readouterr().err


def test_a_point_outside_the_ball_or_the_range_counts_as_not_found():
    module = convolutional()
    batch = answered(module, images(8))
    away = (batch.inputs + 0.5).clamp(0, 1)
    with torch.no_grad():
        assert attacks.judged(module, batch, away, Fraction(1, 2)).tolist() == (module(away).argmax(1) == batch.labels).tolist()
    assert attacks.judged(module, batch, away, Fraction(1, 10)).all()
    assert attacks.judged(module, batch, batch.inputs * 3 - 1, Fraction(5)).all()


def test_repaired_corruptions_are_those_of_the_package():
    pictures = crops(1)
    assert theirs("gaussian-noise", pictures).shape == pictures.shape
    same = agreement(pictures, pictures // 2, pictures // 2)
    assert (same.levels, same.mean, same.variance) == (0, 0, 0)
    assert agreement(pictures, pictures // 2 + 1, pictures // 2).levels == 1
    assert order(lambda name, data, severity: data // severity, "", pictures) == {(low, high) for low in range(1, 6) for high in range(low + 1, 6)}


def test_a_stream_of_a_few_images_reports_a_peak():
    assert 100 < peak(130) < 6000
