"""The driven progenitor form: closed form of a constant block, rest, G-CSF, limits."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, models

SCENARIO = Scenario.of()

LINEAGES = {
    "neutrophils": ("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l"),
    "platelets": ("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l"),
}


@pytest.fixture(scope="module", params=list(LINEAGES))
def lineage(request):
    return engine.compile(models.source(request.param, SCENARIO)), *LINEAGES[request.param]


def settled(model, hours=6000.0, **values):
    patients = model.ensemble(values)
    assert patients.advance(hours).ok
    return patients


def test_a_constant_block_ends_at_the_closed_form(lineage):
    # C/C0 = phi^(1/(1+g)), phi = (1-B)/(1-B + a B): own derivation, docs/mechanism.md, "Marrow".
    model, prefix, circulating, baseline = lineage
    left = np.array([0.9, 0.5, 0.21, 0.05])
    death = np.array([0.3, 1.0, 1.3, 2.0])
    typical = {name: q.typical for name, q in models.quantities("trial", SCENARIO).items()}
    got = settled(model, **{"ikzf1_progenitor": left, f"{prefix}_arrested_death": death})
    hill, half = typical[f"{prefix}_block_hill"], typical[f"{prefix}_block_loss50"]
    block = typical[f"{prefix}_block_max"] * (1 - left) ** hill / (half**hill + (1 - left) ** hill)
    np.testing.assert_allclose(got[f"{prefix}_block"], block, rtol=1e-9)
    phi = (1 - block) / (1 - block + death * block)
    expected = typical[baseline] * phi ** (1 / (1 + typical[f"{prefix}_feedback"]))
    np.testing.assert_allclose(got[circulating], expected, rtol=1e-5)


def test_an_untreated_lineage_rests_at_its_baseline(lineage):
    model, prefix, circulating, baseline = lineage
    got = settled(
        model, hours=2000.0, **{baseline: np.array([1.2, 4.0]), f"{prefix}_mtt_h": np.array([80.0, 150.0])}
    )
    np.testing.assert_allclose(got[circulating], [1.2, 4.0], rtol=1e-9)


def test_deeper_loss_means_fewer_cells(lineage):
    model, _, circulating, _ = lineage
    got = settled(model, ikzf1_progenitor=np.linspace(1.0, 0.0, 9))
    assert np.all(np.diff(got[circulating]) < 0)


def test_gcsf_raises_neutrophils_by_the_published_exponents():
    # At rest C/C0 = (G/G0)^(0.444/(1+g)) (SAF037); the exponent on maturation (SAF038) moves time alone.
    model = engine.compile(models.source("neutrophils", SCENARIO))
    got = settled(model, gcsf_fold=np.array([1.0, 2.0, 5.0]))
    expected = 3.44 * np.array([1.0, 2.0, 5.0]) ** (0.444 / 1.216)
    np.testing.assert_allclose(got["anc_1e9_per_l"], expected, rtol=1e-5)


def test_a_deep_nadir_is_within_reach_and_recovers():
    # Grade 4 (below 0.5) must be attainable for a low baseline, and counts come back after the drug.
    model = engine.compile(models.source("neutrophils", SCENARIO))
    patients = model.ensemble(
        {"anc0_1e9_per_l": 1.5, "ikzf1_progenitor": 0.15, "neutrophil_arrested_death": 2.0}
    )
    patients.advance(504.0)
    nadir = patients["anc_1e9_per_l"][0]
    patients.set("ikzf1_progenitor", 1.0)
    patients.advance(504.0 + 400.0)
    assert nadir < 0.5
    assert patients["anc_1e9_per_l"][0] > 1.2
