"""Figures draw, and their numbers are the tables' numbers."""

from __future__ import annotations

import math
import re
import stat
import xml.etree.ElementTree as ElementTree

import numpy as np
import polars as pl
import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.report import figures
from glueprint.report.estimates import Estimate
from glueprint.report.figures import theme
from glueprint.report.figures.kaplan_meier import median_of

# Gehan 1965, doi:10.1093/biomet/52.1-2.203: remission in weeks, 6-mercaptopurine arm; True is relapse.
LEUKAEMIA = (
    (6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
    (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False),
    (32, False), (32, False), (34, False), (35, False),
)  # fmt: skip


@pytest.fixture
def leukaemia():
    rows, survival = [], 1.0
    for time in sorted({time for time, _ in LEUKAEMIA}):
        at_risk = sum(other >= time for other, _ in LEUKAEMIA)
        events = sum(relapsed for other, relapsed in LEUKAEMIA if other == time)
        here = sum(other == time for other, _ in LEUKAEMIA)
        survival *= 1 - events / at_risk
        rows.append((0, "6-MP", "pfs", float(time), survival, None, None, at_risk, events, here - events))
    names = [
        "replicate",
        "arm",
        "endpoint",
        "time_months",
        "survival",
        "low",
        "high",
        "at_risk",
        "events",
        "censored",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


def curves_of(trial, endpoint):
    return trial.survival_curves.filter(pl.col("endpoint") == endpoint)


def rows_of(chart, view):
    """The data of one view of a chart's description, wherever altair has put it."""
    data = view["data"]
    return data["values"] if "values" in data else chart["datasets"][data["name"]]


def drawings(given, interactive):
    trial = given.trials["mm003"]
    colours = figures.arm_colours(trial.arms)
    first = trial.patients.filter(pl.col("replicate") == 0)
    rates = pl.DataFrame(
        {
            "event": ["Neutropenia"] * 2, "arm": ["POM+LoDEX"] * 2, "kind": ["computed", "published"],
            "value": [44.0, 48.0], "low": [39.0, None], "high": [50.0, None],
        }
    )  # fmt: skip
    ratios = pl.DataFrame(
        {"name": ["PFS"], "kind": ["computed"], "value": [0.5], "low": [0.4], "high": [0.6]}
    )
    return {
        "kaplan_meier": figures.kaplan_meier(
            curves_of(trial, "os"), arms=trial.arms, title="OS", interactive=interactive
        ),
        "waterfall": figures.waterfall(first, arms=trial.arms, interactive=interactive),
        "comparison_dots": figures.comparison_dots(given.comparison, 4, interactive=interactive),
        "potencies": figures.comparison_dots(given.comparison, 1, interactive=interactive),
        "adverse_events": figures.adverse_events(rates, colours=colours, interactive=interactive),
        "forest": figures.forest(ratios, interactive=interactive),
        "pk": figures.profile(given.profiles.filter(pl.col("profile") == "pk"), interactive=interactive),
        "marrow": figures.profile(
            given.profiles.filter(pl.col("profile") == "marrow"), interactive=interactive
        ),
    }


FIGURES = (
    "kaplan_meier", "waterfall", "comparison_dots", "potencies", "adverse_events", "forest", "pk", "marrow"
)  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("interactive", [False, True])
def test_every_figure_renders_to_svg(report_input, name, interactive):
    root = ElementTree.fromstring(figures.svg(drawings(report_input, interactive)[name]))
    assert root.tag.endswith("svg")
    assert len(list(root.iter())) > 40
    assert float(root.attrib["width"]) < 780


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_twice_gives_the_same_bytes_and_description(report_input, name):
    first, second = (drawings(report_input, True)[name] for _ in range(2))
    assert first.to_dict() == second.to_dict()
    assert figures.svg(first) == figures.svg(second)


def test_numbers_at_risk_are_those_of_the_leukaemia_trial(leukaemia):
    # Counted by hand from the 21 times above: those of at least 0, 5, 10 ... weeks.
    times = [0, 5, 10, 15, 20, 25, 30, 35, 40]
    assert figures.at_risk(leukaemia, times, "6-MP") == [21, 21, 15, 11, 8, 5, 4, 1, 0]


def test_numbers_at_risk_count_patients_whose_time_is_not_earlier(mm003):
    random = np.random.Generator(np.random.Philox(key=3))
    curves = curves_of(mm003, "pfs").filter(pl.col("replicate") == 0)
    for arm in mm003.arms:
        part = curves.filter(pl.col("arm") == arm).sort("time_months")
        times = [*part.get_column("time_months").to_list()[::7], *random.uniform(0, 20, 20)]
        for time, count in zip(times, figures.at_risk(curves, times, arm), strict=True):
            gone = part.filter(pl.col("time_months") < time)
            left = int((gone.get_column("events") + gone.get_column("censored")).sum())
            assert count == part.get_column("at_risk")[0] - left


def test_the_risk_table_under_the_curve_shows_these_counts_on_the_same_scale(mm003):
    chart = figures.kaplan_meier(curves_of(mm003, "pfs"), arms=mm003.arms, title="PFS").to_dict()
    upper, lower = chart["vconcat"]
    first = curves_of(mm003, "pfs").filter(pl.col("replicate") == 0)
    for row in rows_of(chart, lower):
        assert row["at_risk"] == figures.at_risk(first, [row["time"]], row["arm"])[0]
    scale = lower["encoding"]["x"]["scale"]
    scales = [
        layer["encoding"]["x"]["scale"] for layer in upper["layer"] if "field" in layer["encoding"]["x"]
    ]
    assert scales
    assert all(other == scale for other in scales)
    ticks = {row["time"] for row in rows_of(chart, lower)}
    axes = [layer["encoding"]["x"]["axis"] for layer in upper["layer"] if "field" in layer["encoding"]["x"]]
    assert all(ticks == set(axis["values"]) for axis in axes)


def test_the_median_of_the_leukaemia_curve_is_23_weeks(leukaemia):
    assert median_of(leukaemia, "6-MP") == 23.0
    assert median_of(leukaemia.filter(pl.col("survival") > 0.5), "6-MP") is None


def test_an_undefined_band_is_left_out_and_not_drawn_as_zero(leukaemia):
    with_nan = leukaemia.with_columns(pl.lit(math.nan).alias("low"), pl.lit(math.nan).alias("high"))
    chart = figures.kaplan_meier(with_nan, arms=["6-MP"], title="x").to_dict()
    rows = rows_of(chart, chart["vconcat"][0])
    assert {row["low"] for row in rows if row["survival"] < 1} == {None}
    assert "NaN" not in figures.svg(figures.kaplan_meier(with_nan, arms=["6-MP"], title="x"))


def test_the_key_names_medians_ratio_and_p_value(mm003):
    chart = figures.kaplan_meier(
        curves_of(mm003, "pfs"),
        arms=mm003.arms,
        title="PFS",
        medians={"POM+LoDEX": Estimate(4.03, 3.6, 4.7), "HiDEX": Estimate(None, 1.9, None)},
        published_medians={"POM+LoDEX": 4.0},
        hazard_ratio=Estimate(0.484, 0.39, 0.6, p_value=1e-9),
    )
    text = " ".join(re.findall(r">([^<>]+)</text>", figures.svg(chart)))
    assert "median 4.0 (3.6–4.7) months" in text
    assert "median not reached" in text
    assert "HR 0.48 (0.39–0.60), p &lt; 0.0001" in text


def test_waterfall_draws_one_bar_per_measured_patient_sorted_and_ends_at_the_ceiling(mm003):
    first = mm003.patients.filter(pl.col("replicate") == 0)
    chart = figures.waterfall(first, arms=mm003.arms).to_dict()
    for arm, panel in zip(mm003.arms, chart["hconcat"], strict=True):
        rows = rows_of(chart, panel["layer"][0])
        changes = first.filter(pl.col("arm") == arm).get_column("best_change_pct").drop_nulls()
        assert len(rows) == changes.len()
        heights = [row["change"] for row in rows]
        assert heights == sorted(heights, reverse=True)
        assert max(heights) == 100.0
        lines = {row["change"] for row in rows_of(chart, panel["layer"][1])}
        assert lines == {-50.0, 25.0}


def test_one_colour_per_arm_and_no_two_alike():
    colours = figures.arm_colours(["A", "B", "A", "C"])
    assert list(colours) == ["A", "B", "C"]
    assert len(set(colours.values())) == 3
    assert set(colours.values()) <= set(theme.ARM_COLOURS)


def test_published_and_computed_stand_on_their_own_lines(report_input):
    chart = figures.comparison_dots(report_input.comparison, 4).to_dict()
    offsets = {layer["mark"].get("yOffset") for panel in chart["vconcat"] for layer in panel["layer"]}
    assert len(offsets) > 1


def test_a_p_value_is_not_set_on_an_axis(report_input):
    rows = report_input.comparison.filter(pl.col("guide_table") == 4)
    p_row = rows.tail(1).with_columns(
        pl.lit("p").alias("column"), pl.lit("1").alias("unit"), pl.lit(0.0285).alias("published_value")
    )
    with_p = figures.comparison_dots(pl.concat([report_input.comparison, p_row]), 4)
    assert with_p.to_dict() == figures.comparison_dots(report_input.comparison, 4).to_dict()


def test_long_courses_are_shown_in_days(report_input):
    chart = figures.profile(report_input.profiles.filter(pl.col("profile") == "marrow")).to_dict()
    x = chart["concat"][0]["layer"][0]["encoding"]["x"]
    assert x["axis"]["title"] == "days"
    assert x["scale"]["domain"] == [0, 84]


def tops(chart):
    return [panel["layer"][0]["encoding"]["y"]["scale"]["domain"][1] for panel in chart.to_dict()["concat"]]


def test_series_of_one_unit_share_the_scale_unless_one_would_flatten_another(report_input):
    near = figures.profile(report_input.profiles.filter(pl.col("profile") == "degradation"))
    assert len(set(tops(near))) == 1
    far = tops(figures.profile(report_input.profiles.filter(pl.col("profile") == "marrow")))
    assert far == [6.0, 300.0]  # the bands end at 5.4 and 270


def test_the_curve_is_drawn_through_events_and_its_last_time_only(leukaemia):
    chart = figures.kaplan_meier(leukaemia, arms=["6-MP"], title="x").to_dict()
    drawn = [row["time"] for row in rows_of(chart, chart["vconcat"][0]) if row["drawn"]]
    assert drawn == [0, 6, 7, 10, 13, 16, 22, 23, 35]


def test_save_writes_what_the_name_says(tmp_path, leukaemia):
    chart = figures.kaplan_meier(leukaemia, arms=["6-MP"], title="6-MP")
    assert figures.save(chart, tmp_path / "deep" / "km.svg").read_text("utf-8").startswith("<svg")
    assert figures.save(chart, tmp_path / "km.png").read_bytes().startswith(b"\x89PNG")
    assert figures.save(chart, tmp_path / "km.pdf").read_bytes().startswith(b"%PDF")


def test_the_html_figure_fetches_nothing(tmp_path, leukaemia):
    chart = figures.kaplan_meier(leukaemia, arms=["6-MP"], title="6-MP")
    page = figures.save(chart, tmp_path / "km.html").read_text("utf-8")
    assert "6-MP" in page
    assert not re.search(r"<(?:script|link)[^>]+(?:src|href)=", page)


def test_save_refuses_another_format(tmp_path, leukaemia):
    with pytest.raises(InputError, match=r'GP-P004 .*"\.gif"') as caught:
        figures.save(figures.kaplan_meier(leukaemia, arms=["6-MP"], title="x"), tmp_path / "km.gif")
    assert "km.svg" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_an_environment_problem(tmp_path, leukaemia):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(EnvironmentProblemError, match="GP-R001"):
        figures.save(figures.kaplan_meier(leukaemia, arms=["6-MP"], title="x"), blocked / "km.svg")
    assert stat.S_ISREG(blocked.stat().st_mode)


def test_a_figure_names_a_missing_column(leukaemia):
    with pytest.raises(InputError, match='GP-P001 table "survival_curves": column "at_risk"'):
        figures.kaplan_meier(leukaemia.drop("at_risk"), arms=["6-MP"], title="x")
