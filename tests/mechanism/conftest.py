"""A patient like the published medians."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.mechanism import Scenario, parameters


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
