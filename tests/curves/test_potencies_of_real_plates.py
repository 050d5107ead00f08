"""Real triplicates and neutralisation curves, against the fits that CurveCurator and neutcurve published."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint import curves

DATA = Path(__file__).parents[3] / "shared" / "data"
SARCOMA, NEUTRALISATION = DATA / "viability-sarcoma-triplicates", DATA / "neutralization-doud2018"
DOSE_NM = np.append(0.0, 10_000.0 / 3.0 ** np.arange(10, -1, -1))


def rows_of(path, delimiter):
    if not path.exists():
        pytest.skip(f"shared data are absent: {path.name}")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture(scope="module")
def sarcoma():
    """Names, responses, fits and CurveCurator's rows of the same curves."""
    rows = rows_of(SARCOMA / "responses.tsv", "\t")
    theirs = {row["Name"]: row for row in rows_of(SARCOMA / "curvecurator_independent.tsv", "\t")}
    response = np.array([[float(row[f"Raw {i}"] or "nan") for i in range(12)] for row in rows])
    return [row["Name"] for row in rows], response, curves.fit("4pl", DOSE_NM, response), theirs


def test_replicates_agree_with_curvecurator_where_there_is_an_effect(sarcoma):
    """CurveCurator (results of the shared set, commit 71e46f7) holds slopes to 10 at most; beyond, or where
    the profile is open, the data do not say where the EC50 is."""
    names, _, fits, theirs = sarcoma
    found = curves.discover(fits)
    called = np.array([theirs[name]["Curve Regulation"] in ("up", "down") for name in names])
    their_p = np.array([float(theirs[name]["pEC50"]) for name in names])
    real = found.discovered & called & (fits.status == curves.Status.FINE)
    away = np.abs(9.0 - fits.log10_ec50 - their_p)
    located = real & (fits.slope < 10.0) & (fits.low[:, 2] > 0.0) & np.isfinite(np.log10(fits.high[:, 2]))
    assert located.sum() > 250
    assert np.quantile(away[located], 0.95) < 0.14
    theirs = 10.0 ** (9.0 - their_p)
    inside = (fits.low[:, 2] <= theirs) & (theirs <= fits.high[:, 2])
    assert inside[real].mean() > 0.98


def test_no_fit_is_worse_than_curvecurators(sarcoma):
    names, _, fits, theirs = sarcoma
    their_rmse = np.array([float(theirs[name]["Curve RMSE"]) for name in names])
    ours = np.sqrt(fits.rss / fits.points)
    # Their RMSE is printed with eight digits, and some of their fits are robust.
    assert np.all(
        ours[fits.status == curves.Status.FINE] < 1.01 * their_rmse[fits.status == curves.Status.FINE]
    )


def test_pooled_triplicates_lie_within_their_replicates_and_near_the_combined_fit(sarcoma):
    names, response, fits, _ = sarcoma
    potencies = curves.relative(fits, "IC50")
    away, checked = [], 0
    for first in range(0, len(names), 3):
        rows = list(range(first, min(first + 3, len(names))))
        parts = [potencies[i] for i in rows]
        same = len({names[i].rsplit(" ", 1)[0] for i in rows}) == 1 and len(rows) == 3
        if (
            not same
            or not all(part.log10_se and part.low_nm and part.high_nm for part in parts)
            or checked == 13
        ):
            continue
        checked += 1
        pooled = curves.pool(parts)
        combined = curves.fit("4pl", np.tile(DOSE_NM, 3), response[rows].ravel(), intervals=False)
        values = [part.value_nm for part in parts]
        assert min(values) * (1 - 1e-6) <= pooled.potency.value_nm <= max(values) * (1 + 1e-6)
        away.append(abs(np.log10(pooled.potency.value_nm) - combined.log10_ec50[0]))
        for row in pooled.parts.iter_rows(named=True):
            to_own = np.log(row["expected_nm"] / row["value_nm"])
            to_pooled = np.log(row["expected_nm"] / pooled.potency.value_nm)
            assert to_own * to_pooled <= 1e-9
    assert checked == 13
    assert np.median(away) < 0.05


def test_two_parameter_neutralisation_curves_and_their_limits():
    """neutcurve 2.5.0 with both plateaus fixed; where half is not reached it reports a bound."""
    points: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for row in rows_of(NEUTRALISATION / "data.csv", ","):
        key = (row["serum"], row["virus"], row["replicate"])
        points.setdefault(key, []).append((float(row["concentration"]), float(row["fraction infectivity"])))
    relations = {"interpolated": "=", "lower": ">", "upper": "<"}
    seen = []
    for row in rows_of(NEUTRALISATION / "neutcurve_fits.csv", ","):
        key = (row["serum"], row["virus"], row["replicate"])
        if key not in points:
            continue
        dose, response = np.array(points[key]).T
        fits = curves.fit("4pl", dose, response, fixed={"front": 1.0, "back": 0.0})
        (found,) = curves.absolute(fits, 0.5, "IC50", control=1.0)
        assert found.relation == relations[row["ic50_bound"]]
        # Of a curve that passes half just beyond the doses, the data may not exclude the last of them.
        near = 1e-3 if found.relation == "=" else 5e-3
        assert found.value_nm == pytest.approx(float(row["ic50"]), rel=near)
        assert 10.0 ** fits.log10_ec50[0] == pytest.approx(float(row["midpoint"]), rel=1e-3)
        seen.append(found.relation)
    assert len(seen) == 36
    assert ">" in seen
