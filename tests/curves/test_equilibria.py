"""Exact equilibria and their derivatives: 60-digit numbers, differences, limits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint.curves import equilibria

EXACT = Path(__file__).parents[3] / "shared" / "data" / "competition-exact" / "fraction_bound.csv"
# Own numbers, 60-digit arithmetic, CC0: protein, tracer, tracer Kd, Ki, competitor totals; free protein,
# bound tracer, bound competitor, all nM.
ROWS = [
    (50, 5, 120, 156.6, 0, 48.559572390292528, 1.4404276097074719, 0.0),
    (50, 5, 120, 156.6, 300, 18.163350339042018, 0.65731434184501829, 31.179335319112964),
    (50, 50, 120, 250, 1e7, 0.0012499619802373851, 0.00052081206680489084, 49.998229225952958),
    (200, 5, 20, 10, 30, 167.22685710496098, 4.4658885934086949, 28.307254301630324),
    (200, 5, 20, 10, 300, 15.49367070346012, 2.1825962765172258, 182.32373302002265),
    (100, 10, 120, 0.1, 30, 66.480062801515344, 3.5649957321322354, 29.954941466352421),
    (100, 10, 120, 0.1, 3000, 0.0034481426108884547, 0.00028733696108387792, 99.996264520428028),
    (100, 10, 120, 0.1, 1e7, 1.0000099892663428e-6, 8.3334165077736919e-8, 99.999998916655846),
]


def solve(columns):
    protein, tracer, kd, ki, competitor = (np.asarray(column, float) for column in columns)
    return equilibria.competition_slopes(protein, tracer, competitor, tracer_kd=kd, ki=ki)


def test_bound_tracer_equals_sixty_digits():
    columns = np.array(ROWS).T
    got = solve(columns[:5])
    np.testing.assert_allclose(got.protein_free, columns[5], rtol=1e-12)
    np.testing.assert_allclose(got.tracer_bound, columns[6], rtol=1e-12)


def test_every_row_of_the_exact_table():
    if not EXACT.exists():
        pytest.skip(f"{EXACT} is not here: reference data travel beside the repository")
    with EXACT.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    names = ("P_total_nM", "tracer_total_nM", "tracer_Kd_nM", "Ki_nM", "inhibitor_total_nM")
    got = solve([[float(row[name]) for row in rows] for name in names])
    assert len(rows) == 32
    np.testing.assert_allclose(got.tracer_bound, [float(row["tracer_bound_nM"]) for row in rows], rtol=1e-9)


@pytest.mark.parametrize("row", ROWS)
def test_derivatives_equal_central_differences(row):
    at = np.array(row[:5], float)
    got = solve(at)
    names = ("by_protein", "by_tracer", "by_ln_tracer_kd", "by_ln_ki", "by_competitor")
    for place, name in enumerate(names):
        if at[place] == 0.0:
            continue
        step = 1e-4
        up, down = at.copy(), at.copy()
        up[place], down[place] = at[place] * np.exp(step), at[place] * np.exp(-step)
        slope = (solve(up).tracer_bound - solve(down).tracer_bound) / (2.0 * step)
        by_ln = getattr(got, name) * (1.0 if "ln" in name else at[place])
        assert float(by_ln) == pytest.approx(float(slope), rel=1e-5, abs=1e-9 * float(got.tracer_bound)), name


def test_doubling_everything_doubles_what_is_bound():
    # Euler's theorem: the bound tracer is of first degree in all totals and constants together.
    protein, tracer, kd, ki, competitor = np.array(ROWS).T[:5]
    got = solve((protein, tracer, kd, ki, competitor))
    together = (
        got.by_protein * protein
        + got.by_tracer * tracer
        + got.by_competitor * competitor
        + got.by_ln_tracer_kd
        + got.by_ln_ki
    )
    np.testing.assert_allclose(together, got.tracer_bound, rtol=1e-9)


def test_binary_slopes_equal_central_differences():
    a, b, kd = np.array([50.0, 5.0, 200.0]), np.array([5.0, 5.0, 1.0]), np.array([120.0, 0.01, 3.0])
    complexed, by_a, by_b, by_ln_kd = equilibria.binary_slopes(a, b, kd)
    step = 1e-5
    ratio = np.exp(step)
    for got, up, down in (
        (by_a * a, equilibria.binary(a * ratio, b, kd), equilibria.binary(a / ratio, b, kd)),
        (by_b * b, equilibria.binary(a, b * ratio, kd), equilibria.binary(a, b / ratio, kd)),
        (by_ln_kd, equilibria.binary(a, b, kd * ratio), equilibria.binary(a, b, kd / ratio)),
    ):
        np.testing.assert_allclose(got, (up - down) / (2.0 * step), rtol=1e-6)
    np.testing.assert_allclose((a - complexed) * (b - complexed), kd * complexed, rtol=1e-11)


def test_a_balance_that_does_not_settle_says_so():
    one = np.ones(1)
    _, settled = equilibria.free_receptor(
        100.0 * one, one, np.array([[50.0, 80.0]]), np.array([[1.0, 3.0]]), max_steps=1
    )
    assert not settled[0]
