"""Overrides replace typical values and variances, and nothing else; a wrong name or value is told."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, models, parameters

SCENARIO = Scenario.of()


def test_an_override_replaces_one_typical_value_and_no_other():
    plain, changed = (
        parameters.typical(SCENARIO),
        parameters.typical(Scenario.of(overrides={"growth_per_d": 0.03})),
    )
    assert changed == plain | {"growth_per_d": 0.03}
    assert plain["growth_per_d"] != 0.03


def test_patients_vary_about_the_override(typical_covariates, neutral_prognosis):
    names, _ = parameters.random_effects(SCENARIO)
    etas = np.zeros((1, len(names)))
    etas[0, names.index("growth_per_d")] = np.log(2.0)
    overrides = neutral_prognosis | {"growth_per_d": 0.03, "kd_nm": 100.0}
    values = parameters.individual(Scenario.of(overrides=overrides), typical_covariates, etas)
    assert values["growth_per_d"][0] == pytest.approx(0.06)
    assert values["kd_nm"].tolist() == [100.0]


def test_every_override_reaches_the_model(typical_covariates, neutral_prognosis):
    table = parameters.table(SCENARIO)
    beside = ["switches", *parameters.BESIDE_THE_MODEL]
    free = table.filter(~table["section"].is_in(beside))
    overrides = {
        row["name"]: 0.9 * row["typical"] for row in free.iter_rows(named=True) if row["typical"] > 0
    }
    names, _ = parameters.random_effects(Scenario.of(overrides=overrides))
    values = parameters.individual(
        Scenario.of(overrides=overrides | neutral_prognosis), typical_covariates, np.zeros((1, len(names)))
    )
    chosen, _ = models.split(models.trial(SCENARIO), values)
    assert len(overrides) > 50
    for name, value in overrides.items():
        assert chosen[name][0] == pytest.approx(value), name


def test_a_capacity_acts_through_the_rho_of_the_compound(typical_covariates):
    names, _ = parameters.random_effects(SCENARIO)
    for more, rho in (({}, 10.0), ({"ikzf1_myeloma_rho": 7.0}, 7.0)):
        scenario = SCENARIO.with_overrides({"ikzf1_myeloma_capacity": 10.0, **more})
        values = parameters.individual(scenario, typical_covariates, np.zeros((1, len(names))))
        assert parameters.typical(scenario)["ikzf1_myeloma_rho"] == rho
        assert values["ikzf1_myeloma_rho"].tolist() == [rho]
        assert "ikzf1_tcell_rho" not in values


def test_a_variance_is_replaced_and_its_correlations_stay():
    names, plain = parameters.random_effects(SCENARIO)
    same, wider = parameters.random_effects(Scenario.of(overrides={"omega2.kill_per_d": 4.0 * 0.915}))
    i, j = names.index("kill_per_d"), names.index("growth_per_d")
    assert same == names
    assert wider[i, i] == pytest.approx(4.0 * 0.915)
    assert wider[i, j] == pytest.approx(2.0 * plain[i, j])
    assert wider[j, j] == plain[j, j]
    spread = [np.sqrt(np.diag(matrix)) for matrix in (plain, wider)]
    np.testing.assert_allclose(wider / np.outer(spread[1], spread[1]), plain / np.outer(spread[0], spread[0]))


def test_the_study_multiplies_everybodys_hazard_of_death(typical_covariates, neutral_prognosis):
    names, _ = parameters.random_effects(SCENARIO)
    etas = np.zeros((1, len(names)))
    overrides = neutral_prognosis | {"study_death_ratio": 1.5, "death_per_month": 0.02}
    values = parameters.individual(Scenario.of(overrides=overrides), typical_covariates, etas)
    assert values["death_per_month"][0] == pytest.approx(0.03)
    overrides = neutral_prognosis | {"study_death_ratio": 1.5}
    alone = parameters.individual(Scenario.of(overrides=overrides), typical_covariates, etas)
    assert alone["death_per_month"][0] == pytest.approx(1.5 * parameters.typical(SCENARIO)["death_per_month"])
    assert "study_death_ratio" not in values


def test_what_the_conduct_reads_stays_out_of_the_model(typical_covariates):
    overrides = {"missed_dose_share": 0.2, "other_toxicity_per_month": 0.3}
    names, _ = parameters.random_effects(SCENARIO)
    values = parameters.individual(
        Scenario.of(overrides=overrides), typical_covariates, np.zeros((1, len(names)))
    )
    assert "missed_dose_share" not in values
    assert values["other_toxicity_per_month"].tolist() == [0.3]
    assert parameters.typical(Scenario.of(overrides=overrides))["missed_dose_share"] == 0.2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("grwth_per_d", r'GP-M050 overrides, grwth_per_d: .*did you mean "growth_per_d"'),
        ("omega2.early_d", "GP-M050 overrides, omega2.early_d"),
        ("anc0_1e9_per_l", "GP-M050 .*\\n.*baselines belong to the case-mix"),
        ("resistant_share0", "GP-M050 .*\\n.*\\n.*another structure of the tumour has other names"),
    ],
)
def test_an_unknown_name_is_told(name, told):
    with pytest.raises(InputError, match=told):
        parameters.typical(Scenario.of(overrides={name: 1.0}))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("growth_per_d", -0.01, "zero or more"),
        ("growth_per_d", float("nan"), "zero or more"),
        ("omega2.growth_per_d", 0.0, "above zero"),
        ("missed_dose_share", 1.0, "a share between 0 and 1"),
        ("neutrophil_block_loss50", 0.0, "a share between 0 and 1"),
    ],
)
def test_an_impossible_value_is_told(name, value, told):
    with pytest.raises(InputError, match=rf"GP-M051 overrides, {name}: .*\n.*{told}"):
        parameters.typical(Scenario.of(overrides={name: value}))


def test_an_unknown_structure_is_told():
    with pytest.raises(InputError, match=r'GP-M052 structure: .*did you mean "two-clone"'):
        parameters.typical(Scenario.of(structure="two_clone"))
    with pytest.raises(InputError, match="GP-M052"):
        models.trial(Scenario.of(structure=""))


def test_structures_have_parameters_of_their_own():
    claret, two = (
        set(parameters.typical(SCENARIO)),
        set(parameters.typical(Scenario.of(structure="two-clone"))),
    )
    assert claret - two == {"resistance_per_d"}
    assert two - claret == {"resistant_share0", "resistant_kill_share", "m_protein_clearance_per_d"}


def test_a_compound_is_parsed_once_and_again_when_its_file_changes(tmp_path):
    path = tmp_path / "mine.toml"
    text = compounds.source("lenalidomide")
    path.write_text(text, encoding="utf-8")
    first = compounds.load(path)
    assert compounds.load(path) is first
    path.write_text(text.replace("typical = 264.0", "typical = 132.0"), encoding="utf-8")
    assert compounds.load(path).kd().typical == 132.0
