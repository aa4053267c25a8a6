"""What a stage of a recipe finds depends on the stages before it."""

from __future__ import annotations

from dataclasses import replace

from support.composed import equal

from windtunnel.recipes.supervised import Supervised


def never(data):
    raise AssertionError("features of the network as it was pre-trained are not those that it has become")


def test_a_head_that_follows_a_moved_backbone_is_trained_on_what_the_backbone_has_become(work):
    moved = {"scope": "full", "epochs": 3, "lr": 0.05}
    both = Supervised(stages=(moved, {"scope": "head", "epochs": 30, "lr": 1e-2}), batch=20).finetune(replace(work(), features=never))
    alone = Supervised(stages=(moved,), batch=20).finetune(work())
    backbones = [{name: tensor for name, tensor in state.items() if name.startswith("backbone.")} for state in (both.last, alone.best)]
    assert equal(*backbones)
    assert both.curves[-1].train_loss < alone.curves[-1].train_loss
