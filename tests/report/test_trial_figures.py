"""Figures of a trial: numbers against tables made by hand, and all of them from a real virtual trial."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from glueprint import trials
from glueprint.calibration.beliefs import verdict
from glueprint.errors import InputError
from glueprint.report import figures, trial_figures
from glueprint.report.figures import panels
from glueprint.report.figures.dose_timeline import STATES, weekly_states
from glueprint.report.figures.exposure_response import quarters
from glueprint.report.figures.spider import changes
from glueprint.report.figures.vpc import percentiles
from glueprint.report.tables import TrialTables
from glueprint.report.trial import published_estimates, trial_view

MONTH_D = 30.4375
REPLICATES = 6


@pytest.fixture(scope="module")
def result():
    protocol = trials.load_protocol("mm003")
    arms = tuple(arm.model_copy(update={"patients": 40}) for arm in protocol.arms)
    even = protocol.randomisation.model_copy(update={"ratio": (1, 1), "blocks_of": 2})
    small = protocol.model_copy(update={"name": "small", "arms": arms, "randomisation": even})
    return trials.run(small, replicates=REPLICATES, seed=3)


@pytest.fixture(scope="module")
def posterior():
    return SimpleNamespace(
        structure="claret", status="ok", draws=pl.DataFrame({"growth_per_d": [0.02] * 7}),
        parameters=parameters(), summaries=summaries(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def given(result, posterior):
    return trial_figures.Given(
        result.protocol, 3, result.label, result.tables().__getitem__, posterior=posterior
    )


def parameter(name, median, prior, contraction):
    return {
        "name": name, "unit": "1/d", "prior_median": prior, "prior_low": prior / 4, "prior_high": prior * 4,
        "low_95": median / 2, "low_50": median / 1.2, "median": median, "high_50": median * 1.2,
        "high_95": median * 2, "contraction": contraction,
        "verdict": verdict(contraction),
    }  # fmt: skip


def parameters():
    return pl.DataFrame([parameter("vague", 1.0, 1.0, 0.02), parameter("growth_per_d", 0.03, 0.02, 0.9)])


def summary(arm, endpoint, unit, published, trial):
    low, high = trial
    return {
        "trial": "mm003", "arm": arm, "endpoint": endpoint, "unit": unit, "published": published,
        "expected": (low + high) / 2, "expected_low": 0.6 * low + 0.4 * high,
        "expected_high": 0.4 * low + 0.6 * high, "trial_low": low, "trial_high": high,
        "inside": low <= published <= high, "label": "calibrated",
    }  # fmt: skip


def summaries():
    return pl.DataFrame(
        [
            summary("POM+LoDEX", "orr", "%", 31.0, (25.0, 38.0)),
            summary("HiDEX", "median_os", "months", 8.1, (8.5, 12.0)),
            summary("POM+LoDEX", "time_to_first_interruption", "weeks", 4.1, (3.0, 5.0)),
            summary("POM+LoDEX vs HiDEX", "hr_pfs", "ratio", 0.48, (0.4, 0.6)),
        ]
    )


def data_of(chart, view):
    """The rows of one view, wherever altair has put them."""
    data = view["data"]
    return data["values"] if "values" in data else chart["datasets"][data["name"]]


def views(node):
    """Every single view of a description."""
    if "encoding" in node:
        yield node
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for child in node.get(key, ()):
            yield from views(child)


def drawn_all(given):
    return {stem: chart for _, found in trial_figures.draw(given) for stem, chart in found.items()}


@pytest.fixture(scope="module")
def charts(given):
    return {stem: chart.to_dict(validate=False) for stem, chart in drawn_all(given).items()}


STEMS = (
    "km_pfs", "km_os", "waterfall", "swimmer", "spider", "adverse_events", "forest_pfs", "forest_os",
    "vpc_m_protein", "vpc_neutrophils", "exposure_response", "dose_timeline", "prior_posterior", "intervals",
)  # fmt: skip


def test_a_trial_gives_every_figure_the_same_bytes_again_and_narrow_enough_for_a_page(given):
    first, second = drawn_all(given), drawn_all(given)
    assert tuple(first) == STEMS
    for stem, chart in first.items():
        text = figures.svg(chart, prefix=stem)
        assert text == figures.svg(second[stem], prefix=stem)
        root = ElementTree.fromstring(text)
        assert len(list(root.iter())) > 40
        assert float(root.attrib["width"]) < 780, stem


def test_every_axis_of_every_figure_says_its_unit(charts):
    for stem, chart in charts.items():
        titles = {}
        for view in views(chart):
            for side in ("x", "y"):
                axis = view["encoding"].get(side, {}).get("axis")
                if view["encoding"].get(side, {}).get("type") == "quantitative" and axis is not None:
                    said = [axis.get("title") or "", axis.get("labelExpr", ""), axis.get("format", "")]
                    titles.setdefault(side, set()).add("|".join(said))
        for side, found in titles.items():
            assert all(text.strip("|") for text in found), (stem, side, found)


def test_every_figure_says_which_virtual_trial_it_shows_and_how_it_is_labelled(given, charts):
    for stem, chart in charts.items():
        text = json.dumps(chart, ensure_ascii=False)
        if stem in ("prior_posterior", "intervals"):
            assert "Structure claret, 7 draws, fit ok" in text
            assert "alibrated" in text
        else:
            assert f"small, virtual trial 1 of {REPLICATES}, seed 3. Simulated; {given.label[:40]}" in text


def test_the_live_figures_keep_the_schema(result, posterior):
    live = trial_figures.Given(
        result.protocol, 3, "", result.tables().__getitem__, posterior=posterior, interactive=True
    )
    for chart in drawn_all(live).values():
        chart.to_dict(validate=True)


def test_the_page_shows_subgroups_and_doses_of_a_trial_with_protocol_and_doses(result):
    arms = tuple(arm.name for arm in result.protocol.arms)
    published = published_estimates(pl.DataFrame({"nothing": [1]}), "small")
    tables = TrialTables(title="Small", arms=arms, **result.tables(), protocol=result.protocol)
    view = trial_view("small", tables, figures.arm_colours(arms), published)
    subgroups = result.subgroups().filter(replicate=1, endpoint="hr_pfs", factor="sex", level="male")
    assert f"sex male: {subgroups.get_column('value')[0]:.2f}" in view.subgroups.description
    states = weekly_states(tables.visits.filter(replicate=1), tables.patients.filter(replicate=1))
    full = states.filter(arm=arms[0], week=4, state="full dose").get_column("share_pct")[0]
    assert f"Week 4, {arms[0]}: full dose {full:.0f} %" in view.doses.description
    # Light enough to stand on a page with two trials.
    assert len(view.subgroups.still) + len(view.doses.still) + len(view.doses.live) < 120_000
    bare = replace(tables, protocol=None, visits=tables.visits.drop("dose_mg"))
    view = trial_view("small", bare, figures.arm_colours(arms), published)
    assert (view.subgroups, view.doses) == (None, None)


def test_three_arms_give_a_forest_for_each_pair(result):
    patients = result.patients.with_columns(
        arm=pl.when(pl.col("patient") % 3 == 0).then(pl.lit("third")).otherwise("arm")
    )
    last = result.protocol.arms[1].model_copy(update={"name": "third"})
    three = result.protocol.model_copy(update={"arms": (*result.protocol.arms, last)})
    given = trial_figures.Given(three, 3, "", {"patients": patients}.__getitem__)
    ((_, found),) = trial_figures.draw(given, ["forest"])
    assert tuple(found) == tuple(f"forest_{name}{n}" for name in ("pfs", "os") for n in ("", "_2", "_3"))
    second = json.dumps(found["forest_os_2"].to_dict(), ensure_ascii=False)
    assert "POM+LoDEX against third." in second
    assert "← POM+LoDEX better" in second


def test_an_unknown_figure_is_refused_with_the_nearest_name(given):
    with pytest.raises(InputError, match=r'GP-P006 .*unknown figure "swimer" \(did you mean "swimmer"'):
        list(trial_figures.draw(given, ["swimer"]))


def test_a_figure_without_anything_to_show_is_told_and_raised_only_if_asked_for(given):
    bare = trial_figures.Given(given.protocol, 3, "", given.table)
    found = dict(trial_figures.draw(bare))
    assert isinstance(found["prior-posterior"], InputError)
    assert isinstance(found["intervals"], InputError)
    assert isinstance(found["km"], dict)
    with pytest.raises(InputError, match=r"GP-P005 .*no posterior was given") as caught:
        list(trial_figures.draw(bare, ["intervals"]))
    assert "--posterior" in caught.value.next_step


def patient(number, off, os, died, **more):
    return {
        "arm": "A", "patient": number, "status": 0, "os_months": os, "os_event": died,
        "off_treatment_months": off, "crossover_months": None, "response_months": None, "pfs_months": os,
        "pfs_cause": "", "best_response": "SD", "best_change_pct": -10.0, "neutropenia_grade": 0,
        "relative_dose_intensity": 1.0,
    } | more  # fmt: skip


def people(*rows):
    return pl.DataFrame(rows, infer_schema_length=None)


def test_lanes_of_the_swimmer_stand_in_order_of_treatment_and_end_where_the_patient_does():
    table = people(
        patient(1, 2.0, 9.0, True, pfs_months=1.5, pfs_cause="progression", crossover_months=3.0),
        patient(2, None, 7.0, False, response_months=1.0),
        patient(3, 4.0, 4.0, True),
        patient(4, 1.0, 1.0, True, status=1),
    )
    chart = figures.swimmer(table, arms=["A"]).to_dict()
    rows = max(chart["datasets"].values(), key=len)
    assert [row["patient"] for row in rows] == [2, 3, 1]
    assert [row["off_months"] for row in rows] == [7.0, 4.0, 2.0]
    last = rows[-1]
    marks = {name: last[f"{name}_months"] for name in ("progressed", "crossover", "death", "alive")}
    assert marks == {"progressed": 1.5, "crossover": 3.0, "death": 9.0, "alive": None}
    assert rows[0]["alive_months"] == 7.0
    assert "3 of 3 patients" in json.dumps(chart)
    with pytest.raises(InputError, match="GP-P005"):
        figures.swimmer(table.filter(pl.col("status") == 1), arms=["A"])


def test_a_sample_of_patients_is_evenly_spaced_and_has_both_ends():
    table = pl.DataFrame({"place": range(101)})
    assert panels.evenly(table, 5).get_column("place").to_list() == [0, 25, 50, 75, 100]
    assert panels.evenly(table, 200).height == 101


def visit(number, day, **more):
    return {
        "replicate": 1, "arm": "A", "patient": number, "time_days": float(day), "period": "treatment",
        "dose_mg": 4.0, "m_protein_g_per_l": 20.0, "anc_1e9_per_l": 2.0, "response": "",
    } | more  # fmt: skip


def test_lines_of_the_spider_are_assessments_up_to_progression_over_the_first():
    visits = people(
        visit(1, 0, m_protein_g_per_l=20.0),
        visit(1, 14, m_protein_g_per_l=99.0),  # blood counts only
        visit(1, 28, m_protein_g_per_l=10.0, response="PR"),
        visit(1, 56, m_protein_g_per_l=25.0, response="PD"),
        visit(1, 84, m_protein_g_per_l=80.0, response="PD"),
        visit(2, 0, m_protein_g_per_l=20.0),
    )
    table = people(
        patient(1, 2.0, 9.0, True, pfs_months=56 / MONTH_D, pfs_cause="progression", best_response="PR"),
        patient(2, 0.2, 0.2, True),
    )
    found = changes(visits, table)
    assert found.get_column("change_pct").to_list() == [0.0, -50.0, 25.0]
    assert found.get_column("progressed").to_list() == [False, False, True]
    assert found.get_column("responded").all()
    with pytest.raises(InputError, match="GP-P005"):
        figures.spider(visits.filter(pl.col("time_days") == 0), table, arms=["A"])


def test_weekly_states_follow_dose_and_time_off_and_let_the_censored_go():
    visits = people(
        visit(1, 0),
        visit(1, 14, dose_mg=0.0),
        visit(1, 21, dose_mg=3.0),
        visit(2, 0),
        visit(3, 0, dose_mg=40.0),
        visit(3, 10, dose_mg=40.0),
        visit(4, 0),
    )
    table = people(
        patient(1, 35.5 / MONTH_D, 300 / MONTH_D, True),
        patient(2, None, 30 / MONTH_D, False),
        patient(3, 8 / MONTH_D, 8 / MONTH_D, True),
        patient(4, None, 400 / MONTH_D, True),
    )
    found = weekly_states(visits, table)
    assert set(found.get_column("state")) == set(STATES)

    def at(week):
        rows = found.filter(pl.col("week") == week)
        return (rows.get_column("n")[0], *rows.get_column("patients").to_list())

    # full dose, reduced, held, off, after how many are counted
    assert at(0) == (4, 4, 0, 0, 0)
    assert at(2) == (4, 2, 0, 1, 1)
    assert at(3) == (4, 2, 1, 0, 1)
    assert at(5) == (3, 1, 1, 0, 1)  # patient 2 was last seen on day 30
    assert at(6) == (3, 1, 0, 0, 2)
    assert found.filter(pl.col("week") == 5).get_column("share_pct").to_list() == pytest.approx(
        [100 / 3, 100 / 3, 0, 100 / 3]
    )


def many_visits(shift=0.0, replicate=1, patients=20):
    return [
        visit(number, day, replicate=replicate, m_protein_g_per_l=number + shift)
        for number in range(1, patients + 1)
        for day in (0, 28)
    ]


def test_percentiles_are_those_of_twenty_patients_and_leave_extra_visits_out():
    rows = [*many_visits(), visit(1, 60, m_protein_g_per_l=500.0), visit(2, 0, period="follow-up")]
    # Everybody stays on treatment to day 90, so one patient in twenty was seen around day 56.
    rows += [visit(number, 90) for number in range(1, 21)]
    found = percentiles(pl.DataFrame(rows, infer_schema_length=None), "m-protein")
    assert found.get_column("time_days").to_list() == [0.0, 28.0, 84.0]
    first = found.row(0, named=True)
    # Quantiles of 1, 2, ..., 20 by straight lines between them.
    assert (first["n"], first["p5"], first["p50"], first["p95"]) == (
        20,
        pytest.approx(1.95),
        10.5,
        pytest.approx(19.05),
    )


def test_bands_of_the_vpc_hold_the_other_trials_and_not_the_first():
    rows = [row for r in range(1, 7) for row in many_visits(shift=10.0 * (r - 1), replicate=r)]
    table = pl.DataFrame(rows, infer_schema_length=None)
    chart = figures.vpc(table, "m-protein", arms=["A"]).to_dict()
    panel = chart["vconcat"][0]["hconcat"][0]
    bands = [view for view in views(panel) if view["mark"]["type"] == "area"]
    low = data_of(chart, bands[1])[0]
    # The other medians are 20.5 to 60.5 in steps of 10: the 2.5 % quantile of five lies a tenth of a step in.
    assert (low["low"], low["high"]) == (21.5, 59.5)
    lines = [view for view in views(panel) if view["mark"]["type"] == "line"]
    assert [data_of(chart, line)[0]["value"] for line in lines] == [1.95, 10.5, 19.05]
    few = figures.vpc(table.filter(pl.col("replicate") < 5), "m-protein", arms=["A"])
    assert "area" not in {view["mark"]["type"] for view in views(few.to_dict())}
    with pytest.raises(InputError, match=r"GP-P005 .*too few visits"):
        figures.vpc(pl.DataFrame(many_visits(patients=9)), "m-protein", arms=["A"])


def test_quarters_have_exact_limits_and_never_part_patients_of_one_intensity():
    table = people(
        *(
            patient(number, 1.0, 2.0, True, relative_dose_intensity=number / 100, best_change_pct=-number,
                    neutropenia_grade=4 if number > 30 else 2)
            for number in range(1, 41)
        )
    )  # fmt: skip
    found = quarters(table)
    assert found.get_column("patients").to_list() == [10, 10, 10, 10]
    assert found.get_column("severe").to_list() == [0, 0, 0, 10]
    # Nobody of ten: the upper exact limit solves (1 - p)^10 = 0.025.
    assert found.get_column("high")[0] == pytest.approx(100 * (1 - 0.025**0.1), rel=1e-9)
    assert found.get_column("low")[3] == pytest.approx(100 * 0.025**0.1, rel=1e-9)
    assert found.get_column("change_pct").to_list() == [-5.5, -15.5, -25.5, -35.5]
    tied = table.with_columns(
        relative_dose_intensity=pl.when(pl.col("patient") > 15).then(1.0).otherwise(0.5)
    )
    assert quarters(tied).get_column("patients").to_list() == [15, 25]
    assert quarters(table.head(39)).height == 1
    with pytest.raises(InputError, match="GP-P005"):
        figures.exposure_response(table.with_columns(status=1), arms=["A"])


def level(factor, name, value, low, high, **more):
    return {
        "arm": "A vs B", "factor": factor, "level": name, "endpoint": "hr_pfs", "value": value, "low": low,
        "high": high, "n": 50, "events": 40, "p_interaction": 0.2,
    } | more  # fmt: skip


def test_the_forest_writes_every_level_and_cuts_what_reaches_beyond_its_axis():
    table = people(
        level("all patients", "all patients", 0.5, 0.4, 0.62, p_interaction=None, events=400),
        level("sex", "female", 0.55, 0.3, 1.1),
        level("sex", "male", 0.2, 0.02, 30.0, events=10),
        level("age_y", ">=75", None, None, None, events=0),
        level("age_y", "<75", math.inf, 0.2, math.inf, events=1),
        level("sex", "female", 9.9, 9.0, 9.95, endpoint="hr_os"),
    )
    text = figures.svg(figures.subgroup_forest(table, "hr_pfs"))
    for word in ("All patients", "Sex", "Age, years", "≥ 75", "0.55 (0.30–1.10)", "not estimable", "40 / 50",
                 "← A better", "B better →", "0.20"):  # fmt: skip
        assert word in text, word
    assert "9.90" not in text
    assert text.count("not estimable") == 2
    assert "inf" not in text
    chart = figures.subgroup_forest(table, "hr_pfs").to_dict()
    shapes = {view["mark"].get("shape"): data_of(chart, view) for view in views(chart) if "data" in view}
    assert [row["value"] for row in shapes["square"]] == [0.5, 0.55, 0.2]
    sizes = [row["size"] for row in shapes["square"]]
    assert sizes == pytest.approx([12 + 110 * events / 400 for events in (400, 40, 10)])
    assert [row["from"] for row in shapes["triangle-left"]] == [0.1]
    assert [row["to"] for row in shapes["triangle-right"]] == [8.0]
    with pytest.raises(InputError, match="GP-P005"):
        figures.subgroup_forest(table.filter(pl.col("value").is_null()), "hr_pfs")


def test_parameters_stand_in_folds_of_their_prior_with_what_was_learnt_first():
    chart = figures.prior_posterior(parameters()).to_dict()
    rows = next(rows for rows in chart["datasets"].values() if rows and "prior_low" in rows[0])
    assert [row["name"] for row in rows] == ["growth_per_d", "vague"]
    assert rows[0]["median"] == 1.5
    assert (rows[0]["prior_low"], rows[0]["prior_high"]) == (0.25, 4.0)
    assert rows[0]["colour"] != rows[1]["colour"]
    assert rows[0]["value"] == "0.0300 1/d"
    with pytest.raises(InputError, match=r'GP-P005 .*"growth_per_d" is not positive'):
        figures.prior_posterior(pl.DataFrame([parameter("growth_per_d", 0.03, 0.0, 0.9)]))
    with pytest.raises(InputError, match=r"GP-P005 .*no parameter"):
        figures.prior_posterior(parameters().clear())


def test_a_summary_outside_its_interval_is_filled_and_units_have_axes_of_their_own():
    chart = figures.predicted_and_observed(summaries(), title="t", note="n").to_dict()
    rows = [row for rows in chart["datasets"].values() for row in rows if "published" in row]
    fills = {row["published"]: row["fill"] for row in rows}
    assert fills[31.0] == fills[0.48] != fills[8.1]
    axes = [view["encoding"].get("x", {}).get("axis") for view in views(chart)]
    titles = {axis["title"] for axis in axes if axis}
    assert titles == {"% of patients", "months", "weeks", "hazard ratio"}
    assert chart["title"]["subtitle"] == ["n; calibrated"]
    mixed = summaries().with_columns(label=pl.Series(["calibrated", "predicted", "predicted", "predicted"]))
    assert "[predicted]" in json.dumps(figures.predicted_and_observed(mixed).to_dict())
    with pytest.raises(InputError, match="GP-P005"):
        figures.predicted_and_observed(summaries().clear())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: figures.swimmer(pl.DataFrame({"arm": ["A"]}), arms=["A"]),
        lambda: weekly_states(pl.DataFrame({"arm": ["A"]}), people(patient(1, 1.0, 1.0, True))),
        lambda: percentiles(pl.DataFrame({"arm": ["A"]}), "neutrophils"),
        lambda: figures.subgroup_forest(pl.DataFrame({"arm": ["A"]}), "hr_os"),
        lambda: figures.exposure_response(pl.DataFrame({"arm": ["A"]}), arms=["A"]),
        lambda: figures.prior_posterior(pl.DataFrame({"name": ["A"]})),
        lambda: figures.predicted_and_observed(pl.DataFrame({"arm": ["A"]})),
    ],
)
def test_a_missing_column_is_named(wrong):
    with pytest.raises(InputError, match="GP-P001"):
        wrong()


def test_a_trial_nobody_was_measured_in_has_no_waterfall_and_one_without_curves_no_curve(given):
    unmeasured = given.table("patients").with_columns(best_change_pct=pl.lit(None, pl.Float64))
    bare = trial_figures.Given(given.protocol, 3, "", {"patients": unmeasured}.__getitem__)
    with pytest.raises(InputError, match=r"GP-P005 .*nobody was measured again"):
        list(trial_figures.draw(bare, ["waterfall"]))
    curves = given.table("survival_curves")
    with pytest.raises(InputError, match="GP-P005"):
        figures.kaplan_meier(curves.clear(), arms=given.arms, title="x")
