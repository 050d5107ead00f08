"""One's own table: the same numbers as the arrays give, and no coding taken wrongly."""

from __future__ import annotations

import datetime
import math
from pathlib import PurePosixPath

import numpy as np
import polars as pl
import pytest

from glueprint import survival, units
from glueprint.errors import InputError
from glueprint.survival import Request, analyse

# Freireich 1963, doi:10.1182/blood.V21.6.699.699, weeks.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TIME, EVENT = np.array(TREATED + PLACEBO, dtype=float), np.array(RELAPSED + [1] * 21)
ARM = ["6-MP"] * 21 + ["placebo"] * 21
CENTRE = ["a", "b", "c"] * 14
AGE = [20 + 3 * (k % 11) for k in range(42)]


def table(**more):
    return pl.DataFrame({"time": TIME, "event": EVENT, "arm": ARM, "centre": CENTRE, "age": AGE, **more})


def refused(code, frame, *arguments, **options):
    with pytest.raises(InputError) as caught:
        analyse(frame, Request(*arguments, **options))
    assert caught.value.code == code
    return caught.value.render()


def test_every_table_says_what_the_arrays_say():
    found = analyse(
        table(),
        Request("time", "event", arm="arm", reference="placebo", strata=("centre",), covariates=("age",)),
        milestones=(10.0, 30.0),
        tau=20.0,
    )
    test = survival.log_rank(TIME, EVENT, ARM, strata=CENTRE)
    treated = np.array(ARM) == "6-MP"
    fit = survival.cox(TIME, EVENT, np.stack([treated, AGE], axis=1), strata=CENTRE)
    curve = survival.kaplan_meier(TIME[treated], EVENT[treated])
    (row,) = (r for r in found.tables["tests"].to_dicts() if r["test"] == "stratified log-rank")
    assert (row["chi2"], row["p_value"]) == pytest.approx((test.chi2, test.p_value), rel=1e-12)
    assert row["df"] == test.df == 1
    ratios = found.tables["hazard_ratios"]
    assert ratios["term"].to_list() == ["6-MP against placebo", "age"]
    assert ratios["hazard_ratio"].to_list() == fit.hazard_ratio.tolist()
    assert ratios["low"].to_list() == fit.interval[0].tolist()
    assert found.curves["6-MP"].survival.tolist() == curve.survival.tolist()
    milestone = found.tables["milestones"].filter(arm="6-MP", time=10.0).to_dicts()[0]
    step = int(np.searchsorted(curve.times, 10.0))
    assert (milestone["survival"], milestone["low"]) == (curve.survival[step], curve.low[step])
    beyond = found.tables["milestones"].filter(arm="placebo", time=30.0).to_dicts()[0]
    assert beyond["survival"] == 0.0
    means = {r["arm"]: r for r in found.tables["restricted_means"].to_dicts()}
    both = [survival.rmst(TIME[use], EVENT[use], 20.0) for use in (treated, ~treated)]
    gain = means["6-MP minus placebo"]
    assert gain["mean"] == pytest.approx(both[0].value - both[1].value, rel=1e-14)
    assert gain["std_error"] == pytest.approx(math.hypot(both[0].std_error, both[1].std_error), rel=1e-14)


def test_one_group_has_a_curve_and_no_test():
    found = analyse(table(), Request("time", "event"))
    assert found.arms == ("all",)
    assert found.tables["tests"].is_empty()
    assert found.tables["hazard_ratios"].is_empty()
    assert found.tables["groups"].to_dicts()[0]["n"] == 42


def test_a_milestone_after_the_follow_up_is_not_read():
    found = analyse(table(), Request("time", "event", arm="arm"), milestones=(36.0,))
    row = found.tables["milestones"].filter(arm="6-MP").to_dicts()[0]
    assert all(math.isnan(row[name]) for name in ("survival", "low", "high"))
    assert row["at_risk"] == 0


class Stream:
    """A table that is known by the protocol of Arrow alone, as those of other libraries are."""

    def __init__(self, frame):
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self.frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("make", [lambda frame: frame.to_dict(as_series=False), Stream])
def test_any_kind_of_table(make):
    request = Request("time", "event", arm="arm")
    assert analyse(make(table()), request).tables["tests"].equals(analyse(table(), request).tables["tests"])


def test_what_is_no_table_is_refused():
    assert "PurePosixPath is no table" in refused("GP-V030", PurePosixPath("patients.csv"), "time", "event")


@pytest.mark.parametrize(
    ("coded", "event"),
    [
        (np.where(EVENT, "dead", "alive"), "coded=dead"),
        (np.where(EVENT, 2, 1), "coded=2"),
        (np.where(EVENT, 2.0, 1.0), "coded = 2"),
        (1 - EVENT, "coded=0"),
        (np.where(EVENT, "TRUE", "FALSE"), "coded"),
        (EVENT == 1, "coded"),
        (np.where(np.arange(42) % 2, "relapse", "progression"), "coded=Relapse,progression"),
    ],
)
def test_codings_of_the_event(coded, event):
    found = analyse(table(coded=coded), Request("time", event))
    expected = 42 if "progression" in event else 30
    assert found.tables["groups"]["events"].to_list() == [expected]


@pytest.mark.parametrize(
    "name",
    [
        "CNSR",
        "cnsr",
        "censored",
        "Censor_flag",
        "event_free",
        "DiseaseFree",
        "no_event",
        "nonevent",
        "not dead",
        "survival_status",
        "vital_status",
        "in_remission",
        "ongoing",
        "lost_to_follow_up",
    ],
)
def test_a_column_of_censoring_is_never_taken_for_the_event(name):
    frame = table(**{name: 1 - EVENT})
    assert f"{name}=0" in refused("GP-V031", frame, "time", name)
    assert analyse(frame, Request("time", f"{name}=0")).tables["groups"]["events"].to_list() == [30]


@pytest.mark.parametrize(
    "name", ["event", "survival_event", "SurvivalDeath", "uncensored", "notified", "nodal"]
)
def test_other_columns_of_events_are_taken_as_they_are(name):
    found = analyse(table().rename({"event": name}), Request("time", name))
    assert found.tables["groups"]["events"].to_list() == [30]


def test_events_that_are_neither_1_nor_0_are_asked_for():
    assert '"status=2"' in refused("GP-V031", table(status=EVENT + 1), "time", "status")
    assert "the column holds 0, 1" in refused("GP-V031", table(), "time", "event=dead")


def test_durations_are_days_whoever_made_them():
    spans = (TIME * 7).astype("timedelta64[D]")
    values = {
        "numpy": spans.astype("timedelta64[ns]"),
        "python": [datetime.timedelta(weeks=float(t)) for t in TIME],
        "polars": pl.Series([datetime.timedelta(weeks=float(t)) for t in TIME]),
        "pint": units.registry().Quantity(TIME, "week"),
    }
    plain = survival.kaplan_meier(TIME * 7, EVENT)
    for value in values.values():
        assert survival.kaplan_meier(value, EVENT).times == pytest.approx(plain.times, rel=1e-12)
        assert survival.rmst(value, EVENT, 140).value == pytest.approx(
            survival.rmst(TIME * 7, EVENT, 140).value, rel=1e-12
        )
    found = analyse(table(span=values["polars"]), Request("span", "event", to="weeks"))
    assert found.curves["all"].times == pytest.approx(np.unique(TIME), rel=1e-12)


def test_a_duration_of_pandas_is_days():
    pandas = pytest.importorskip("pandas")
    time = pandas.Series(pandas.to_timedelta([30, 60, 90, 120], unit="D"))
    # By hand: 1 to 30, 0.75 to 60, 0.5 to 90, 0.25 to 120; the area up to 120 is 75.
    assert survival.rmst(time, [1, 1, 1, 1], 120).value == pytest.approx(75.0)


@pytest.mark.parametrize(
    "dates",
    [
        np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[D]"),
        [datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)],
        [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1)],
        pl.Series([datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)]),
    ],
)
def test_dates_are_no_durations(dates):
    with pytest.raises(InputError) as caught:
        survival.kaplan_meier(dates, [1, 0])
    assert caught.value.code == "GP-V013"
    assert "2024-01-01" in caught.value.render()


def test_dates_count_from_their_start():
    start = [datetime.date(2024, 2, 1) + datetime.timedelta(days=k) for k in range(42)]
    end = [a + datetime.timedelta(days=int(7 * t)) for a, t in zip(start, TIME, strict=True)]
    expected = survival.kaplan_meier(TIME * 7, EVENT).median
    for made in (table(start=start, end=end), table(start=map(str, start), end=map(str, end))):
        found = analyse(made, Request("end", "event", origin="start"))
        assert (found.unit, found.tables["groups"]["median"][0]) == ("days", expected)
        assert "--origin" in refused("GP-V032", made, "end", "event")
    assert "row 2" in refused("GP-V032", table(start=end, end=start), "end", "event", origin="start")
    assert "is no date" in refused(
        "GP-V032", table(start=["01/02/2024"] * 42, end=map(str, end)), "end", "event", origin="start"
    )


@pytest.mark.parametrize(
    ("header", "unit"),
    [("OS (months)", "months"), ("time_days", "days"), ("weeks", "weeks"), ("pfs mo", "months"), ("t", "")],
)
def test_the_header_says_the_unit(header, unit):
    frame = table().rename({"time": header})
    assert analyse(frame, Request(header, "event")).unit == unit
    factor = {"months": 30.4375, "days": 1.0, "weeks": 7.0}.get(unit)
    if factor:
        found = analyse(frame, Request(header, "event", to="days"))
        assert found.curves["all"].times == pytest.approx(factor * np.unique(TIME), rel=1e-12)


def test_units_at_odds_are_refused():
    frame = table(time_days=TIME)
    assert "time_days" in refused("GP-V033", frame, "time_days", "event", unit="months")
    assert "no unit" in refused("GP-V033", frame, "time", "event", to="months")
    assert "fortnights" in refused("GP-V033", frame, "time", "event", unit="fortnights")


def test_a_header_with_two_units_is_asked_about():
    for header in ("months_since_day_1", "weeks to 12-month visit", "hours of day"):
        frame = table().rename({"time": header})
        assert "--unit" in refused("GP-V033", frame, header, "event")
    frame = table().rename({"time": "months_since_day_1"})
    found = analyse(frame, Request("months_since_day_1", "event", unit="months", to="days"))
    assert found.curves["all"].times == pytest.approx(30.4375 * np.unique(TIME), rel=1e-12)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0"), ("1", "01"), ("pom-dex", "pom\u2013dex"), ("4 mg", "4\u00a0MG")]
)
def test_two_spellings_of_one_label_are_refused(one, other):
    labels = [one if k % 3 else other if k % 2 else "else" for k in range(42)]
    assert one in refused("GP-V034", table().with_columns(arm=pl.Series(labels)), "time", "event", arm="arm")
    frame = table().with_columns(centre=pl.Series(labels))
    refused("GP-V034", frame, "time", "event", arm="arm", strata=("centre",))


def test_labels_of_several_strata_are_not_run_together():
    frame = table().with_columns(
        one=pl.Series(["a, b" if k % 4 < 2 else "a" for k in range(42)]),
        two=pl.Series(["c" if k % 4 < 2 else "b, c" for k in range(42)]),
    )
    apart = analyse(frame, Request("time", "event", arm="arm", strata=("one", "two"))).tables["tests"]
    single = analyse(frame, Request("time", "event", arm="arm", strata=("one",))).tables["tests"]
    assert apart["chi2"][0] == single["chi2"][0]
    assert apart["chi2"][0] != analyse(frame, Request("time", "event", arm="arm")).tables["tests"]["chi2"][0]


@pytest.mark.parametrize("word", ["n/a", "#N/A", "na", "?", "Null"])
def test_words_for_nothing_are_no_arm(word):
    frame = table().with_columns(arm=pl.Series([word, *ARM[1:]]))
    found = analyse(frame, Request("time", "event", arm="arm"))
    assert sum(found.tables["groups"]["n"]) == 41
    assert found.notes[0] == "1 of 42 rows left out, nothing in arm: row 2"


def test_incomplete_rows_are_left_out_and_named():
    ages = [None, math.nan, *AGE[2:]]
    names = ["", *ARM[1:]]
    frame = table().with_columns(pl.Series("age", ages, strict=False), pl.Series("arm", names))
    found = analyse(frame, Request("time", "event", arm="arm", covariates=("age",)))
    assert sum(found.tables["groups"]["n"]) == 40
    assert found.notes[0] == "2 of 42 rows left out, nothing in arm, age: row 2, 3"


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        ("GP-V030", {"time": "tme"}, 'did you mean "time"'),
        ("GP-V034", {"arm": "arm", "reference": "plazebo"}, "placebo"),
        ("GP-V034", {"arm": "time_text"}, "values in"),
        ("GP-V034", {"factors": ("many",)}, "42 levels"),
        ("GP-V032", {"time": "words"}, "row 2"),
        ("GP-V032", {"time": "negative"}, "-6"),
    ],
)
def test_what_cannot_be_is_refused_by_name(code, options, said):
    texts = [f"x{k}" for k in range(42)]
    frame = table(time_text=texts, many=range(42), words=texts, negative=-TIME)
    assert said in refused(code, frame, **{"time": "time", "event": "event", **options})


def test_factors_are_levels_and_numbers_are_numbers():
    stage = [k % 3 for k in range(42)]
    as_number = analyse(table(stage=stage), Request("time", "event", covariates=("stage",)))
    as_level = analyse(table(stage=stage), Request("time", "event", factors=("stage",)))
    assert as_number.tables["hazard_ratios"]["term"].to_list() == ["stage"]
    assert as_level.tables["hazard_ratios"]["term"].to_list() == ["stage: 1 against 0", "stage: 2 against 0"]
    assert as_level.notes == ("stage: 3 levels, against 0",)


def test_a_covariate_that_separates_says_so():
    arm = ["a"] * 5 + ["b"] * 5
    frame = {"t": range(1, 11), "e": [1] * 5 + [0] * 5, "arm": arm}
    found = analyse(frame, Request("t", "e", arm="arm", reference="b"))
    assert found.tables["hazard_ratios"]["status"].to_list() == ["monotone"]
    assert "rises for ever" in found.notes[0]


def test_late_weighted_and_changing_rows_are_those_of_the_arrays():
    entry = np.where(np.arange(42) % 3 == 0, 0.5, 0.0)
    weights = 1.0 + (np.arange(42) % 4)
    who = [f"p{k // 2}" for k in range(42)]
    frame = table(came=entry, w=weights, centre_id=who)
    request = Request(
        "time", "event", arm="arm", entry="came", weights="w", cluster="centre_id", reference="placebo"
    )
    found = analyse(frame, request, tau=10)
    treated = np.array(ARM) == "6-MP"
    fit = survival.cox(TIME, EVENT, treated, entry=entry, weights=weights, cluster=who)
    (row,) = found.tables["hazard_ratios"].to_dicts()
    assert (row["hazard_ratio"], row["std_error"]) == (fit.hazard_ratio[0], fit.std_error[0])
    curve = survival.kaplan_meier(
        TIME[treated],
        EVENT[treated],
        entry=entry[treated],
        weights=weights[treated],
        cluster=np.array(who)[treated],
    )
    assert found.curves["6-MP"].std_error.tolist() == curve.std_error.tolist()
    assert found.tables["restricted_means"].is_empty()
    assert "the log-rank test and restricted means left out" in " ".join(found.notes)
    (late,) = found.tables["proportional_hazards"].to_dicts()
    assert late["p_value"] == survival.proportional_hazards(fit).p_value[0]


def test_entries_are_converted_with_the_times():
    came = np.where(np.arange(42) % 3 == 0, 0.5, 0.0)
    frame = table(came=came).rename({"time": "weeks"})
    found = analyse(frame, Request("weeks", "event", entry="came", to="days"))
    plain = survival.kaplan_meier(7 * TIME, EVENT, entry=7 * came)
    assert found.curves["all"].survival.tolist() == plain.survival.tolist()
    spans = [datetime.timedelta(days=float(x)) for x in came]
    spanned = analyse(
        frame.with_columns(came=pl.Series(spans)), Request("weeks", "event", entry="came", to="days")
    )
    in_days = survival.kaplan_meier(7 * TIME, EVENT, entry=came)
    assert spanned.curves["all"].survival.tolist() == in_days.survival.tolist()


def test_rows_that_are_meant_are_chosen_by_value():
    frame = pl.concat([table(code=["OS"] * 42), table(code=["PFS"] * 42)])
    found = analyse(frame, Request("time", "event", where=("code=OS",)))
    assert found.tables["groups"]["n"].to_list() == [42]
    assert "OS, PFS" in refused("GP-V030", frame, "time", "event", where=("code=TTP",))
    assert "COLUMN=VALUE" in refused("GP-V030", frame, "time", "event", where=("code",))


def test_other_tests_of_the_arms():
    request = Request("time", "event", arm="arm", reference="placebo", strata=("centre",))
    found = analyse(table(), request, tests=("log-rank", "fh:0,1", "max-combo"))
    rows = {row["test"]: row for row in found.tables["tests"].to_dicts()}
    treated = np.array(ARM) == "6-MP"
    late = survival.fleming_harrington(TIME, EVENT, treated, 0, 1, strata=CENTRE)
    best = survival.max_combo(TIME, EVENT, treated, strata=CENTRE)
    assert rows["stratified log-rank, weights 0, 1"]["z"] == pytest.approx(late.z, rel=1e-12)
    assert rows["stratified log-rank, weights 0, 1"]["z"] < 0
    assert rows["stratified max-combo"]["p_value"] == pytest.approx(best.p_value, rel=1e-9)
    assert rows["stratified max-combo"]["df"] is None
    for wrong in ("fh", "fh:1", "fh:a,b", "wilcoxon"):
        with pytest.raises(InputError) as caught:
            analyse(table(), request, tests=(wrong,))
        assert caught.value.code == "GP-V007"


def test_several_causes_have_incidences_and_grays_test():
    cause = np.where(EVENT == 0, "alive", np.where(np.arange(42) % 3 == 0, "toxicity", "relapse"))
    request = Request("time", cause="cause", censored=("alive",), arm="arm", reference="placebo")
    found = analyse(table(cause=cause), request, milestones=(10.0,))
    codes = np.where(EVENT == 0, 0, np.where(np.arange(42) % 3 == 0, 2, 1))
    treated = np.array(ARM) == "6-MP"
    curve = survival.cumulative_incidence(TIME[treated], codes[treated])
    step = np.searchsorted(curve.times, 10.0, side="right") - 1
    rows = {row["cause"]: row for row in found.tables["incidence"].filter(arm="6-MP").to_dicts()}
    assert rows["relapse"]["incidence"] == pytest.approx(curve.incidence[step, 0], rel=1e-12)
    assert rows["toxicity"]["high"] == pytest.approx(curve.high[step, 1], rel=1e-12)
    test = survival.gray(TIME, codes, treated)
    grays = found.tables["tests"].filter(pl.col("test").str.starts_with("Gray")).to_dicts()
    assert [row["test"] for row in grays] == ["Gray, relapse", "Gray, toxicity"]
    assert [row["p_value"] for row in grays] == pytest.approx(test.p_value.tolist(), rel=1e-12)
    # The curve is of being free of every cause.
    assert found.tables["groups"]["events"].sum() == EVENT.sum()


def test_causes_and_events_are_not_guessed():
    frame = table(cause=np.where(EVENT == 0, "alive", "relapse"))
    assert "is not said" in refused("GP-V031", frame, "time", cause="cause")
    assert 'never "lost"' in refused("GP-V031", frame, "time", cause="cause", censored=("lost",))
    assert "both" in refused("GP-V031", frame, "time", "event", cause="cause", censored=("alive",))
    assert "no event" in refused("GP-V031", frame, "time")


def test_a_horizon_may_be_a_duration():
    span = TIME.astype("timedelta64[D]").astype("timedelta64[ns]")
    assert (
        survival.rmst(span, EVENT, datetime.timedelta(days=20)).value == survival.rmst(TIME, EVENT, 20).value
    )


def test_it_prints_as_tables():
    found = analyse(table(), Request("time", "event", arm="arm", reference="placebo"))
    said, shown = repr(found), found._repr_html_()  # as a notebook asks
    assert shown.count("<table") == shown.count("<h4>") > 3
    assert "<p>times in the unit of the column, intervals of 95 %</p>" in shown
    assert "curves" not in shown
    assert "intervals of 95 %" in said
    assert all(
        word in said for word in ("groups", "hazard ratios", "6-MP against placebo", "proportional hazards")
    )
    assert "curves" not in said
    assert len(said) < 6000


def test_what_would_act_on_nothing_is_refused_or_said():
    frame = table()
    assert "no arm" in refused("GP-V034", frame, "time", "event", reference="placebo")
    assert "no cause" in refused("GP-V031", frame, "time", "event", censored=("alive",))
    dated = frame.with_columns(begun=pl.lit(datetime.date(2024, 1, 1))).with_columns(
        ended=pl.col("begun") + pl.duration(days=pl.col("time").cast(pl.Int64))
    )
    assert "read in days" in refused("GP-V033", dated, "ended", "event", origin="begun", unit="months")
    assert analyse(dated, Request("ended", "event", origin="begun", unit="days")).unit == "days"
    notes = analyse(frame, Request("time", "event", strata=("centre",)), tests=("max-combo",)).notes
    assert "tests of the arms left out: no arm was named" in notes
    assert any(note.startswith("strata act on nothing") for note in notes)
    one = analyse(frame, Request("time", "event", arm="arm", where=("arm=placebo",)))
    assert "tests of the arms left out: there is one arm" in one.notes
    assert analyse(frame, Request("time", "event", arm="arm")).notes == ()
    looks = {"left": [0.0, 1.0, 2.0], "right": [1.0, None, 3.0]}
    found = analyse(looks, Request(left="left", right="right"), tests=("max-combo",))
    assert any(note.startswith("tests of the arms left out") for note in found.notes)


def test_rows_are_chosen_however_the_value_is_spelled():
    sex = ["F", "f", "M "] * 14
    frame = table(sex=sex, level=[1.0, 2.0] * 21)
    found = analyse(frame, Request("time", "event", where=("sex=f",)))
    assert found.tables["groups"]["n"].to_list() == [28]
    assert analyse(frame, Request("time", "event", where=("level=1",))).tables["groups"]["n"].to_list() == [
        21
    ]
    assert "no row with sex=X" in refused("GP-V030", frame, "time", "event", where=("sex=f,X",))


@pytest.mark.parametrize("role", ["cause", "patient", "cluster"])
def test_one_cause_patient_or_cluster_has_one_spelling(role):
    labels = [f"{k // 2} a" if k % 4 else f"{k // 2}  A" for k in range(42)]
    if role == "cause":
        labels = ["alive" if not e else "Death" if k % 2 else "death" for k, e in enumerate(EVENT.tolist())]
    frame = table(label=labels)
    more = {"censored": ("alive",)} if role == "cause" else {"event": "event"}
    assert "one spelling" in refused("GP-V034", frame, "time", **more, **{role: "label"})


def test_few_clusters_are_called_few():
    found = analyse(table(), Request("time", "event", arm="arm", cluster="centre"))
    assert any(note.startswith("3 clusters are few") for note in found.notes)
    many = analyse(table(own=[f"c{k}" for k in range(42)]), Request("time", "event", cluster="own"))
    assert any(note.startswith("42 clusters are few") for note in many.notes)
    double = pl.concat([table(own=[f"c{k}" for k in range(42)]), table(own=[f"d{k}" for k in range(42)])])
    enough = analyse(double, Request("time", "event", arm="arm", cluster="own"))
    assert not any("few" in note for note in enough.notes)
