"""What goes otherwise than planned happens as often as said; estimands tell it apart."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.trials.analysis.exposure import _value_at
from glueprint.trials.conduct.records import VisitLog
from glueprint.trials.conduct.visit import Labs
from glueprint.trials.patients.attendance import NEVER, Leaving, attended
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.protocol import Departures
from glueprint.trials.protocol.loading import protocol_from_text

HEAD = """extends = "mm003"
name = "departures"
title = "Departures"
[[arms]]
name = "POM+LoDEX"
patients = 200
[[arms]]
name = "HiDEX"
patients = 100
"""
WHY = 'assumed = "an example"\n'
STREAM = Stream(1, "departures", 1)
MANY = np.arange(20_000)


def protocol(text):
    return protocol_from_text(HEAD + text, where="departures.toml")


def test_nothing_departs_where_nothing_is_said():
    day = np.arange(12).reshape(2, 6) * 7
    assert attended(Departures(), day, MANY[:2], STREAM) is day
    leaving = Leaving.of(Departures(), MANY[:2], STREAM)
    assert np.isinf([leaving.stops_day, leaving.next_therapy_day]).all()


def test_visits_are_missed_and_late_as_often_as_said():
    day = np.broadcast_to(np.array([0, 7, 35, 63, 91]), (MANY.size, 5)).copy()
    said = Departures(missed_visit_share=0.1, late_visit_share=0.25, late_by_days=10, assumed="x")
    found = attended(said, day, MANY, STREAM)
    assert (found[:, 0] == 0).all()
    missed = found[:, 1:] == NEVER
    assert missed.mean() == pytest.approx(0.1, abs=0.005)
    late = ~missed & (found[:, 1:] > day[:, 1:])
    assert late.sum() / (~missed).sum() == pytest.approx(0.25, abs=0.005)
    assert (found[:, 1:] - day[:, 1:])[late].max() == 10
    assert (found[:, 1:] - day[:, 1:])[late].min() == 1
    # Weekly visits keep their order, however late they could be.
    weekly = np.broadcast_to(np.arange(0, 70, 7), (MANY.size, 10)).copy()
    assert (
        np.diff(attended(Departures(late_visit_share=1, late_by_days=20, assumed="x"), weekly, MANY, STREAM))
        > 0
    ).all()


def test_treatment_ends_at_the_rate_said():
    said = Departures(stops_treatment_percent_per_year=20, next_therapy_percent_per_year=5, assumed="x")
    leaving = Leaving.of(said, MANY, STREAM)
    assert (leaving.stops_day < 365.25).mean() == pytest.approx(0.20, abs=0.01)
    assert (leaving.next_therapy_day < 2 * 365.25).mean() == pytest.approx(1 - 0.95**2, abs=0.01)


@pytest.fixture(scope="module")
def result():
    text = (
        'records = ["pfs2", "infection", "febrile_neutropenia"]\n[departures]\nmissed_visit_share = 0.15\n'
        "stops_treatment_percent_per_year = 25\nnext_therapy_percent_per_year = 30\n"
        "lost_percent_per_year = 15\n"
    )
    plan = protocol_from_text(
        HEAD.replace('title = "Departures"\n', 'title = "Departures"\n' + text.split("[dep")[0])
        + "[dep"
        + text.split("[dep")[1]
        + WHY,
        where="departures.toml",
    )
    return trials.run(plan, seed=2)


def test_whoever_stops_the_treatment_stays_in_follow_up(result):
    stopped = result.patients.filter(off_treatment_reason="patient decision")
    assert stopped.height > 10
    assert (stopped["os_months"] > stopped["off_treatment_months"]).mean() > 0.9
    # Assessed further: progressions are seen after it.
    assert (
        (stopped["pfs_cause"] == "progression") & (stopped["pfs_months"] > stopped["off_treatment_months"])
    ).sum() > 3


def test_another_therapy_before_progression_is_told_apart_by_estimands(result):
    turned = result.patients.filter(off_treatment_reason="next therapy")
    assert turned.height > 20
    assert (turned["crossover_months"] == turned["off_treatment_months"]).all()
    before = turned.filter(pl.col("pfs_cause") == "progression")
    assert (before["pfs_months"] >= before["crossover_months"]).all()
    table = result.estimands()
    ratios = {row["rule"]: row for row in table.filter(endpoint="hr_pfs").iter_rows(named=True)}
    own, fda, ema, event = ratios.values()
    # The trial's own reading is the treatment policy.
    for name in ("value", "low", "high", "events", "p_value"):
        assert ema[name] == pytest.approx(own[name], rel=1e-12)
    assert fda["events"] < ema["events"] < event["events"]
    assert (fda["new_therapy"], ema["new_therapy"], event["new_therapy"]) == (
        "hypothetical",
        "treatment policy",
        "composite",
    )
    assert fda["censored_by_new_therapy"] > 10
    assert fda["censored_by_missed_assessments"] > 0
    assert ema["censored_by_new_therapy"] == ema["censored_by_missed_assessments"] == 0
    for row in (fda, ema, event):
        censored = sum(row[name] for name in row if name.startswith("censored"))
        assert row["events"] + censored == row["n"] == 300


def test_rules_agree_where_nothing_departs():
    table = trials.run(protocol(""), seed=2).estimands()
    for _, part in table.group_by("arm", "endpoint"):
        assert part["rule"].len() == 4
        assert part["value"].n_unique() == part["events"].n_unique() == 1


def test_what_is_recorded_fits_together(result):
    patients = result.patients
    # Whoever progressed once has not progressed twice before.
    assert (patients["pfs2_months"] >= patients["pfs_months"].clip(upper_bound=patients["os_months"])).all()
    assert (patients["pfs2_months"] <= patients["os_months"]).all()
    second = patients.filter(pl.col("pfs2_event") & ~pl.col("os_event"))
    assert second.height > 5
    assert second["crossover_months"].is_not_null().all()
    assert (second["pfs2_months"] > second["crossover_months"]).all()
    # Pneumonia is an infection, febrile neutropenia is one with few neutrophils around it.
    infected = patients["infection_months"]
    pneumonia = patients.filter(pl.col("pneumonia_months").is_not_null())
    assert (pneumonia["infection_months"] <= pneumonia["pneumonia_months"]).all()
    assert infected.is_not_null().sum() > pneumonia.height
    febrile = patients.filter(pl.col("febrile_neutropenia_grade") == 3)
    assert 0 < febrile.height < infected.is_not_null().sum()
    assert febrile["febrile_neutropenia_months"].equals(
        febrile["infection_months"].rename("febrile_neutropenia_months")
    )
    assert (febrile["lowest_anc_1e9_per_l"] < 1.0).mean() > 0.9
    rows = result.endpoints.filter(arm="HiDEX")["endpoint"].to_list()
    assert {"median_pfs2", "median_ttnt", "infection_grade_3_4", "febrile_neutropenia_by_6_months"} <= set(
        rows
    )
    grades = result.grades()
    assert {"infection", "febrile_neutropenia"} <= set(grades["event"])
    adam = {one.name: one.frame for one in trials.cdisc.datasets(result.protocol, patients, result.visits, 1)}
    assert {"TTNT", "PFS2"} <= set(adam["ADTTE"]["PARAMCD"])
    assert {"Infection", "Febrile neutropenia"} <= set(adam["ADAE"]["AEDECOD"])


def test_the_count_on_the_day_of_an_event_lies_between_those_of_the_visits():
    visit = np.array([0, 0, 0, 1, 3])
    day = np.array([0, 10, 20, 5, 0])
    blank = np.zeros(visit.size)
    log = VisitLog(
        visit, day, blank, Labs(blank, blank, blank, blank), blank, blank, blank, blank, blank, blank, blank
    )
    counts = np.array([4.0, 1.0, 4.0, 0.7, 2.0])
    # Half way down from 4 to 1, log-linear; before the only visit; nobody's; no event; a day of a visit.
    at = np.array([5.0, 2.0, 8.0, np.inf])
    found = _value_at(log, counts, at)
    assert found[:2] == pytest.approx([2.0, 0.7])
    assert np.isnan(found[2:]).all()
    assert _value_at(log, counts, np.array([10.0, 9.0, 1.0, 7.0]))[[0, 1, 3]] == pytest.approx(
        [1.0, 0.7, 2.0]
    )


def test_a_record_that_nobody_asked_for_is_in_no_table():
    plan = trials.load_protocol("mm003")
    small = plan.model_copy(
        update={
            "arms": tuple(
                arm.model_copy(update={"patients": size})
                for arm, size in zip(plan.arms, (20, 10), strict=True)
            )
        }
    )
    found = trials.run(small, seed=1)
    assert not [name for name in found.patients.columns if "infection" in name or "pfs2" in name]
    assert not [name for name in found.endpoints["endpoint"] if "infection" in name or "pfs2" in name]
    assert "median_ttnt" in found.endpoints["endpoint"].to_list()


def test_patients_are_lost_at_the_rate_said():
    # Nobody dies or progresses for long: what is left is loss.
    draws = trials.ParameterDraws(("death_per_month",), np.array([[1e-9]]))
    follow_up = "[follow_up]\nminimum_months = 12\nmedian_months = 12\nmaximum_months = 12\n" + WHY
    plan = protocol("[departures]\nlost_percent_per_year = 30\n" + WHY + follow_up)
    lost = trials.run(plan, seed=1, draws=draws).patients
    share = (lost["os_months"] < 11.9).mean()
    assert share == pytest.approx(0.30, abs=4 * np.sqrt(0.3 * 0.7 / 300))


def test_measurable_disease_is_looked_for_in_a_sample_with_error():
    plan = protocol("[eligibility]\nm_protein_at_least_g_per_l = 15\n")
    people, all_comers = (draw_population(one, STREAM) for one in (plan, protocol("")))
    true = people.values["m_protein_g_per_l"]
    assert people.size == all_comers.size == 300
    # The sample decides, not the truth.
    assert 10 < true.min() < 15
    assert (true >= 15).mean() > 0.93
    assert (all_comers.values["m_protein_g_per_l"] >= 15).mean() < 0.75
    assert people.number.tolist() == list(range(300))


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[departures]\nmissed_visit_share = 0.1\n", "GP-T013", "departures without an origin"),
        ("[departures]\nlate_visit_share = 0.1\n" + WHY, "GP-T094", "by up to 0 days"),
        ("[eligibility]\nm_protein_at_least_g_per_l = 200\n", "GP-T095", "a case-mix up to 102"),
        (
            "[case_mix.m_protein_g_per_l]\nmedian = 2.0\nlow = 0.5\nhigh = 10.2\n" + WHY,
            "GP-T095",
            "reads as g/dL, which is 20 within 5 to 102 g/L",
        ),
    ],
)
def test_departures_and_units_that_cannot_be_are_refused(text, code, said):
    with pytest.raises(InputError) as caught:
        protocol(text)
    assert caught.value.code == code
    assert said in caught.value.render()


def test_little_m_protein_can_be_meant():
    mix = "[case_mix.m_protein_g_per_l]\nmedian = 2.0\nlow = 0.5\nhigh = 10.2\n" + WHY
    plan = protocol(mix + "[eligibility]\nlow_m_protein = true\n")
    assert plan.case_mix.m_protein_g_per_l.median == 2.0
    # A criterion that hardly anybody meets ends the screening.
    rare = plan.model_copy(
        update={"eligibility": plan.eligibility.model_copy(update={"m_protein_at_least_g_per_l": 10.19})}
    )
    rare = rare.model_copy(
        update={
            "measurement": rare.measurement.model_copy(
                update={"m_protein_sd_g_per_l": 0.0, "m_protein_cv": 0.0}
            )
        }
    )
    with pytest.raises(InputError, match="GP-T095"):
        draw_population(rare, STREAM)
