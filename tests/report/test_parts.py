"""Numbers read well, axes have round ticks, and a curve is read for what it shows."""

from __future__ import annotations

import itertools
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroscope.base.events import EpochEnded, GradientFlow
from neuroscope.report import figures, words
from neuroscope.report.charts import curves, fit
from neuroscope.report.charts.ladder import ladder
from neuroscope.report.svg import Axis, Frame, tag, thinned


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (figures.score(0.84216), "0.842"),
        (figures.score(-1.5), "-1.500"),
        (figures.score(0), "0.000"),
        (figures.score(0.000234), "0.000234"),
        (figures.score(52911.4), "52,911"),
        (figures.score(123.45), "123.5"),
        (figures.score(3e12), "3e+12"),
        (figures.score(None), "–"),
        (figures.score(float("nan")), "–"),
        (figures.score(True), "–"),
        (figures.percent(0.5), "50 %"),
        (figures.percent(0.004), "0.4 %"),
        (figures.percent(0.9973), "99.7 %"),
        (figures.percent(0.99996), "over 99.9 %"),
        (figures.percent(1), "100 %"),
        (figures.count(1234567), "1,234,567"),
        (figures.duration(0.0004), "1 ms"),
        (figures.duration(0.25), "250 ms"),
        (figures.duration(59.94), "59.9 s"),
        (figures.duration(200), "3 min 20 s"),
        (figures.duration(3700), "1 h 1 min"),
        (figures.plain((64, 64)), "64, 64"),
        (figures.plain(()), "none"),
        (figures.plain(False), "no"),
        (figures.plain({"a": 1.0}), "a 1"),
        (figures.plain(2024), "2024"),
        (figures.sentence("a reason"), "A reason."),
        (figures.sentence(None), ""),
        (figures.short(1e-4), "10⁻⁴"),
        (figures.short(2.5e7), "2.5·10⁷"),
        (figures.short(0.25), "0.25"),
    ],
)
def test_numbers_read_well(written, said) -> None:
    assert written == said


@pytest.mark.parametrize("pair", [None, [1], [1, None], {"low": 1}, "ab", [1, float("nan")]])
def test_half_an_interval_is_none(pair) -> None:
    assert figures.interval(pair) is None


def test_both_shapes_of_an_interval_are_read() -> None:
    assert figures.interval([1, 2]) == figures.interval({"low": 1, "high": 2, "value": 5}) == (1, 2)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_inside_the_axis_and_evenly_spaced(low, span) -> None:
    axis = Axis.over([low, low + span])
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 8
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= tick <= axis.high + slack for tick in ticks)
    gaps = [after - before for before, after in itertools.pairwise(ticks)]
    assert max(gaps) - min(gaps) <= 1e-3 * max(gaps)


@given(st.floats(1e-9, 1e3), st.floats(1.01, 1e9))
def test_logarithmic_ticks_lie_inside(low, ratio) -> None:
    axis = Axis.over([low, low * ratio], log=True)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 9
    assert all(axis.low * 0.999 <= tick <= axis.high * 1.001 for tick in ticks)
    assert axis.at(low) < axis.at(low * ratio)


def test_one_value_still_makes_an_axis() -> None:
    for value in (0.0, 5.0, -3.0):
        axis = Axis.over([value])
        assert axis.low < value < axis.high
    assert Axis.over([]).low < Axis.over([]).high


def test_a_long_line_keeps_its_ends_and_its_lowest_point() -> None:
    points = [(float(i), 1.0) for i in range(10_000)]
    points[7777] = (7777.0, 0.0)
    kept = thinned(points)
    assert len(kept) <= 165
    assert {points[0], points[-1], points[7777]} <= set(kept)


def test_texts_and_attributes_are_escaped() -> None:
    made = tag("text", "<b>", class_='"><x>', text_anchor="end")
    assert made == '<text class="&#34;&gt;&lt;x&gt;" text-anchor="end">&lt;b&gt;</text>'


def test_the_last_label_is_not_cut_off() -> None:
    frame = Frame(Axis(0, 600_000), Axis(0, 1), "", "")
    (label,) = re.findall(r'x="([\d.]+)"[^>]*>600,000<', str(frame.render("", "")))
    assert float(label) + 6 * len("600,000") / 2 <= frame.width


def test_wide_labels_get_room() -> None:
    small, large = (Frame(Axis(0, 1), Axis(0, top), "", "") for top in (1.0, 900_000.0))
    assert large.left > small.left + 20


# ------------------------------------------------------------------------------ the ladder


def rungs(*values, spread=0.01) -> list[dict]:
    return [
        {"name": str(i), "value": v, "interval": None if v is None else [v - spread, v + spread]}
        for i, v in enumerate(values)
    ]


def test_a_far_worse_rung_is_off_the_scale_on_the_side_where_it_lies() -> None:
    chart = ladder(rungs(0.5, 0.84, 0.85), "1", greater_is_better=True)
    assert "◂ far off the scale" in chart.tracks[0].drawing
    assert chart.tracks[0].value == "0.500"
    assert "off the scale" not in chart.tracks[1].drawing + chart.tracks[2].drawing
    chart = ladder(rungs(1e6, 0.9, 0.8), "2", greater_is_better=False)
    assert "far off the scale ▸" in chart.tracks[0].drawing
    assert chart.better == "left"


def test_near_rungs_are_all_on_the_scale() -> None:
    chart = ladder(rungs(0.80, 0.82, 0.85), "0", greater_is_better=True)
    assert not any("off the scale" in track.drawing for track in chart.tracks)


@pytest.mark.parametrize(
    "values",
    [(0.563, 0.617, 0.555), (0.1, 0.9), (0.318, 1.0, 1.0), (4.74, 3.57, 2.16, 6.12, 5.47)],
    ids=["one ahead", "two", "two alike", "spread"],
)
def test_the_scale_is_never_that_of_one_bar(values) -> None:
    """Zooming in brings nothing where nothing can be told apart that way."""
    chart = ladder(rungs(*values, spread=0.006), "1", greater_is_better=True)
    assert not any("off the scale" in track.drawing for track in chart.tracks)


def test_places_on_the_ladder_follow_the_values() -> None:
    import re

    chart = ladder(rungs(0.80, 0.82, 0.85), "0", greater_is_better=True)
    places = [float(re.search(r'cx="([\d.]+)%"', track.drawing)[1]) for track in chart.tracks]
    assert places == sorted(places)
    assert (places[2] - places[1]) / (places[1] - places[0]) == pytest.approx(1.5, rel=0.01)


def test_a_ladder_without_values_is_none() -> None:
    assert ladder(rungs(None, None), "", greater_is_better=True) is None


# ------------------------------------------------------------------------------ curves in words


def epochs(valid, train=None, fold=0) -> list[EpochEnded]:
    train = train or [1 / (i + 1) for i in range(len(valid))]
    return [
        EpochEnded(
            rung="dense", fold=fold, epoch=i + 1, epochs=len(valid), train_loss=t, valid_loss=v,
            learning_rate=0.1, seconds=1.0,
        )
        for i, (t, v) in enumerate(zip(train, valid, strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("valid", "said"),
    [
        ([1 / (i + 1) ** 0.5 + max(i - 10, 0) * 0.02 for i in range(40)], "memorised"),
        ([math.exp(-i) for i in range(40)], "levelled off"),
        ([1 - i / 40 for i in range(40)], "still falling"),
        ([None] * 40, "no validation loss"),
        ([1.0, 0.9], ""),
    ],
)
def test_loss_curves_are_read_for_what_they_show(valid, said) -> None:
    read = words.reading_of_losses([epochs(valid)])
    assert said in read
    assert bool(read) == bool(said)


def test_one_fit_with_validation_rows_is_read_before_those_without() -> None:
    level = [1 + math.exp(-i) for i in range(40)]
    fits = [epochs([None] * 40), epochs([None] * 40), epochs(level)]
    assert "levelled off" in words.reading_of_losses(fits)
    assert "no validation loss" not in words.reading_of_losses(fits)
    assert "no validation loss" in words.reading_of_losses(fits[:2])


def test_noise_is_not_read_as_memorising() -> None:
    wave = [math.exp(-i / 5) + 0.4 + 0.004 * (-1) ** i for i in range(60)]
    assert "memorised" not in words.reading_of_losses([epochs(wave)])


def test_fits_of_the_same_fold_are_told_apart() -> None:
    events = epochs([1.0, 0.5]) + epochs([0.9, 0.4, 0.3]) + epochs([0.8], fold=1)
    assert [len(one) for one in curves.fits(events)] == [2, 3, 1]
    mixed = [
        e for pair in zip(epochs([1.0, 0.5]), epochs([1.0, 0.5], fold=1), strict=True) for e in pair
    ]
    assert [len(one) for one in curves.fits(mixed)] == [2, 2]


def flow(*layers) -> list[list[tuple[float, float]]]:
    events = [
        GradientFlow(rung="dense", fold=0, epoch=i + 1, norms=norms)
        for i, norms in enumerate(zip(*layers, strict=True))
    ]
    return curves.by_layer(events)


@pytest.mark.parametrize(
    ("layers", "tone", "said"),
    [
        (([1e-7] * 9, [1e-3] * 9, [1.0] * 9), "bad", "10,000,000 times less gradient"),
        (([0.0] * 9, [1.0] * 9), "bad", "no gradient than the last"),
        (([1.0] * 9, [1.0] * 8 + [5e6]), "bad", "layer 2 shot up to 5,000,000 times"),
        (([0.8] * 9, [1.0] * 9), "good", "about as much as the last"),
        (([0.02] * 9, [1.0] * 9), "good", "0.02 times as much as the last"),
        (([0.3] * 9,), "good", "There is one layer"),
    ],
)
def test_gradients_are_read_for_what_they_show(layers, tone, said) -> None:
    read = words.reading_of_gradients(flow(*layers))
    assert read[0] == tone
    assert said in read[1]


def test_gradients_are_means_over_folds_and_skip_what_is_not_finite() -> None:
    events = [
        GradientFlow(rung="d", fold=0, epoch=1, norms=(1.0, 2.0)),
        GradientFlow(rung="d", fold=1, epoch=1, norms=(3.0, float("nan"))),
    ]
    assert curves.by_layer(events) == [[(1, 2.0)], [(1, 2.0)]]
    assert curves.gradients([], "x") is None


def test_a_wide_range_of_losses_is_drawn_on_a_logarithmic_scale() -> None:
    assert "10⁻" in curves.losses([epochs([10.0**-i for i in range(8)])], "x")
    assert "10⁻" not in curves.losses([epochs([1.0, 0.9, 0.8], [1.0, 0.8, 0.7])], "x")


def test_a_single_epoch_is_no_curve_and_no_epoch_is_half() -> None:
    assert curves.losses([epochs([1.0])] * 5, "x") is None
    assert curves.gradients(flow([1.0], [0.5]), "x") is None
    assert ">1.5<" not in curves.losses([epochs([1.0, 0.9])], "x")
    assert ">1.5<" not in curves.gradients(flow([1.0, 0.5]), "x")


def test_charts_of_nothing_are_none() -> None:
    assert fit.predicted_actual([], "y") is None
    assert fit.calibration([{"predicted": None, "observed": 0.2}]) is None
    assert fit.learning_curve([[100, None]], "AUC") is None
    assert curves.losses([epochs([None])[:0]], "x") is None


def test_crowded_row_numbers_are_thinned_below_the_axis() -> None:
    points = [[100 + i, 0.5, 0.1] for i in range(20)] + [[1000, 0.9, None]]
    drawn = fit.learning_curve(points, "AUC")
    assert "1000" in drawn
    assert drawn.count("v4") < 6
