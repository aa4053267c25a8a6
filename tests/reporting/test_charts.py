"""Scales, ticks and the places of labels."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.core.estimate import Estimate
from windtunnel.reporting.charts import COLOURS, curve, percent_ticks, short, style
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.levels import level_groups
from windtunnel.reporting.scales import Scale, round_numbers, spread
from windtunnel.reporting.tradeoff import tradeoffs
from windtunnel.reporting.training import training_panels


@pytest.fixture(scope="module")
def board(broken):
    return Leaderboard.of(broken)


@pytest.fixture(scope="module")
def looks(broken, board):
    places = {name: index for index, name in enumerate((*broken.manifest.models, *broken.manifest.recipes))}
    return {entry.name: style(places[entry.recipe], places[entry.model]) for entry in board.entries}


def test_a_scale_is_linear_and_keeps_within_its_range():
    scale = Scale(0, 1, 200, 0)
    assert [scale(value) for value in (0, 0.25, 1, 2, -1)] == [200, 150, 0, 0, 200]
    assert Scale(3, 3, 0, 10)(3) == 5


@given(st.floats(-100, 100), st.floats(1e-3, 100))
@settings(max_examples=100, deadline=None)
def test_round_numbers_cover_the_range(low, span):
    found = round_numbers(low, low + span)
    assert found[0] <= low + 1e-6 * span + 1e-9
    assert found[-1] >= low + span - 1e-6 * span - 1e-9
    assert 3 <= len(found) <= 12


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(1, 13))
@settings(max_examples=200, deadline=None)
def test_labels_are_moved_apart_and_keep_their_order(wanted, gap):
    found = spread(wanted, gap, 0, 100)
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    placed = [found[index] for index in order]
    room = min(gap, 100 / max(1, len(wanted) - 1))
    assert all(later - earlier >= room - 0.21 for earlier, later in pairwise(placed))
    assert min(placed) >= -0.1
    assert max(placed) <= 100.1


def test_labels_with_room_stay_where_they_are():
    assert spread([10, 50, 90], 13, 0, 100) == [10, 50, 90]


def test_a_curve_has_a_band_through_the_ends_of_its_intervals():
    line = curve([0, 10], [Estimate(0.5, 0.4, 0.7, 9), Estimate(0.2, 0.1, 0.3, 9)], Scale(0, 1, 100, 0), style(0, 0), ["a", "b"])
    assert line.path == "M0 50L10 80"
    assert line.band == "M0 30L10 70L10 90L0 60Z"
    assert [mark.title for mark in line.marks] == ["a: 50.0 % (40.0 to 70.0)", "b: 20.0 % (10.0 to 30.0)"]


def test_recipes_beyond_the_palette_get_another_dash():
    looks = {(style(recipe, 0).colour, style(recipe, 0).dash) for recipe in range(3 * COLOURS)}
    assert len(looks) == 3 * COLOURS


def test_ticks_between_whole_percents_keep_their_decimal():
    scale = Scale(0, 1, 0, 100)
    assert [tick.text for tick in percent_ticks(scale, (0.9, 0.925, 0.95))] == ["90.0", "92.5", "95.0"]
    assert [tick.text for tick in percent_ticks(scale, (0, 0.5, 1))] == ["0", "50", "100"]


def test_long_names_are_cut():
    assert short("linear-probe", 20) == "linear-probe"
    assert short("a" * 300, 10) == "a" * 9 + "…"


def test_curves_show_the_figures_of_the_leaderboard(broken, board, looks):
    group = next(group for group in level_groups(broken, board.entries, looks) if group.name == "apgd")
    assert group.levels == ("0", "2/255", "4/255", "8/255")
    for entry, row in group.rows:
        assert row[-1].estimate == entry.figures["headline"].estimate
        assert row[0].estimate == entry.figures["clean"].estimate


def test_the_mean_over_corruptions_ends_where_severities_do(broken, board, looks):
    groups = {group.name: group for group in level_groups(broken, board.entries, looks)}
    assert set(groups) == {"fgsm", "apgd", "Mean of 6 corruptions", "gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg"}
    mean, single = groups["Mean of 6 corruptions"], groups["fog"]
    assert (mean.folded, single.folded) == (False, True)
    place = 0
    parts = [groups[name].rows[place][1][3].estimate.value for name in ("gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg")]
    assert mean.rows[place][1][3].estimate.value == pytest.approx(sum(parts) / 6)


def test_a_failed_entry_is_named_and_not_drawn(broken, board, looks):
    group = next(group for group in level_groups(broken, board.entries, looks) if group.name == "apgd")
    resnet, vit = group.panels
    assert (resnet.failed, vit.failed) == ((), ("full",))
    assert (len(resnet.lines), len(vit.lines)) == (3, 2)
    scatter = next(tradeoffs(board, looks))
    assert scatter.failed == ("windtunnel/micro-vit/full",)
    assert len(scatter.marks) == 5


def test_everything_is_drawn_inside_its_panel(broken, board, looks):
    panels = [panel for group in level_groups(broken, board.entries, looks) for panel in group.panels]
    panels += [*tradeoffs(board, looks), *training_panels(broken, board.entries, looks)]
    for panel in panels:
        left, top, right, bottom = panel.frame
        for mark in (*panel.marks, *(mark for line in panel.lines for mark in line.marks)):
            assert left <= mark.x <= right
            assert top <= mark.y <= bottom
        assert all(0 <= label.x <= panel.width and 0 < label.y < panel.height for label in panel.labels)
        assert panel.description


def test_training_shows_a_line_per_seed_and_the_chosen_epoch(broken, board, looks):
    panels = {(panel.title, panel.subtitle): panel for panel in training_panels(broken, board.entries, looks)}
    assert len(panels) == 6
    plain, robust = panels["full", "windtunnel/micro-resnet"], panels["pgd-at", "windtunnel/micro-resnet"]
    assert len(plain.marks) == 2
    assert all("epoch 5 was chosen" in mark.title for mark in plain.marks)
    assert sum(line.dashed for line in plain.lines) == 0
    assert sum(line.dashed for line in robust.lines) == 2
    assert sum(line.faint for line in plain.lines) == 2
