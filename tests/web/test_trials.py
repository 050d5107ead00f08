"""Trials of a project: designed, run, read patient by patient and held against what was observed."""

from __future__ import annotations

import re
from html import unescape
from typing import get_args

import numpy as np
import pytest

from glueprint import trials
from glueprint.trials import kept
from glueprint.trials.protocol.case_mix import CaseMix
from glueprint.web import design_form, designs

TRIAL = "/p/demo/trials/one"


@pytest.fixture
def trial(browser, demo):
    """The folder of a small trial of the project."""
    assert browser.post("/p/demo/trials", {"name": "one", "base": "template"}).status == 303
    return demo / "trials" / "one"


@pytest.fixture
def finished(trial, small_run):
    trial.joinpath(designs.RUN).symlink_to(small_run)
    return kept.load(small_run)


def form_of(page):
    """The fields of the designer as a browser would send them."""
    form = page[page.index('class="design"') : page.index("</form>", page.index('class="design"'))]
    fields = dict(
        re.findall(r'<input (?:type="hidden" )?name="([^"]+)"(?: id="[^"]+")? value="([^"]*)"', form)
    )
    fields |= dict(re.findall(r'<input type="checkbox" name="([^"]+)" value="([^"]*)" checked>', form))
    for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', form, re.S):
        every = re.findall(r"<option([^>]*)>([^<]*)", options)
        about, words = next((one for one in every if "selected" in one[0]), every[0])
        value = re.search(r'value="([^"]*)"', about)
        fields[name] = value[1] if value else words
    return {name: unescape(value) for name, value in fields.items()}


@pytest.mark.parametrize("base", designs.bases())
def test_a_design_that_is_kept_as_it_stands_is_the_same_trial(browser, demo, base):
    assert browser.post("/p/demo/trials", {"name": "one", "base": base}).status == 303
    path = demo / "trials" / "one" / "trial.toml"
    before = trials.load_protocol(path)
    answer = browser.post(TRIAL, form_of(browser.get(TRIAL).text))
    assert (answer.status, answer.headers.get("location")) == (303, TRIAL), answer.text
    assert trials.load_protocol(path) == before
    assert before.name == "one"


def test_days_arms_and_patients_are_changed_and_say_who_chose_them(browser, trial):
    page = browser.get(TRIAL).text
    assert page.count('class="calendar"') == 4
    assert page.count('aria-pressed="true"') == 2 * (21 + 4)
    form = form_of(page)
    form |= {
        "arm-0-drug-0-days": "1-14",
        "arm-0-drug-0-dose": "3",
        "arm-1-patients": "80",
        "ratio": "3,4",
        "blocks_of": "7",
        "mix-age_y-mean": "70",
        "why": "an older population",
    }
    assert browser.post(TRIAL, form).status == 303
    found = trials.load_protocol(trial / "trial.toml")
    assert (found.arms[0].drugs[0].days, found.arms[0].drugs[0].dose_mg) == ("1-14", 3)
    assert (found.arms[1].patients, found.case_mix.age_y.mean) == (80, 70)
    assert (found.case_mix.age_y.sources, found.case_mix.age_y.assumed) == ((), "an older population")
    assert found.case_mix.weight_kg.sources


def test_an_arm_and_a_drug_more_and_less(browser, trial):
    for do, arms, drugs in (
        ("add-arm", 3, 2),
        ("add-drug-0", 3, 3),
        ("drop-drug-0-2", 3, 2),
        ("drop-arm-2", 2, 2),
    ):
        answer = browser.post(TRIAL, form_of(browser.get(TRIAL).text) | {"do": do})
        if do == "add-drug-0":  # the same drug twice is no regimen, and what was entered stays
            assert answer.status == 422
            assert answer.text.count('name="arm-0-drug-2-compound"') == 1
            continue
        if do == "drop-drug-0-2":
            continue
        assert answer.status == 303, answer.text
        found = trials.load_protocol(trial / "trial.toml")
        assert (len(found.arms), len(found.arms[0].drugs)) == (arms, drugs)


def test_a_calendar_with_data_cuts_and_a_test(browser, trial):
    form = form_of(browser.get(TRIAL).text) | {
        "clock": "calendar",
        "per_month": "0:5, 6:20",
        "cut-0-name": "interim",
        "cut-0-clock": "events",
        "cut-0-value": "30",
        "cut-0-most": "30",
        "cut-1-name": "final",
        "cut-1-clock": "last_patient_months",
        "cut-1-value": "12",
        "monitor_events": "60",
    }
    answer = browser.post(TRIAL, form)
    assert answer.status == 303, answer.text
    found = trials.load_protocol(trial / "trial.toml")
    assert [cut.name for cut in found.data_cuts] == ["interim", "final"]
    assert found.accrual.per_month == ((0, 5), (6, 20))
    assert found.monitoring.events == 60
    again = form_of(browser.get(TRIAL).text) | {"clock": "fixed"}
    assert browser.post(TRIAL, again).status == 303
    assert trials.load_protocol(trial / "trial.toml").data_cuts == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"arm-0-drug-0-days": "1-99"}, "GP-T"),
        ({"arm-0-drug-0-days": "x"}, "GP-T009"),
        ({"arm-0-patients": "1e999"}, "GP-B023"),
        ({"arm-0-patients": "2.5"}, "GP-B023"),
        ({"mix-sex-male": "0.9"}, "GP-T010"),
        ({"ratio": "a"}, "GP-B023"),
        ({"mix-age_y-low": "99"}, "GP-T"),
    ],
)
def test_what_is_no_trial_is_said_and_the_file_stays(browser, trial, fields, code):
    before = (trial / "trial.toml").read_bytes()
    answer = browser.post(TRIAL, form_of(browser.get(TRIAL).text) | fields)
    assert (answer.status, code in answer.text) == (422, True)
    assert (trial / "trial.toml").read_bytes() == before


def test_the_second_tab_on_a_design_is_told(browser, trial):
    form = form_of(browser.get(TRIAL).text)
    assert browser.post(TRIAL, form | {"title": "Another"}).status == 303
    answer = browser.post(TRIAL, form | {"title": "A third"})
    assert (answer.status, "GP-B012" in answer.text) == (409, True)
    assert trials.load_protocol(trial / "trial.toml").title == "Another"


def test_a_run_and_power_are_jobs_of_our_own_commands(browser, bench, trial):
    answer = browser.post(f"{TRIAL}/run", {"replicates": "3", "seed": "2", "posterior": "yes"})
    assert answer.status == 303
    job = bench.jobs.of("demo")[0]
    assert job.words[:8] == ("trial", "run", str(trial / "trial.toml"), "--replicates", "3", "--seed", "2",
                             "--posterior")  # fmt: skip
    assert job.words[job.words.index("--out") + 1] == str(trial / "run")
    again = browser.post(f"{TRIAL}/power", {"sizes": "100,200"})
    assert (again.status, "GP-B012" in again.text) == (409, True)
    bench.jobs.cancel(job.id)
    assert browser.post(f"{TRIAL}/power", {"sizes": "100,200"}).status == 303
    assert bench.jobs.of("demo")[0].words[:5] == ("trial", "power", str(trial / "trial.toml"), "--patients",
                                                  "100,200")  # fmt: skip
    for wrong in ({"sizes": "100;rm"}, {"sizes": ""}):
        assert browser.post(f"{TRIAL}/power", wrong).status == 422
    assert browser.post(f"{TRIAL}/run", {"replicates": "-1"}).status == 422


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "../x", "base": "template"}, "GP-B009"),
        ({"name": "one", "base": "template"}, "GP-B011"),
        ({"name": "two", "base": "/etc/passwd"}, "GP-B010"),
    ],
)
def test_a_trial_that_cannot_be_begun_leaves_nothing(browser, demo, trial, fields, code):
    answer = browser.post("/p/demo/trials", fields)
    assert code in answer.text
    assert [path.name for path in trial.parent.iterdir()] == ["one"]
    assert browser.get("/p/demo/trials/none").status == 404


def test_a_result_shows_what_the_trial_reports(browser, finished):
    page = browser.get(f"{TRIAL}/result").text
    overview = trials.prediction_intervals(finished.table("endpoints"))
    row = next(row for row in overview.to_dicts() if row["endpoint"] == "orr")
    assert f"{row['median']:.3g} ({row['low']:.3g} to {row['high']:.3g})" in page
    assert finished.label in page.replace("&#39;", "'")
    assert "Simulated" in page


def test_figures_tables_and_the_patients_lead_to_one_course(browser, finished):
    part = browser.get(f"{TRIAL}/result/figures", hx_request="true").text
    for stem in ("km_os", "km_pfs", "waterfall", "swimmer", "forest_pfs", "adverse_events"):
        assert f'id="figure-{stem}"' in part
    assert "Patients at risk" in part
    for ending, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        answer = browser.get(f"{TRIAL}/result/figures/km_pfs.{ending}")
        assert (answer.status, answer.body.lstrip()[: len(start)]) == (200, start)
    table = browser.get(f"{TRIAL}/result/tables/patients.csv").text
    assert len(table.splitlines()) == 1 + finished.table("patients").height
    assert browser.get(f"{TRIAL}/result/tables/trial.xlsx").body[:2] == b"PK"
    for wrong in ("figures/km_pfs.exe", "figures/none.svg", "tables/trial.json", "tables/passwd.csv"):
        assert browser.get(f"{TRIAL}/result/{wrong}").status == 404
    arm = finished.protocol.arms[0].name
    listed = browser.get(f"{TRIAL}/result/patients?arm={arm.replace(' ', '+')}").text
    assert "10 of 20 patients" in listed
    assert "<option selected></option>" not in listed  # patients still treated have no reason to stop
    course = browser.get(f"{TRIAL}/result/patients/1/1").text
    assert course.count("<svg") == 5
    assert browser.get(f"{TRIAL}/result/patients/1/99999").status == 404


def test_numbers_and_a_curve_are_held_against_the_trial(browser, trial, finished):
    arm = finished.protocol.arms[0].name
    answer = browser.post(f"{TRIAL}/observed", {"observed": f"arm,endpoint,value\n{arm},orr,31\n"})
    assert answer.status == 303, answer.text
    # Two virtual trials are too few for a score, which is said; what was observed waits for more.
    assert "GP-K021" in browser.get(f"{TRIAL}/result").text
    pasted = f"arm\ttime\tsurvival\n{arm}\t1\t95\n{arm}\t2\t88 %\n"
    assert browser.post(f"{TRIAL}/observed", {"observed": pasted, "endpoint": "pfs"}).status == 303
    assert (trial / "observed_curve.csv").read_text() == (
        f"endpoint,arm,time,survival\npfs,{arm},1.0,0.95\npfs,{arm},2.0,0.88\n"
    )
    assert "Circles: observed" in browser.get(f"{TRIAL}/result/figures").text
    for wrong in ("", "arm,time,survival\nnobody,1,0.5\n", f"arm,time,survival\n{arm},1,500\n", "a,b\n1,2\n"):
        before = (trial / "observed_curve.csv").read_bytes()
        assert browser.post(f"{TRIAL}/observed", {"observed": wrong}).status == 422, wrong
        assert (trial / "observed_curve.csv").read_bytes() == before
    assert browser.post(f"{TRIAL}/observed", {"forget": "yes"}).status == 303
    assert not (trial / "observed.csv").exists()


def test_days_are_written_as_a_protocol_writes_them():
    assert design_form.days_text([1, 2, 3, 8, 15, 16]) == "1-3,8,15,16"
    assert trials.parse_days(design_form.days_text(range(1, 22))) == tuple(range(1, 22))


def test_strata_correlations_and_covariates_are_designed(browser, demo):
    assert browser.post("/p/demo/trials", {"name": "one", "base": "mm003"}).status == 303
    path = demo / "trials" / "one" / "trial.toml"
    before = trials.load_protocol(path)
    form = form_of(browser.get(TRIAL).text)
    rows = len(before.randomisation.strata)
    more = {f"stratum-{rows}-covariate": "sex", f"stratum-{rows}-cuts": ""}
    pairs = len(before.case_mix.correlations)
    pair = {
        f"pair-{pairs}-first": "age_y",
        f"pair-{pairs}-second": "weight_kg",
        f"pair-{pairs}-value": "-0.25",
    }
    answer = browser.post(TRIAL, form | more | pair | {"why": "our registry"})
    assert answer.status == 303, answer.text
    after = trials.load_protocol(path)
    assert after.randomisation.strata[:-1] == before.randomisation.strata
    assert after.randomisation.strata[-1].covariate == "sex"
    assert after.case_mix.correlations[:-1] == before.case_mix.correlations
    new = after.case_mix.correlations[-1]
    assert (new.between, new.value, new.assumed) == (("age_y", "weight_kg"), -0.25, "our registry")
    # A row that is emptied is gone, and an optional covariate comes and goes.
    form = form_of(browser.get(TRIAL).text)
    lacking = re.search(
        r'<select name="mix-add"><option value="">none</option><option value="([^"]+)"',
        browser.get(TRIAL).text,
    )
    gone = {f"stratum-{rows}-covariate": "", f"pair-{pairs}-value": ""}
    if lacking:
        gone["mix-add"] = lacking[1]
    assert browser.post(TRIAL, form | gone).status == 303
    back = trials.load_protocol(path)
    assert back.randomisation == before.randomisation
    assert back.case_mix.correlations == before.case_mix.correlations
    if lacking:
        assert lacking[1] in back.case_mix.names
        assert browser.post(TRIAL, form_of(browser.get(TRIAL).text) | {"mix-drop": lacking[1]}).status == 303
        assert trials.load_protocol(path) == before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"stratum-0-covariate": "age_y", "stratum-0-cuts": "x"}, "GP-B023"),
        ({"stratum-0-covariate": "age_y", "stratum-0-cuts": ""}, "GP-T018"),
        ({"stratum-0-covariate": "nobody", "stratum-0-cuts": ""}, "GP-T018"),
        ({"pair-0-first": "age_y", "pair-0-second": "age_y", "pair-0-value": "0.3"}, "GP-T"),
        ({"pair-0-first": "age_y", "pair-0-second": "weight_kg", "pair-0-value": "1.5"}, "GP-T"),
        ({"mix-drop": "age_y"}, "GP-T"),
        ({"m_protein_at_least_g_per_l": "-3"}, "GP-T"),
    ],
)
def test_who_cannot_be_enrolled_is_said_and_the_file_stays(browser, trial, fields, code):
    before = (trial / "trial.toml").read_bytes()
    answer = browser.post(TRIAL, form_of(browser.get(TRIAL).text) | fields)
    assert (answer.status, code in answer.text) == (422, True), answer.text
    assert (trial / "trial.toml").read_bytes() == before


def test_a_distribution_of_another_kind_keeps_mean_and_spread(browser, trial):
    path = trial / designs.FILE
    before = trials.load_protocol(path).case_mix
    assert before.age_y.kind == "normal"
    form = form_of(browser.get(TRIAL).text)
    assert browser.post(TRIAL, form | {"mix-age_y-kind": "lognormal", "why": "skewed"}).status == 303
    skewed = trials.load_protocol(path).case_mix
    drawn = np.exp(np.log(skewed.age_y.median) + skewed.age_y.log_sd * np.linspace(-8, 8, 200_001))
    weights = np.exp(-0.5 * np.linspace(-8, 8, 200_001) ** 2)
    mean = np.average(drawn, weights=weights)
    sd = np.sqrt(np.average((drawn - mean) ** 2, weights=weights))
    assert (mean, sd) == pytest.approx((before.age_y.mean, before.age_y.sd), rel=1e-3)
    assert (skewed.age_y.low, skewed.age_y.high) == (before.age_y.low, before.age_y.high)
    assert (skewed.age_y.sources, skewed.age_y.assumed) == ((), "skewed")
    assert skewed.weight_kg == before.weight_kg
    page = browser.get(TRIAL).text
    assert '<option value="lognormal" selected>' in page
    assert 'name="mix-age_y-median"' in page
    assert 'name="mix-age_y-mean"' not in page
    assert browser.post(TRIAL, form_of(page) | {"mix-age_y-kind": "count"}).status == 303
    whole = trials.load_protocol(path).case_mix.age_y
    assert (whole.kind, whole.median, whole.log_sd) == ("count", skewed.age_y.median, skewed.age_y.log_sd)
    assert browser.post(TRIAL, form_of(browser.get(TRIAL).text) | {"mix-age_y-kind": "normal"}).status == 303
    back = trials.load_protocol(path).case_mix.age_y
    assert (back.kind, back.mean, back.sd) == (
        "normal",
        *(pytest.approx(one, rel=1e-3) for one in (before.age_y.mean, before.age_y.sd)),
    )


def test_every_kind_that_a_protocol_knows_can_be_chosen():
    union = get_args(CaseMix.model_fields["age_y"].annotation)
    kinds = [get_args(one.model_fields["kind"].annotation)[0] for one in union]
    assert list(design_form.MIX_KINDS) == kinds


@pytest.mark.parametrize(
    "fields",
    [
        {"mix-age_y-kind": "weibull"},
        {"mix-age_y-kind": "levels"},
        {"mix-age_y-kind": "lognormal", "mix-age_y-mean": "-5"},
    ],
)
def test_a_kind_that_cannot_be_changes_nothing(browser, trial, fields):
    before = (trial / designs.FILE).read_bytes()
    answer = browser.post(TRIAL, form_of(browser.get(TRIAL).text) | fields)
    assert (answer.status, "GP-B023" in answer.text) == (422, True)
    assert (trial / designs.FILE).read_bytes() == before
