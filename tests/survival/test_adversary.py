"""Tables as biostatisticians have them: the right number, or what is wrong by name."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from glueprint import survival
from glueprint.errors import InputError
from glueprint.survival import Request, analyse, crossover

CHANCE = np.random.default_rng(3)
N = 60
TIME = np.round(CHANCE.exponential(10, N), 2) + 0.1
EVENT = (CHANCE.random(N) < 0.7).astype(int)
ARM = np.where(np.arange(N) % 2 == 0, "A", "B")
PLACE = pl.int_range(pl.len())


def table(**more):
    return pl.DataFrame({"t": TIME, "e": EVENT, "arm": ARM}).with_columns(**more)


def refused(code, said, frame, *arguments, **options):
    with pytest.raises(InputError) as caught:
        analyse(frame, Request(*arguments, **options))
    assert caught.value.code == code
    assert said in caught.value.render()


def ratio(found):
    (row,) = found.tables["hazard_ratios"].to_dicts()
    return row["term"], row["hazard_ratio"]


OURS = survival.cox(TIME, EVENT, (ARM == "B").astype(float))


def test_sas_dates_as_numbers_are_no_follow_up():
    frame = table(DTHDT=22000 + (pl.col("t") * 30).round(), days=22000 + pl.col("t"))
    refused("GP-V032", "counted in days from 1960", frame, "DTHDT", "e")
    refused("GP-V032", "counted in days from 1960", frame, "days", "e")


def test_sas_dates_as_text_are_dates():
    frame = pl.DataFrame({"d": ["15MAR2021", "01jun2022"], "s": ["01JAN2021", "2021-06-01"], "e": [1, 0]})
    found = analyse(frame, Request("d", "e", origin="s"))
    assert found.tables["curves"]["time"].to_list() == [73.0, 365.0]
    refused("GP-V032", "--origin", frame, "d", "e")


@pytest.mark.parametrize("day", ["03/04/2021", "3.4.2021", "2021"])
def test_dates_that_may_be_two_days_are_refused(day):
    frame = pl.DataFrame({"d": [day] * 3, "s": ["2020-01-01"] * 3, "e": [1, 1, 0]})
    refused("GP-V032", "is no date", frame, "d", "e", origin="s")


@pytest.mark.parametrize(
    "name", ["CNSR", "cens", "is_censored", "isCensored", "censoring_flag", "alive", "CENSOR01"]
)
def test_who_was_censored_is_not_who_had_the_event(name):
    refused("GP-V031", f"{name}=0", table().rename({"e": name}), "t", name)


@pytest.mark.parametrize("name", ["uncensored", "event", "death_observed", "license"])
def test_names_of_events_are_taken(name):
    found = analyse(table().rename({"e": name}), Request("t", name))
    assert found.tables["groups"]["events"].to_list() == [float(EVENT.sum())]


@pytest.mark.parametrize("nothing", ["", "NA", "."])
def test_an_event_or_nothing_would_leave_the_censored_out(nothing):
    frame = table(e=pl.when(pl.col("e") == 1).then(pl.lit("1")).otherwise(pl.lit(nothing)))
    refused("GP-V031", "or nothing in 18 of 60 rows", frame, "t", "e")
    some = table(e=pl.when(PLACE < 3).then(pl.lit(nothing)).otherwise(pl.col("e").cast(pl.String)))
    assert "3 of 60 rows left out" in " ".join(analyse(some, Request("t", "e")).notes)


@pytest.mark.parametrize("column", ["entry_days", "switch_days"])
def test_columns_of_two_units(column):
    frame = table(**{column: pl.lit(0.05)}).rename({"t": "os_months"})
    what = {"entry": column} if column == "entry_days" else {"switch": column}
    refused("GP-V033", "the times are in months", frame, "os_months", "e", **what)


def test_arms_as_numbers_are_in_the_order_of_numbers():
    numbers = pl.when(pl.col("arm") == "A").then(2).otherwise(10)
    assert ratio(analyse(table(arm=numbers), Request("t", "e", arm="arm"))) == (
        "10 against 2",
        OURS.hazard_ratio[0],
    )
    floats = table(arm=numbers.cast(float))
    assert ratio(analyse(floats, Request("t", "e", arm="arm", reference="2")))[0] == "10 against 2"


def test_two_spellings_of_an_arm_are_not_two_arms():
    frame = table(arm=pl.when(PLACE < 5).then(pl.lit("a")).otherwise(pl.col("arm")))
    refused("GP-V034", '"A" and "a"', frame, "t", "e", arm="arm")
    spaces = table(arm=pl.when(PLACE < 30).then(pl.lit("new  drug")).otherwise(pl.lit("new drug")))
    refused("GP-V034", "one spelling", spaces, "t", "e", arm="arm")
    refused("GP-V034", "one spelling", frame, "t", "e", strata=("arm",))


def test_times_at_zero_and_below():
    refused("GP-V032", "row 5", table(t=pl.when(PLACE == 3).then(-1.0).otherwise(pl.col("t"))), "t", "e")
    zero = table(t=pl.when(PLACE < 3).then(0.0).otherwise(pl.col("t")))
    found = analyse(zero, Request("t", "e"))
    theirs = survival.kaplan_meier(np.where(np.arange(N) < 3, 0.0, TIME), EVENT)
    assert found.curves["all"].survival.tolist() == theirs.survival.tolist()
    with pytest.raises(InputError) as caught:
        analyse(zero, Request("t", "e"), models=["weibull"])
    assert caught.value.code == "GP-V024"


def test_all_at_one_time():
    found = analyse(table(t=pl.lit(5.0)), Request("t", "e", arm="arm"))
    theirs = survival.log_rank(np.full(N, 5.0), EVENT, ARM)
    assert found.tables["tests"]["p_value"][0] == theirs.p_value


def test_an_arm_without_events_and_a_single_patient():
    none = table(e=pl.when(pl.col("arm") == "A").then(0).otherwise(pl.col("e")))
    (row,) = analyse(none, Request("t", "e", arm="arm")).tables["hazard_ratios"].to_dicts()
    assert (row["hazard_ratio"], row["status"]) == (np.inf, "monotone")
    assert np.isfinite(row["low"])
    one = analyse(table().head(1), Request("t", "e", arm="arm"))
    assert one.tables["tests"].is_empty()
    assert one.tables["groups"]["n"].to_list() == [1]


def test_strata_of_one_arm_compare_nothing():
    frame = table(s=pl.when(pl.col("arm") == "A").then(pl.lit("x")).otherwise(pl.lit("y")))
    found = analyse(frame, Request("t", "e", arm="arm", strata=("s",)))
    assert found.tables["tests"].row(0, named=True)["status"] == "no comparison"
    assert found.tables["hazard_ratios"]["status"].to_list() == ["no comparison"]
    assert found.tables["hazard_ratios"]["hazard_ratio"].is_nan().all()


def test_weights_of_zero_are_rows_left_out():
    frame = table(w=pl.when(PLACE < 5).then(0.0).otherwise(1.0))
    found = analyse(frame, Request("t", "e", arm="arm", weights="w"))
    kept = np.arange(N) >= 5
    theirs = survival.cox(TIME[kept], EVENT[kept], (ARM[kept] == "B").astype(float))
    assert ratio(found)[1] == pytest.approx(theirs.hazard_ratio[0], rel=1e-12)
    assert "5 rows of weight 0 left out: row 2, 3, 4, 5, 6" in found.notes
    refused("GP-V015", "row 2, weights", table(w=pl.lit(-1.0)), "t", "e", weights="w")
    # The row of the file, also where it is not the first of its arm.
    refused("GP-V015", "row 9, weights", table(w=1.0 - 2.0 * (PLACE == 7)), "t", "e", arm="arm", weights="w")


def test_rows_that_end_before_they_begin():
    refused("GP-V014", "entry", table(s=pl.col("t")), "t", "e", entry="s")
    refused("GP-V014", "row 2, entry", table(s=pl.col("t") + 1), "t", "e", entry="s")


@pytest.mark.parametrize("name", ["id", "ID", "pid", "participant_id", "Patient.No"])
def test_patients_counted_twice_are_seen_by_many_names(name):
    twice = pl.concat([table(**{name: PLACE}), table(**{name: PLACE}).head(3)])
    assert f"3 rows more than patients in {name}" in " ".join(analyse(twice, Request("t", "e")).notes)


STRETCHES = pl.DataFrame(
    {
        "id": [1, 1, 2, 3, 4, 5],
        "start": [0, 3, 0, 2, 1, 0],
        "stop": [3, 5, 4, 6, 7, 2],
        "event": [0, 1, 1, 0, 1, 1],
        "arm": ["A", "A", "A", "B", "B", "B"],
    }
)
ROWS = {"arm": "arm", "entry": "start", "patient": "id"}


def test_a_patient_with_two_rows_is_one_patient():
    found = analyse(STRETCHES, Request("stop", "event", **ROWS))
    assert found.tables["groups"]["n"].to_list() == [2, 3]
    assert not any("patient 1" in note for note in found.notes)
    late = STRETCHES.with_columns(start=pl.Series([0, 2, 0, 2, 1, 0]))
    refused("GP-V017", "row 3, patient: (0, 3] in row 2 and (2, 5] in row 3", late, "stop", "event", **ROWS)


def test_an_event_before_the_last_row_and_two_arms_of_a_patient_are_told():
    again = STRETCHES.with_columns(event=pl.Series([1, 1, 1, 0, 1, 1]))
    notes = " ".join(analyse(again, Request("stop", "event", **ROWS)).notes)
    assert "an event before the last row, each event counted: patient 1" in notes
    both = STRETCHES.with_columns(arm=pl.Series(["A", "B", "A", "B", "B", "B"]))
    assert "rows in more than one arm" in " ".join(analyse(both, Request("stop", "event", **ROWS)).notes)


def test_clusters_are_centres_and_no_patients():
    found = analyse(table(site=PLACE % 6), Request("t", "e", arm="arm", cluster="site"))
    assert found.tables["groups"]["n"].to_list() == [30, 30]
    assert "tests of the arms, means and models take rows as independent" in " ".join(found.notes)


@pytest.mark.parametrize("options", [{"weights": "w"}, {"entry": "s"}, {"patient": "id"}])
def test_causes_of_rows_that_count_otherwise_are_left_out(options):
    frame = table(w=1.0 + PLACE % 3, s=pl.col("t") / 4, id=PLACE, c=pl.col("e") * (1 + PLACE % 2))
    found = analyse(frame, Request("t", cause="c", censored=("0",), arm="arm", **options))
    assert found.tables["incidence"].is_empty()
    assert found.tables["subdistribution"].is_empty()
    assert not any("Gray" in name for name in found.tables["tests"]["test"])
    assert "incidence by cause and what compares it left out" in " ".join(found.notes)


@pytest.mark.parametrize("options", [{"weights": "w"}, {"entry": "w"}, {"patient": "w"}, {"cluster": "w"}])
def test_two_looks_go_with_no_weights_and_no_late_rows(options):
    frame = table(left=pl.col("t"), right=pl.col("t") + 1, w=1.0 + PLACE)
    with pytest.raises(InputError) as caught:
        analyse(frame, Request(left="left", right="right", **options))
    assert caught.value.code == "GP-V031"
    assert 'beside "w"' in caught.value.message


def test_patients_with_two_rows():
    twice = pl.concat([table(USUBJID=PLACE), table(USUBJID=PLACE).head(5)])
    refused("GP-V017", "overlap", twice, "t", "e", patient="USUBJID")
    notes = " ".join(analyse(twice, Request("t", "e")).notes)
    assert "5 rows more than patients in USUBJID" in notes
    assert "rows more" not in " ".join(analyse(table(USUBJID=PLACE), Request("t", "e")).notes)


def test_rows_of_two_endpoints():
    frame = pl.concat([table(PARAMCD=pl.lit("OS")), table(PARAMCD=pl.lit("PFS"), t=pl.col("t") / 2)])
    refused("GP-V045", "OS, PFS", frame, "t", "e", arm="arm")
    found = analyse(frame, Request("t", "e", arm="arm", where=("PARAMCD=OS",)))
    assert ratio(found)[1] == OURS.hazard_ratio[0]


@pytest.mark.parametrize("nothing", [None, "NA", "", "."])
def test_a_factor_with_a_missing_level(nothing):
    level = pl.when(PLACE < 7).then(pl.lit(nothing)).when(PLACE < 30).then(pl.lit("u")).otherwise(pl.lit("v"))
    found = analyse(table(f=level), Request("t", "e", covariates=("f",)))
    assert found.tables["hazard_ratios"]["term"].to_list() == ["f: v against u"]
    assert "7 of 60 rows left out, nothing in f" in " ".join(found.notes)


def test_a_number_with_a_slip_is_no_factor():
    slip = pl.when(PLACE == 4).then(pl.lit("1o")).otherwise(PLACE.mod(9).cast(pl.String))
    refused("GP-V032", '"1o" in "f"', table(f=slip), "t", "e", covariates=("f",))
    found = analyse(table(f=slip), Request("t", "e", factors=("f",)))
    assert found.tables["hazard_ratios"].height == 9


def test_a_flag_is_no_time_of_a_switch():
    flag = table(xo=pl.when(pl.col("arm") == "A").then(PLACE.mod(4) == 0).cast(pl.Int64))
    with pytest.raises(InputError) as caught:
        crossover(flag, Request("t", "e", arm="arm", switch="xo"))
    assert caught.value.code == "GP-V037"
    assert "whether a patient switched" in caught.value.render()


def test_a_follow_up_that_ends_with_the_event_recensors_nothing():
    frame = table(xo=pl.when((pl.col("arm") == "A") & (PLACE.mod(3) == 0)).then(pl.col("t") / 2))
    with pytest.raises(InputError) as caught:
        crossover(frame, Request("t", "e", arm="arm", switch="xo", follow_up="t"))
    assert caught.value.code == "GP-V040"
    assert "data cut" in caught.value.render()


def test_durations_and_datetimes():
    spans = pl.Series([datetime.timedelta(days=float(x)) for x in TIME])
    start = pl.lit("2021-01-01").str.to_datetime()
    dated = table(start=start).with_columns(end=start + spans)
    for frame, request in (
        (table(t=spans), Request("t", "e", arm="arm")),
        (dated, Request("end", "e", arm="arm", origin="start")),
    ):
        found = analyse(frame, request)
        assert ratio(found)[1] == pytest.approx(OURS.hazard_ratio[0], rel=1e-12)
        assert found.unit == "days"


def test_looks_before_and_after():
    looks = table(left=pl.col("t").floor(), right=pl.when(pl.col("e") == 1).then(pl.col("t").ceil()))
    found = analyse(looks, Request(left="left", right="right", arm="arm"), models=["weibull", "spline:1"])
    fit = survival.parametric_between(
        np.floor(TIME), np.where(EVENT == 1, np.ceil(TIME), np.inf), (ARM == "B").astype(float)
    )
    (row,) = found.tables["models"].to_dicts()
    assert row["ratio"] == pytest.approx(np.exp(fit.coefficients[1]), rel=1e-12)
    assert found.tables["groups"]["n"].to_list() == [30, 30]
    whole = survival.turnbull(np.floor(TIME[::2]), np.where(EVENT[::2] == 1, np.ceil(TIME[::2]), np.inf))
    assert found.tables["groups"]["median"][0] == whole.median
    assert "spline:1 left out" in " ".join(found.notes)
    wrong = looks.with_columns(right=pl.col("left") - 1, left=pl.col("left") + 2).filter(pl.col("right") >= 0)
    with pytest.raises(InputError) as caught:
        analyse(wrong, Request(left="left", right="right"))
    assert caught.value.code == "GP-V012"
    for options in ({"left": "left"}, {"left": "left", "right": "right", "time": "t", "event": "e"}):
        with pytest.raises(InputError) as caught:
            analyse(looks, Request(**options))
        assert caught.value.code == "GP-V031"


def test_models_and_subdistribution_are_those_of_the_arrays():
    reason = pl.when(pl.col("e") == 0).then(pl.lit("no")).when(PLACE.mod(3) == 0).then(pl.lit("relapse"))
    frame = table(why=reason.otherwise(pl.lit("death")), s=PLACE.mod(2).cast(pl.String))
    request = Request("t", cause="why", censored=("no",), arm="arm", strata=("s",))
    found = analyse(frame, request, models=["lognormal"])
    codes = np.where(EVENT == 0, 0, np.where(np.arange(N) % 3 == 0, 2, 1))
    new = (ARM == "B").astype(float)
    rows = found.tables["subdistribution"].to_dicts()
    assert [row["cause"] for row in rows] == ["death", "relapse"]
    for row, of in zip(rows, (1, 2), strict=True):
        fit = survival.fine_gray(TIME, codes, new, of=of, strata=np.arange(N) % 2)
        assert row["status"] == fit.status
        np.testing.assert_equal(row["hazard_ratio"], fit.hazard_ratio[0])
    assert "models are not stratified" in found.notes
    fit = survival.parametric(TIME, EVENT, new, distribution="lognormal")
    assert found.tables["model_medians"]["median"].to_list() == [
        fit.quantile(0.5, [x])[0] for x in (0.0, 1.0)
    ]
    spline = analyse(frame, Request("t", "e"), models=["spline:1"])
    assert (
        spline.tables["model_medians"]["median"][0]
        == survival.royston_parmar(TIME, EVENT, knots=1).quantile(0.5)[0]
    )
    assert spline.tables["models"]["aic"][0] == survival.royston_parmar(TIME, EVENT, knots=1).aic
    with pytest.raises(InputError) as caught:
        analyse(frame, Request("t", "e"), models=["gompertz"])
    assert caught.value.code == "GP-V007"
    late = analyse(table(came=pl.lit(0.05)), Request("t", "e", entry="came"), models=["weibull"])
    assert "models left out" in " ".join(late.notes)
