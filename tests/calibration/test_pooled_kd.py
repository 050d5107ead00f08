"""One Kd from the binding claims: which count, which do not and why, and what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from glueprint.calibration import Assay, pool, pooled_kd
from glueprint.errors import InputError


@dataclass(frozen=True)
class BindingClaim:
    id: str
    quantity: str
    value: float | None
    low: float | None = None
    high: float | None = None
    interval_kind: str = ""
    unit: str = "nM"
    n: int | None = None
    compound: str = "pomalidomide"
    endpoint: str = "crbn_affinity"
    trial: str = ""
    arm: str = ""
    subgroup: str = ""
    analysis: str = ""
    role: str = "calibration"


CLAIMS = [
    BindingClaim("G1-kd-spr", "Kd", 264.0, 246.0, 282.0, "plus-minus"),
    BindingClaim("G1-ki-fp", "Ki", 156.6),
    BindingClaim("G1-ic50-fp", "IC50", 153.9, endpoint="crbn_ic50"),
    BindingClaim("BIN-001", "Kd", 0.264, unit="uM"),
    BindingClaim("BIN-004", "apparent binding affinity", 3.0, unit="uM", role="context"),
    BindingClaim("BIN-005", "apparent binding affinity", 3000.0, compound="lenalidomide"),
    BindingClaim("G1-ic50-mm1s", "anti-proliferative IC50", 128.0, endpoint="antiproliferative_ic50"),
]


def test_every_binding_claim_is_used_or_says_why_not():
    pooled = pooled_kd(CLAIMS)
    assert [a.claim_id for a in pooled.assays] == ["G1-kd-spr", "G1-ki-fp", "BIN-004"]
    reasons = {e.claim_id: e.reason for e in pooled.excluded}
    assert set(reasons) == {"G1-ic50-fp", "BIN-001"}
    assert "tracer and protein" in reasons["G1-ic50-fp"]
    assert reasons["BIN-001"] == "the same number as G1-kd-spr"
    assert pooled.label == "calibrated"


def test_the_pooled_kd_is_the_geometric_mean_when_the_scatter_rules():
    pooled = pooled_kd(CLAIMS)
    logs = np.log10([264.0, 156.6, 3000.0])
    # The one printed error (0.03 in log10) is small beside the scatter, so weights are all but equal.
    assert pooled.weights == pytest.approx([1 / 3] * 3, rel=2e-3)
    assert math.log10(pooled.kd_nm) == pytest.approx(logs.mean(), abs=1e-3)
    assert pooled.tau_log10 == pytest.approx(logs.std(ddof=1), rel=2e-3)
    half = stats.t.ppf(0.975, 2) * logs.std(ddof=1) / math.sqrt(3)
    assert math.log10(pooled.high_nm / pooled.kd_nm) == pytest.approx(half, rel=1e-2)
    assert pooled.prediction_nm[0] < pooled.low_nm < pooled.kd_nm < pooled.high_nm < pooled.prediction_nm[1]


def test_the_order_of_the_claims_does_not_change_the_kd():
    assert pooled_kd(CLAIMS[::-1]).kd_nm == pytest.approx(pooled_kd(CLAIMS).kd_nm, rel=5e-3)


def test_a_value_without_a_concentration_is_excluded():
    odd = [*CLAIMS, BindingClaim("X-1", "Kd", None), BindingClaim("X-2", "Kd", 5.0, unit="1")]
    reasons = {e.claim_id: e.reason for e in pooled_kd(odd).excluded}
    assert reasons["X-1"].startswith("no concentration")
    assert reasons["X-2"].startswith("no concentration")


def test_pooling_arrays_alone():
    pooled = pool([Assay("a", 2.0, 0.1), Assay("b", 2.0, 0.1)])
    assert pooled.kd_nm == pytest.approx(100.0, rel=1e-12)
    assert pooled.tau_log10 == 0


@pytest.mark.parametrize("compound", ["lenalidomide", "nothing"])
def test_one_assay_is_no_pool(compound):
    with pytest.raises(InputError, match="GP-K001") as caught:
        pooled_kd(CLAIMS, compound=compound)
    assert caught.value.next_step
