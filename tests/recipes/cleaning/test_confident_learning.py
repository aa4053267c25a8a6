"""Confident learning against the paper's example and a peer's regression, and what it does to noisy digits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from windtunnel import make_recipe
from windtunnel.conditions.label_noise import LabelNoise
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning, Material
from windtunnel.datasets.digits import Digits
from windtunnel.errors import RecipeError
from windtunnel.execution.workbench import features
from windtunnel.model_names import source
from windtunnel.recipes.cleaning.confident_learning import ConfidentLearning, by_class, by_noise_rate, confident_joint, joint
from windtunnel.recipes.cleaning.probing import folds_of, out_of_sample, probe

COUNTS = np.array([[100, 40, 20], [56, 60, 0], [32, 12, 80]])
"""Dogs, foxes and cows of the paper's figure 1: given labels in rows, true ones in columns."""
SHARES = np.array([[0.25, 0.10, 0.05], [0.14, 0.15, 0.0], [0.08, 0.03, 0.20]])
"""The joint distribution that the figure gives for them."""


def example(unsure: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that are counted as in the figure; some more dogs that are sure of nothing."""
    pairs = [(label, true) for label in range(3) for true in range(3) for _ in range(COUNTS[label, true])]
    chances = np.full((len(pairs), 3), 0.05)
    chances[range(len(pairs)), [true for _, true in pairs]] = 0.9
    labels = np.array([label for label, _ in pairs] + [0] * unsure)
    return labels, np.concatenate([chances, np.full((unsure, 3), 1 / 3)])


def test_the_joint_of_the_papers_example_is_the_papers() -> None:
    labels, chances = example()
    assert confident_joint(labels, chances).tolist() == COUNTS.tolist()
    np.testing.assert_allclose(joint(labels, chances) / len(labels), SHARES)


def test_samples_that_are_sure_of_nothing_are_not_counted_but_scaled_for() -> None:
    labels, chances = example(unsure=40)
    assert confident_joint(labels, chances).tolist() == COUNTS.tolist()
    np.testing.assert_allclose(joint(labels, chances)[0], [125, 50, 25])


def test_a_class_is_asked_for_what_it_usually_reaches_and_not_for_the_largest_probability() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.6, 0.4]])
    # Thresholds are (0.9 + 0.9 + 0.55) / 3 = 0.783 and 0.4: the third sample is confidently of the second class, though the first is likelier.
    assert confident_joint(labels, chances).tolist() == [[2, 1], [0, 2]]


def test_as_many_are_suspected_as_the_joint_says_the_likeliest_first() -> None:
    labels, chances = example()
    noise, alone = by_noise_rate(labels, chances, joint(labels, chances)), by_class(labels, chances, joint(labels, chances))
    wrong = np.array([label != true for label in range(3) for true in range(3) for _ in range(COUNTS[label, true])])
    assert noise.tolist() == wrong.tolist()
    assert alone.tolist() == wrong.tolist()


def test_the_two_ways_of_pruning_differ_and_both_is_what_they_share() -> None:
    labels = np.array([0] * 4 + [1] * 4 + [2] * 4)
    chances = np.random.default_rng(1).dirichlet([1, 1, 1], 12)
    counts = np.array([[2.0, 1, 1], [1, 2, 1], [0, 2, 2]])
    found = {prune: ConfidentLearning(prune=prune).suspects(labels, chances, counts) for prune in ("noise-rate", "class", "both")}
    assert found["both"].tolist() == (found["noise-rate"] & found["class"]).tolist()
    assert found["noise-rate"].tolist() != found["class"].tolist()
    order = np.argsort(chances[:4, 0])
    assert by_class(labels, chances, counts)[:4].tolist() == [row in order[:2] for row in range(4)]


def test_of_each_class_the_likeliest_sample_stays() -> None:
    labels = np.array([0, 0, 1, 1])
    chances = np.array([[0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.1, 0.9]])
    assert ConfidentLearning().suspects(labels, chances, np.array([[0.0, 2], [0, 2]])).tolist() == [True, False, False, False]


def test_the_probe_is_the_regression_of_a_peer() -> None:
    draw = np.random.default_rng(0)
    labels = np.arange(90) % 3
    inputs = draw.standard_normal((90, 5)) * [1, 10, 0.1, 3, 1] + labels[:, None] * 0.7
    scaler = StandardScaler().fit(inputs)
    peer = LogisticRegression(C=1 / (0.1 * 90), tol=1e-10, max_iter=10_000).fit(scaler.transform(inputs), labels)
    found = probe(torch.from_numpy(inputs), torch.from_numpy(labels), torch.from_numpy(inputs[:20]), 3, decay=0.1)
    np.testing.assert_allclose(found.numpy(), peer.predict_proba(scaler.transform(inputs[:20])), atol=1e-5)


def test_no_sample_is_judged_by_a_probe_that_saw_it() -> None:
    """Labels that mean nothing are learned by heart, and cannot be guessed."""
    draw = np.random.default_rng(0)
    inputs, labels = torch.from_numpy(draw.standard_normal((60, 80))), draw.integers(0, 3, 60)
    ids = [f"s{row}" for row in range(60)]
    known = probe(inputs, torch.from_numpy(labels), inputs, 3, decay=1e-3).numpy()
    guessed = out_of_sample(inputs, labels, ids, 3, folds=5, decay=1e-3, seed=0)
    assert known[range(60), labels].min() > 0.9
    assert guessed[range(60), labels].mean() < 0.5
    np.testing.assert_allclose(guessed.sum(1), 1)


def test_folds_hold_as_many_of_each_class_and_do_not_depend_on_the_order() -> None:
    labels, ids = np.arange(30) % 3, [f"s{row}" for row in range(30)]
    found = folds_of(labels, ids, 5, seed=0)
    assert all(np.bincount(found[labels == label]).tolist() == [2] * 5 for label in range(3))
    assert folds_of(labels[::-1], ids[::-1], 5, seed=0).tolist() == found[::-1].tolist()
    assert folds_of(labels, ids, 5, seed=1).tolist() != found.tolist()


def digits(noise: float, seed: int) -> Finetuning:
    splits, model, cpu = Digits().load(), source("windtunnel/micro-resnet").load(), torch.device("cpu")
    train, val = splits["train"], splits["val"]
    if noise:
        train, val = LabelNoise(rate=noise).apply(train, "train", seed), LabelNoise(rate=noise).apply(val, "val", seed)
    return Finetuning(model, train, val, seed, cpu, lambda data: features(Network(model, 1), data, cpu))


def accuracy(network: torch.nn.Module, data: Dataset) -> float:
    batch = data.batch()
    return float((network(batch.inputs).argmax(1) == batch.labels).float().mean())


def test_on_digits_with_wrong_labels_most_are_found_and_training_is_better_for_it() -> None:
    test, right = Digits().load()["test"], Digits().load()["train"].labels
    work = digits(0.4, seed=1)
    plain, cleaned = make_recipe("linear-probe").finetune(work), make_recipe("confident-learning").finetune(work)
    suspected = set(ConfidentLearning().clean(work).suspected)
    wrong = {name for name, true, given in zip(work.train.ids, right, work.train.labels, strict=True) if true != given}
    assert len(suspected & wrong) / len(suspected) > 0.95
    assert len(suspected & wrong) / len(wrong) > 0.9
    assert accuracy(cleaned.network, test) > accuracy(plain.network, test) + 0.02
    (notes,) = cleaned.notes["cleaning"]
    assert notes["dropped"] == notes["suspected"] == len(suspected)
    assert len(notes["ids"]) == 50
    assert abs(notes["estimated noise"] - 0.4) < 0.02


def test_clean_digits_lose_hardly_any_sample() -> None:
    found = ConfidentLearning().clean(digits(0, seed=0))
    assert len(found.suspected) <= 0.01 * 1078


def test_then_says_what_becomes_of_the_suspects(work) -> None:
    material = work(noise=0.05)
    labels = material.train.labels.copy()
    labels[:6] = (labels[:6] + 1) % 3
    material = dataclasses.replace(material, train=dataclasses.replace(material.train, labels=labels))
    dropped, relabelled, listed = (ConfidentLearning(then=then).clean(material) for then in ("drop", "relabel", "list"))
    assert dropped.suspected == relabelled.suspected == listed.suspected == material.train.ids[:6]
    assert dropped.data.ids == material.train.ids[6:]
    assert relabelled.data.labels.tolist() == work(noise=0.05).train.labels.tolist()
    assert listed.data is material.train


def test_a_class_of_one_sample_is_refused() -> None:
    with pytest.raises(RecipeError, match="two training samples of each class"):
        make_recipe("confident-learning", batch=1).check(Material("m", "d", {}, (), (5, 1), 3))
