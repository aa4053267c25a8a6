"""One model through one benchmark from the command line, with real weights and small copies of published sets."""

from __future__ import annotations

import html
import json
import shlex
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from support.sequences import write_video

from windtunnel.cli import main
from windtunnel.core.classes import imagenet_ids
from windtunnel.core.dataset import to_inputs
from windtunnel.core.network import Preprocess
from windtunnel.models.packaged import ZooModel
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.measures import measures

OWN = ("n03877845", "n11939491", "n04146614")  # palace, daisy, school bus
OTHER = ("n11939491", "n03877845")

BENCHMARK = """\
benchmark: small-shifts
version: 1
data: {{use: imagenet, path: {root}/val, partial: true, split: test}}
threats:
  - {{use: shift, name: renditions, data: "imagenet-r[test]", options: {{path: {root}/r, partial: true}}}}
  - {{use: contrast, severities: [2]}}
headline: mean accuracy of shift
"""


OWN_DATA = """\
benchmark: own-data
version: 1
data: suite[test]
threats: [{use: contrast, severities: [2]}]
headline: mean accuracy of contrast
"""


SEQUENCES = """\
benchmark: sequences
version: 1
data: {{use: imagenet, path: {root}/val, partial: true, split: test}}
threats: [{{use: imagenet-p, name: turning, perturbation: rotate, path: {root}/p, partial: true}}]
headline: mean accuracy of turning
"""


def write(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    photograph = load_sample_images().images[number % 2]
    for row in range(2):
        Image.fromarray(photograph[20 * row : 300 + 20 * row, 30 * row : 300 + 30 * row]).save(folder / f"{row}.png")


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    for number, name in enumerate(OWN):
        write(tmp_path / "val" / name, number)
    for number, name in enumerate(OTHER):
        write(tmp_path / "r" / name, number)
    (tmp_path / "small-shifts.yaml").write_text(BENCHMARK.format(root=tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WINDTUNNEL_STORE", str(tmp_path / "store"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windtunnel", "evaluate", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def direct(folder: Path, classes: tuple[str, ...]) -> list[int]:
    """What the network says when only the logits of `classes` compete, in the order of the folders."""
    built = ZooModel(name="efficientnet-lite0").build()
    prepare = Preprocess(built.preprocessing)
    found = []
    for name in sorted(classes):
        for path in sorted((folder / name).iterdir()):
            with Image.open(path) as image:
                scaled = image.resize(
                    (round(256 * image.width / min(image.size)), round(256 * image.height / min(image.size))), Image.Resampling.BICUBIC
                )
            left, top = (scaled.width - 224) // 2, (scaled.height - 224) // 2
            inputs = to_inputs(np.asarray(scaled.crop((left, top, left + 224, top + 224)))[None])
            with torch.no_grad():
                logits = built.network(prepare(inputs))[0, [imagenet_ids().index(each) for each in sorted(classes)]]
            found.append(int(logits.argmax()))
    return found


def test_a_classifier_of_a_thousand_classes_is_evaluated_on_three_and_on_two_of_them(call, tmp_path):
    code, out, err = call("--model", "windtunnel/efficientnet-lite0", "--benchmark", "./small-shifts.yaml", "--workers", "1", "--quiet")
    assert (code, err) == (0, "")
    assert "renditions" in out
    assert "contrast" in out
    run = RunFolder.load(tmp_path / "runs" / "evaluate-windtunnel-efficientnet-lite0-small-shifts" / "latest")
    for threat, level, folder, classes in (("clean", "0", "val", OWN), ("renditions", "1", "r", OTHER)):
        record = run.cell("windtunnel/efficientnet-lite0", "pretrained", 0, "small-shifts", threat)
        labels = [label for label in range(len(classes)) for _ in range(2)]
        right = [found == label for found, label in zip(direct(tmp_path / folder, classes), labels, strict=True)]
        assert record.facts["classes"] == sorted(classes)
        assert run.outcomes.slice(record.key, level).correct.tolist() == right
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["recipes"] == ["pretrained"]
    assert manifest["data"]["sizes"] == {"test": 6}


def test_the_frames_of_imagenet_p_are_answered_one_by_one_and_their_flips_counted(call, tmp_path):
    palace, flower = load_sample_images().images
    for number, name in enumerate(OTHER):
        frames = [(palace, flower)[step // 4 % 2][40 * number : 40 * number + 224, 5 * step : 5 * step + 224] for step in range(31)]
        write_video(tmp_path / "p" / "rotate" / name / "a.mp4", frames)
    (tmp_path / "sequences.yaml").write_text(SEQUENCES.format(root=tmp_path))
    assert call("--model", "windtunnel/efficientnet-lite0", "--benchmark", "./sequences.yaml", "--workers", "1", "--quiet")[0] == 0
    run = RunFolder.load(tmp_path / "runs" / "evaluate-windtunnel-efficientnet-lite0-sequences" / "latest")
    record = run.cell("windtunnel/efficientnet-lite0", "pretrained", 0, "sequences", "turning")
    answered = np.stack([run.outcomes.slice(record.key, str(number)).predicted for number in range(1, 32)], axis=1)
    built = ZooModel(name="efficientnet-lite0").build()
    competing = [imagenet_ids().index(name) for name in sorted(OTHER)]
    for name, answers in zip(sorted(OTHER), answered, strict=True):
        with av.open(str(tmp_path / "p" / "rotate" / name / "a.mp4")) as video:
            frames = np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])
        with torch.no_grad():
            logits = built.network(Preprocess(built.preprocessing)(to_inputs(frames)))[:, competing]
        np.testing.assert_array_equal(answers, logits.argmax(1).numpy())
    flips = (answered[:, 1:] != answered[:, :-1]).mean()
    assert flips > 0
    assert {each.name: each.value for each in measures(run)}["flips of turning"] == pytest.approx(flips)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("small-shifts", ["--benchmark", "./small-shifts.yaml"]),
        ("small-shifts-3-samples", ["--benchmark", "./small-shifts.yaml", "--samples", "3"]),
        ("own-data-4-samples", ["--benchmark", "own-data", "--samples", "4", "--catalog", "./my catalogue", "--data", "./own"]),
    ],
)
def test_the_page_prints_the_command_that_gives_the_same_cells(name, options, call, tmp_path):
    (tmp_path / "my catalogue" / "benchmarks").mkdir(parents=True)
    (tmp_path / "my catalogue" / "benchmarks" / "own-data.yaml").write_text(OWN_DATA)
    for number, each in enumerate(OTHER):
        write(tmp_path / "own" / "test" / each, number)
    runs = tmp_path / "runs" / f"evaluate-windtunnel-efficientnet-lite0-{name}"
    assert call("--model", "windtunnel/efficientnet-lite0", *options, "--workers", "1", "--quiet")[0] == 0
    cells = json.loads((runs / "latest" / "manifest.json").read_text())["cells"]
    section = (runs / "latest" / "report.html").read_text().partition("Reproduce and cite")[2]
    printed = shlex.split(html.unescape(section.partition('tabindex="0">')[2].partition("</pre>")[0]))
    assert printed[:2] == ["windtunnel", "evaluate"]
    code, said, _ = call(*printed[2:], "--workers", "1", "--quiet")
    assert code == 0
    assert "cells computed" not in said
    assert len(list(runs.glob("2*"))) == 2
    assert json.loads((runs / "latest" / "manifest.json").read_text())["cells"] == cells


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "windtunnel/micro-resnt", "--benchmark", "digits-linf"], "Did you mean 'windtunnel/micro-resnet'?"),
        (["--model", "windtunnel/micro-resnet", "--benchmark", "digits-lin"], "Did you mean 'digits-linf'?"),
        (["--model", "windtunnel/micro-resnet", "--benchmark", "digits-linf", "--recipe", "fulll"], "Did you mean 'full'?"),
        (["--model", "windtunnel/micro-resnet", "--benchmark", "imagenet-shifts"], "imagenet was not found at"),
        (["--model", "windtunnel/micro-resnet", "--benchmark", "imagenet-shifts", "--data", "./nothing"], "'./nothing'"),
    ],
)
def test_mistakes_are_told_in_plain_words(arguments, said, call, monkeypatch, tmp_path):
    monkeypatch.setenv("WINDTUNNEL_DATA", str(tmp_path / "data"))
    code, _, err = call(*arguments, "--workers", "1")
    assert code == 2
    assert said in err.replace("\n", " ")
    assert "Traceback" not in err


def test_a_head_of_another_size_fails_its_cell_with_a_way_out(call, tmp_path):
    code, out, _ = call("--model", "windtunnel/micro-resnet", "--benchmark", "./small-shifts.yaml", "--workers", "1", "--quiet")
    assert code == 3
    assert "failed" in out
    page = (tmp_path / "runs/evaluate-windtunnel-micro-resnet-small-shifts/latest/report.html").read_text()
    assert "nothing tells which is which" in page
