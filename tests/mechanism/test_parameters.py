"""Every parameter says unit and source; patients' values follow their covariates and random effects."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from glueprint import evidence
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, culture, lines, models, parameters
from glueprint.mechanism.dimensions import unit_of
from glueprint.mechanism.quantities import believed
from glueprint.mechanism.scenario import FORMS
from glueprint.trials import load_protocol
from glueprint.units import is_known

SCENARIO = Scenario.of()


@pytest.fixture(scope="module")
def table():
    return parameters.table(SCENARIO)


def test_every_parameter_has_unit_and_source_or_reason(table):
    for row in table.iter_rows(named=True):
        assert is_known(row["unit"]), row["name"]
        assert row["role"] in {"input", "calibrated", "assumed"}
        assert row["evidence"] if row["role"] != "assumed" else row["why"], row["name"]


def cited_in(content):
    """All ids of every list named evidence, at any depth."""
    if isinstance(content, list):
        return {item for part in content for item in cited_in(part)}
    if not isinstance(content, dict):
        return set()
    deeper = {item for key, part in content.items() if key != "evidence" for item in cited_in(part)}
    return deeper | set(content.get("evidence", []))


def test_every_evidence_id_exists():
    known = set(evidence.load().frame["id"])
    files = list((Path(parameters.__file__).parent / "data").rglob("*.toml"))
    cited = {item for file in files for item in cited_in(tomllib.loads(file.read_text(encoding="utf-8")))}
    assert len(files) >= 4
    assert len(cited) > 50
    assert cited - known == set()


# The longest ending that fits a name says its unit.
ENDINGS = {
    "_l_per_h": "L/h",
    "_mg_per_l": "mg/L",
    "_g_per_l": "g/L",
    "_g_per_dl": "g/dL",
    "_1e9_per_l": "1e9/L",
    "_per_month": "1/month",
    "_per_h": "1/h",
    "_per_d": "1/d",
    "_nm": "nM",
    "_h": "h",
    "_d": "d",
    "_l": "L",
}


def test_calibrated_values_cite_what_they_were_calibrated_to(table):
    claims = evidence.load().frame
    targets = set(claims.filter(claims["role"] == "calibration")["id"])
    calibrated = table.filter(table["role"] == "calibrated")
    assert calibrated.height > 5
    for row in calibrated.iter_rows(named=True):
        assert targets & set(row["evidence"]), row["name"]


def test_units_are_those_of_the_names(table):
    for name, unit in table.select("name", "unit").iter_rows():
        fitting = [ending for ending in ENDINGS if name.endswith(ending)]
        expected = ENDINGS[max(fitting, key=len)] if fitting else unit
        assert unit == expected, name
        if not fitting:
            assert unit == ("g/mol" if name == "molar_mass_g_per_mol" else "dimensionless"), name


def test_random_effects_hold_the_published_covariances():
    names, matrix = parameters.random_effects(SCENARIO)
    at = {name: i for i, name in enumerate(names)}
    assert matrix[at["clearance_l_per_h"], at["clearance_l_per_h"]] == 0.168
    assert matrix[at["clearance_l_per_h"], at["central_l"]] == 0.0599
    # Collins variances (CL177-CL179) narrowed by hand, with the correlations of CL180-CL182 as published.
    tumour = [at[name] for name in ("growth_per_d", "kill_per_d", "resistance_per_d")]
    collins = np.array([[0.677, 0.546, 0.217], [0.546, 1.07, 1.12], [0.217, 1.12, 3.04]])
    factors = np.sqrt(np.outer(np.array([0.495, 0.855, 0.9]), np.array([0.495, 0.855, 0.9])))
    np.testing.assert_allclose(matrix[np.ix_(tumour, tumour)], factors * collins, rtol=2e-3)
    assert np.all(np.linalg.eigvalsh(matrix) > 0)


def test_a_typical_patient_has_the_typical_values(typical_covariates, neutral_prognosis):
    names, _ = parameters.random_effects(SCENARIO)
    values = parameters.individual(
        Scenario.of(overrides=neutral_prognosis), typical_covariates, np.zeros((1, len(names)))
    )
    typical = parameters.typical(SCENARIO)
    for name in names:
        assert values[name][0] == pytest.approx(typical[name])


def test_effects_are_lognormal_in_their_own_column(typical_covariates, neutral_prognosis):
    names, _ = parameters.random_effects(SCENARIO)
    etas = np.zeros((1, len(names)))
    etas[0, names.index("kill_per_d")] = np.log(3.0)
    values = parameters.individual(Scenario.of(overrides=neutral_prognosis), typical_covariates, etas)
    typical = parameters.typical(SCENARIO)
    assert values["kill_per_d"][0] == pytest.approx(3.0 * typical["kill_per_d"])
    assert values["growth_per_d"][0] == pytest.approx(typical["growth_per_d"])


def test_patients_start_at_their_own_steady_state():
    names, matrix = parameters.random_effects(SCENARIO)
    draw = np.random.default_rng(5)
    covariates = {
        "sex_female": np.array([0.0, 1.0, 1.0]),
        "weight_kg": np.array([60.0, 80.0, 110.0]),
        "total_protein_g_per_l": np.array([60.0, 75.0, 95.0]),
        "age_y": np.array([50.0, 66.0, 80.0]),
        "anc0": np.array([1.1, 3.0, 6.0]),
        "platelets0": np.array([55.0, 150.0, 300.0]),
        "haemoglobin0": np.array([8.2, 10.0, 13.0]),
        "m_protein0": np.array([6.0, 20.0, 60.0]),
    }
    etas = draw.multivariate_normal(np.zeros(len(names)), matrix, 3)
    model = models.trial(SCENARIO)
    chosen, initial = models.split(model, parameters.individual(SCENARIO, covariates, etas))
    assert set(initial) <= set(model.species)
    assert set(chosen) <= set(model.parameters)
    patients = model.ensemble(chosen, initial=initial)
    np.testing.assert_allclose(patients["m_protein_g_per_l"], covariates["m_protein0"])
    np.testing.assert_allclose(patients["haemoglobin_g_per_dl"], covariates["haemoglobin0"])
    patients.advance(700.0)
    np.testing.assert_allclose(patients["anc_1e9_per_l"], covariates["anc0"], rtol=1e-8)
    np.testing.assert_allclose(patients["platelets_1e9_per_l"], covariates["platelets0"], rtol=1e-8)


def test_two_clones_start_at_the_burden_that_the_m_protein_shows(typical_covariates, neutral_prognosis):
    names, _ = parameters.random_effects(Scenario.of(structure="two-clone"))
    etas = np.zeros((1, len(names)))
    etas[0, names.index("resistant_share0")] = 1.0
    etas[0, names.index("growth_per_d")] = 0.5
    values = parameters.individual(
        Scenario.of(overrides=neutral_prognosis, structure="two-clone"), typical_covariates, etas
    )
    model = models.trial(Scenario.of(structure="two-clone"))
    chosen, initial = models.split(model, values)
    given = model.ensemble(chosen, initial=initial)
    computed = model.ensemble(chosen, patients=1)  # by the model's own initial assignments
    for name in ("log_sensitive", "log_resistant", "log_m_protein"):
        assert given[name][0] == pytest.approx(computed[name][0]), name
    odds = np.exp(given["log_resistant"] - given["log_sensitive"])[0]
    typical = parameters.typical(Scenario.of(structure="two-clone"))["resistant_share0"]
    assert odds == pytest.approx(np.e * typical / (1 - typical))


def test_baselines_belong_to_the_case_mix():
    names = set(parameters.table(Scenario.of())["name"])
    assert not names & {
        "anc0_1e9_per_l",
        "platelets0_1e9_per_l",
        "haemoglobin0_g_per_dl",
        "m_protein0_g_per_l",
    }
    # Where a model stands alone, it is an average patient of the reference trial.
    mix, alone = load_protocol("mm003").case_mix, models.quantities("trial", Scenario.of())
    for name, distribution in {
        "anc0_1e9_per_l": mix.anc_1e9_per_l,
        "platelets0_1e9_per_l": mix.platelets_1e9_per_l,
        "haemoglobin0_g_per_dl": mix.haemoglobin_g_per_dl,
        "m_protein0_g_per_l": mix.m_protein_g_per_l,
    }.items():
        middle = getattr(distribution, "median", None) or distribution.mean
        assert alone[name].typical == middle, name
        assert alone[name].role == "assumed"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"anc0": None}, "anc0"),
        ({"weight_kg": np.array([-70.0])}, "weight_kg"),
        ({"m_protein0": np.array([np.nan])}, "m_protein0"),
        ({"age_y": np.array([60.0, 70.0])}, "age_y"),
        ({"sex_female": np.array([0.5])}, "sex_female"),
        ({"smokers": np.array([1.0])}, "smokers"),
    ],
)
def test_a_bad_covariate_is_named(typical_covariates, change, where):
    covariates = {k: v for k, v in (typical_covariates | change).items() if v is not None}
    count = len(parameters.random_effects(SCENARIO)[0])
    with pytest.raises(InputError, match=re.escape(f"GP-M006 individual, {where}: ")):
        parameters.individual(SCENARIO, covariates, np.zeros((1, count)))


def test_etas_of_another_width_are_refused(typical_covariates):
    with pytest.raises(InputError, match=r"GP-M006 individual, etas: .*shape \(1, 3\)"):
        parameters.individual(SCENARIO, typical_covariates, np.zeros((1, 3)))


def every_parameter():
    """Name, section and quantity of every parameter of every model."""
    found = parameters.quantities(Scenario.of(compounds.load("pomalidomide"))) | parameters.culture()
    for name in lines.names():
        line = lines.load(name)
        found |= {f"{name}.{key}": (name, quantity) for key, quantity in line.quantities().items()}
        found |= {f"{name}.{key}": (name, own.capacity) for key, own in line.substrates.items()}
    return found


def test_every_parameter_has_a_prior_that_says_why():
    given = every_parameter()
    assert len(given) > 150
    for name, (section, quantity) in given.items():
        if section.startswith("compound"):
            continue
        assert quantity.prior is not None, name
        assert quantity.prior.why, name


def test_calibrated_values_of_cells_cite_what_they_were_calibrated_to():
    claims = evidence.load().frame
    targets = set(claims.filter(claims["role"] == "calibration")["id"])
    calibrated = {name: q for name, (_, q) in every_parameter().items() if q.role == "calibrated"}
    assert {"irf4_ikzf50", "treg_power_of_ligase", "OPM2.IKZF1", "monocyte.IKZF1"} <= set(calibrated)
    for name, quantity in calibrated.items():
        assert targets & set(quantity.evidence), name


@pytest.mark.parametrize("name", list(culture.CULTURES))
@pytest.mark.parametrize("form", FORMS)
def test_units_of_cells_are_those_of_their_names(name, form):
    found = models.table(name, Scenario.of(form=form))
    for parameter, unit, prior in found.select("name", "unit", "prior").iter_rows():
        assert unit == unit_of(parameter), parameter
        assert prior, parameter


PARAMETERS = """
kind = "parameters"
version = 1
[group]
a_per_h = { typical = 0.2, unit = "1/h", role = "assumed", why = "test"PRIOR }
"""


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        ("", r"GP-M004 .*\"a_per_h\" has no prior; add prior = "),
        (
            ', prior = { distribution = "normal", sd = 1.0 }',
            r'GP-M004 .*no distribution "normal" .did you mean "lognormal"',
        ),
        (
            ', prior = { distribution = "lognormal", sd_log10 = 0.0 }',
            r"GP-M004 .*sd_log10: 0\.0 cannot be used\nExpected a number above 0",
        ),
        (', prior = { distribution = "fixed" }', "GP-M004 .*why: is missing"),
        (', prior = { distribution = "uniform", low = 1.0, high = 2.0 }', "outside its uniform prior"),
        (', prior = { distribution = "logit-normal", sd_log10 = 1.0 }', "GP-M004 .*sd_log"),
    ],
)
def test_a_parameter_without_a_usable_prior_is_refused(tmp_path, prior, words):
    path = tmp_path / "parameters.toml"
    path.write_text(PARAMETERS.replace("PRIOR", prior), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        parameters.read_system(path)


def test_a_usable_prior_is_kept(tmp_path):
    path = tmp_path / "parameters.toml"
    prior = ', prior = { distribution = "lognormal", sd_log10 = 0.25 }'
    path.write_text(PARAMETERS.replace("PRIOR", prior), encoding="utf-8")
    quantity = parameters.read_system(path).groups["group"].quantities["a_per_h"]
    assert str(believed(quantity)) == "lognormal, SD 0.25 log10"
    assert str(believed(quantity.model_copy(update={"typical": 0.0}))) == "fixed"
    assert str(believed(quantity.model_copy(update={"prior": None}))) == "lognormal, SD 0.5 log10"
