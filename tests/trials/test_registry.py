"""One record adds what a trial reports, and a record that cannot be is refused by its code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint import references, trials
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.report import summaries
from glueprint.report.tables import TrialTables
from glueprint.trials import cdisc
from glueprint.trials.analysis import endpoints_table
from glueprint.trials.protocol import OTHER_TOXICITY, registry
from glueprint.trials.protocol.loading import protocol_from_text

PLAN = protocol_from_text(trials.template().replace("patients = 60", "patients = 40"), where="small")
NEXT_TREATMENT = trials.Endpoint(
    "tnt",
    "Time to the next therapy",
    trials.TIME,
    "All randomised patients; from randomisation to the next treatment or death.",
    short="TNT",
    value=pl.min_horizontal("crossover_months", "os_months"),
    event=pl.col("crossover_months").is_not_null() | pl.col("os_event"),
    unit="months",
    ends="next treatment or death",
    curve=True,
    summaries=(trials.MEDIAN, trials.RATIO),
    headlines=(trials.MEDIAN,),
    dataset=trials.DatasetParameter("TNT", "Time to Next Therapy (Months)"),
)
SEPSIS = trials.AdverseEvent("sepsis", "Sepsis", trials.HazardRule("hazard_pneumonia"))


class Entry:
    """An entry point of another package."""

    name, value, dist = "theirs", "theirs.records:ALL", None

    def __init__(self, group, record):
        self.group, self.record = group, record

    def load(self):
        if isinstance(self.record, Exception):
            raise self.record
        return self.record


@pytest.fixture
def plug_in(monkeypatch):
    """Register a record as another package does."""

    def register(record, group=registry.ENDPOINT_PLUG_INS):
        entry = Entry(group, record)
        monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == entry.group else [])
        registry.forget_plug_ins()

    yield register
    monkeypatch.undo()
    registry.forget_plug_ins()


@pytest.fixture(scope="module")
def usual():
    return trials.run(PLAN, seed=3)


def test_an_endpoint_of_one_record_is_in_every_table_and_dataset(usual, plug_in):
    plug_in(NEXT_TREATMENT)
    result = trials.run(PLAN, seed=3)
    assert result.patients.equals(usual.patients)
    new = result.endpoints.join(usual.endpoints, on=("arm", "endpoint"), how="anti")
    assert set(new["endpoint"]) == {"median_tnt", "hr_tnt", "hr_tnt_stratified"}
    arm = PLAN.arms[0].name
    mine = result.patients.filter(arm=arm)
    expected = mine["crossover_months"].is_not_null() | mine["os_event"]
    assert new.filter(arm=arm, endpoint="median_tnt")["events"].item() == expected.sum() > 0
    assert "tnt" in result.survival_curves["endpoint"]
    assert result.summary()["over_replicates"][arm]["median_tnt"]["unit"] == "months"
    assert trials.headlines()["median_tnt"].heading == "median TNT, months"
    assert page_row(result, "Time to the next therapy")[1] != "–"
    adtte = next(d for d in cdisc.datasets(PLAN, result.patients, result.visits, 1) if d.name == "ADTTE")
    told = adtte.frame.filter(PARAMCD="TNT")
    every = result.patients["crossover_months"].is_not_null() | result.patients["os_event"]
    assert told["CNSR"].sum() == (~every).sum()


def page_row(result, label):
    """The row of a time to an event in the table of a report's page."""
    arms = tuple(arm.name for arm in result.protocol.arms)
    table = summaries.times(TrialTables("a trial", arms, **result.tables()))
    assert table.columns == ("", *arms, f"Hazard ratio, {arms[0]} to {arms[1]}")
    (row,) = (row for row in table.rows if row[0] == label)
    return row


def test_time_to_progression_is_in_every_table_and_dataset(usual):
    rows = usual.endpoints.filter(endpoint="median_ttp")
    assert rows.height == len(PLAN.arms)
    progressed = usual.patients.filter(pl.col("pfs_cause") == "progression").height
    assert rows["events"].sum() == progressed > 0
    assert "ttp" in usual.survival_curves["endpoint"]
    adtte = next(d for d in cdisc.datasets(PLAN, usual.patients, usual.visits, 1) if d.name == "ADTTE")
    told = adtte.frame.filter(PARAMCD="TTP")
    ratio = usual.endpoints.filter(endpoint="hr_ttp")["value"].item()
    assert page_row(usual, "Time to progression")[3].startswith(f"{ratio:.2f}")
    assert (told["EVNTDESC"] == "PROGRESSION").sum() == (told["CNSR"] == 0).sum() == progressed


def test_an_adverse_event_of_one_record_is_drawn_graded_and_reported(usual, plug_in):
    plug_in(SEPSIS, registry.EVENT_PLUG_INS)
    result = trials.run(PLAN, seed=3)
    new = set(result.patients.columns) - set(usual.patients.columns)
    assert new == {"sepsis_grade", "sepsis_months"}
    # Chance of its own, and it holds no dose: nothing else is moved.
    assert result.patients.drop(new).equals(usual.patients)
    assert result.visits.equals(usual.visits)
    had = result.patients["sepsis_grade"] > 0
    assert 0 < had.sum() < had.len()
    assert (had != (result.patients["pneumonia_grade"] > 0)).any()
    names = set(result.endpoints["endpoint"]) - set(usual.endpoints["endpoint"])
    assert names == {"sepsis_grade_3_4", "sepsis_grade_4", "sepsis_by_6_months"}
    grades = result.grades().filter(event="sepsis")
    assert grades["events"].sum() == had.sum()
    adae = next(d for d in cdisc.datasets(PLAN, result.patients, result.visits, 1) if d.name == "ADAE")
    assert adae.frame.filter(AEDECOD="Sepsis").height == had.sum()


def test_a_trial_that_was_kept_before_is_read_as_it_was(usual, plug_in):
    plug_in(SEPSIS, registry.EVENT_PLUG_INS)
    before = usual.patients
    assert endpoints_table(PLAN, before).equals(usual.endpoints)
    assert set(usual.grades()["event"]) == {"neutropenia", "thrombocytopenia", "anaemia", "pneumonia"}
    assert cdisc.datasets(PLAN, before, usual.visits, 1)[4].frame.filter(AEDECOD="Sepsis").is_empty()


def test_an_adverse_event_may_hold_the_drug(usual, plug_in):
    holds = trials.AdverseEvent("sepsis", "Sepsis", SEPSIS.rule, OTHER_TOXICITY)
    plug_in(holds, registry.EVENT_PLUG_INS)
    result = trials.run(PLAN, seed=3)
    assert result.patients["dose_holds"].sum() > usual.patients["dose_holds"].sum()


def test_a_hazard_that_the_model_has_not_is_refused(plug_in):
    rule = trials.HazardRule("hazard_of_nothing")
    plug_in(trials.AdverseEvent("nothing", "Nothing", rule), registry.EVENT_PLUG_INS)
    with pytest.raises(InputError, match="hazard_of_nothing") as caught:
        trials.run(PLAN, seed=3)
    assert caught.value.code == "GP-N019"
    assert caught.value.__notes__ == ['By it comes the adverse event "nothing".']


def test_an_endpoint_that_reads_what_no_trial_has_is_refused(plug_in):
    about = {"kind": trials.SHARE, "estimand": "", "label": "Tall", "value": pl.col("best_respons") == "CR"}
    plug_in(trials.Endpoint("tall", **about))
    with pytest.raises(EnvironmentProblemError, match=r'GP-T092.*"tall" reads "best_respons"') as caught:
        trials.run(PLAN, seed=3)
    assert 'did you mean "best_response"' in str(caught.value)
    plug_in(trials.Endpoint("tall", optional=True, **about))
    assert "tall" not in trials.run(PLAN, seed=3).endpoints["endpoint"]


BAD_SHARE = {"kind": trials.SHARE, "estimand": "", "label": "x"}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (ImportError("no module"), "cannot be loaded: ImportError: no module"),
        ("pfs", "gives str where a record is expected"),
        (trials.Endpoint(name="orr", value=pl.col("os_event"), **BAD_SHARE), 'in use: "orr"'),
        (trials.Endpoint(name="Best PFS", value=pl.col("os_event"), **BAD_SHARE), "lower-case letters"),
        (trials.Endpoint(name="mine", **BAD_SHARE), "needs a value"),
        (
            trials.Endpoint(name="mine", value=pl.col("os_event"), summaries=("median",), **BAD_SHARE),
            "one of rate, odds ratio is wanted",
        ),
        (
            trials.Endpoint("mine", "x", "feeling", "", value=pl.col("os_event")),
            'is of kind "feeling"',
        ),
    ],
)
def test_a_record_that_cannot_be_is_refused(plug_in, record, problem):
    plug_in(record)
    with pytest.raises(EnvironmentProblemError) as caught:
        trials.endpoints()
    assert caught.value.code == "GP-T090"
    assert problem in str(caught.value)
    assert "repair or remove" in str(caught.value)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (trials.AdverseEvent("pneumonia", "Pneumonia", SEPSIS.rule), 'in use: "pneumonia"'),
        (
            trials.AdverseEvent("rash", "Rash", SEPSIS.rule, dosing="sometimes"),
            'does "sometimes" to dosing',
        ),
        (trials.AdverseEvent("rash", "Rash", "hazard_rash"), "a rule of type str"),
        (
            trials.AdverseEvent("hypoxia", "Hypoxia", trials.LaboratoryRule("oxygen", {4: (90.0,)})),
            'is graded by "oxygen"',
        ),
    ],
)
def test_an_adverse_event_that_cannot_be_is_refused(plug_in, record, problem):
    plug_in(record, registry.EVENT_PLUG_INS)
    with pytest.raises(EnvironmentProblemError) as caught:
        trials.adverse_events()
    assert caught.value.code == "GP-T090"
    assert problem in str(caught.value)


def test_every_record_is_explained():
    for endpoint in trials.endpoints():
        assert endpoint.label
        assert endpoint.estimand
    rows = trials.reported()
    assert len({row.label for row in rows.values()}) == len(rows)


def test_the_docs_name_every_endpoint_and_adverse_event():
    text = (Path(__file__).parents[2] / "docs" / "trials.md").read_text("utf-8")
    table = text[text.index("## Endpoints") : text.index("## How fast")]
    for endpoint in trials.endpoints():
        assert f"`{endpoint.name}`" in table, endpoint.name
    for event in trials.adverse_events():
        assert f"`{event.name}`" in table


def test_what_is_calibrated_to_is_reported(usual):
    names = set(usual.endpoints["endpoint"])
    for claim, row in trials.claimed().items():
        assert row.name in names, claim
        assert trials.by_review(row).name in names
        assert not row.endpoint.among or row.endpoint.among in names
    assert references.default().trials


def test_lowest_values_are_graded_by_the_version_of_the_protocol(usual):
    lowest = usual.patients["lowest_anc_1e9_per_l"].to_numpy()
    rule = next(event.rule for event in trials.adverse_events() if event.name == "neutropenia")
    grade = rule.grade(lowest, PLAN.measurement.ctcae_version)
    assert np.array_equal(grade, usual.patients["neutropenia_grade"].to_numpy())
