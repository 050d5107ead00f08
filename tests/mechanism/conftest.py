"""A patient like the published medians."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.mechanism import Scenario, compounds, parameters

MINIMAL = """
kind = "compound"
version = 1
name = "mine"
[structure]
smiles = "O=C1CCC(N2C(=O)C3=CC=CC=C3C2=O)C(=O)N1"
molar_mass_g_per_mol = { typical = 258.23, unit = "g/mol", role = "assumed", why = "from the SMILES" }
"""


@pytest.fixture
def typical_covariates():
    return {
        "sex_female": np.array([0.0]),
        "weight_kg": np.array([78.3]),
        "total_protein_g_per_l": np.array([73.0]),
        "age_y": np.array([64.0]),
        "anc0": np.array([3.44]),
        "platelets0": np.array([170.0]),
        "haemoglobin0": np.array([9.8]),
        "m_protein0": np.array([17.4]),
    }


@pytest.fixture
def neutral_prognosis():
    """Overrides under which no covariate acts beside those on pharmacokinetics and baselines."""
    names = parameters.table(Scenario.of()).filter(pl.col("section") == "prognosis")["name"]
    return {name: 0.0 if name.startswith("growth_on") else 1.0 for name in names}


@pytest.fixture
def own(tmp_path):
    """A compound of one's own: a structure, and what is written below it."""

    def write(text=""):
        path = tmp_path / "mine.toml"
        path.write_text(MINIMAL + text, encoding="utf-8")
        return compounds.load(path)

    return write
