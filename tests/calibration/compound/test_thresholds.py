"""The response surface of the cultures against the mechanism that it stands for, and the closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.assays.degradation import Kinetics
from glueprint.calibration.compound import thresholds
from glueprint.calibration.compound.forward import readers
from glueprint.calibration.compound.measured import table_of
from glueprint.experiments import LPS, forward, grow
from glueprint.mechanism import Scenario

MM1S, MONOCYTE = thresholds.Assay("MM1S", 120.0), thresholds.Assay("monocyte", 24.0)


def both(assay, spread):
    """log10 of dose over Kd by the surface and by the mechanism, at random efficacies of IKZF1 and IKZF3."""
    known, part, draws = thresholds.surface(assay), thresholds.parts_of(assay.cells), thresholds.seen()
    draws = draws.filter(known.reached)
    random = np.random.default_rng(1)
    mean = random.uniform(-1.0, 0.6, draws.height)
    first, third = mean + spread, mean - spread
    rho = np.log10(draws[f"{part.name}_rho"].to_numpy())
    own = {name: draws[column].to_numpy() for name, column in part.shared.items() if name != "assay_days"}
    own |= {"ikzf1_rho": 10.0 ** (rho + first), "ikzf3_rho": 10.0 ** (rho + third)}
    cells = grow(part.model, Scenario.of(line=part.line))
    hours, later = np.full(draws.height, assay.hours), LPS if part.output == "tnf" else ()
    exact = forward.half(cells, own, part.output, hours, later=later) - np.log10(own["kd_nm"])
    ours = thresholds.potency(known, known.scores, rho - known.level, rho, (first, third))
    return ours, exact


@pytest.mark.parametrize(
    ("assay", "spread", "usual", "most"),
    [
        (MM1S, 0.0, 0.01, 0.1),
        (MM1S, 0.3, 0.03, 0.2),
        (MONOCYTE, 0.0, 0.005, 0.02),
        (MONOCYTE, 0.3, 0.05, 0.2),
    ],
)
def test_the_surface_is_the_mechanism(assay, spread, usual, most):
    ours, exact = both(assay, spread)
    reached = np.isfinite(exact) & (exact < 2.0)
    off = np.abs(ours - exact)[reached]
    assert reached.mean() > 0.7
    assert np.median(off) < usual
    assert np.quantile(off, 0.95) < most


def test_what_the_mechanism_never_reaches_lies_beyond_the_last_knot():
    ours, exact = both(MM1S, 0.0)
    never = np.isinf(exact)
    assert never.any()
    assert ((ours > thresholds.FINE[-1]) == never).mean() > 0.99


def test_a_dose_counts_in_kd():
    cells, dose = grow("culture_myeloma", Scenario.of(line="MM1S")), np.array([10.0, 1000.0])
    one, ten = (
        cells.at(dose * scale, 72.0, ["log_cells"], {"kd_nm": 300.0 * scale})["log_cells"]
        for scale in (1.0, 10.0)
    )
    assert one == pytest.approx(ten, abs=1e-4)


def test_growth_rates_are_halved_at_less_than_cells():
    by_rate = thresholds.surface(thresholds.Assay("MM1S", 120.0, "half rate"))
    # Five days are some three doublings: half the rate leaves far less than half of the cells.
    assert by_rate.level.mean() > thresholds.surface(MM1S).level.mean()


def read(quantity, values, **more):
    about = {"assay": "degradation", "experiment": "1", "compound": "new", "quantity": quantity, "value": 1.0}
    rows = table_of([about | {"target": "IKZF1", "cells": "MM1S"} | more]).to_dicts()
    given = {name: np.array([value]) for name, value in values.items()}
    return readers(rows, "new").shown(given)[0, 0]


VALUES = {
    "kd_nm": 200.0, "kd_ratio": 0.5, "efficacy:IKZF1": 0.7, "efficacy:IKZF3": 2.0, "MM1S_rho": 20.0,
    "kdeg_per_h": 0.15,
}  # fmt: skip
TURNOVER = Kinetics(0.15, 0.15 * 14.0, 100.0)


@pytest.mark.parametrize("time_h", [1.0, 6.0, 24.0])
def test_losses_follow_the_closed_form_of_turnover(time_h):
    dmax = float(TURNOVER.dmax(time_h))
    found = read("dmax", VALUES, time_h=time_h, unit="fraction")
    assert found == pytest.approx(np.log10(dmax / (1.0 - dmax)), abs=1e-9)
    for name, wanted in (
        ("dc50_relative", TURNOVER.relative_dc50_nm(time_h)),
        ("dc50_absolute", TURNOVER.absolute_dc50_nm(time_h)),
    ):
        assert read(name, VALUES, time_h=time_h) == pytest.approx(float(np.log10(wanted)), abs=1e-4)
    lost = 1.0 - float(TURNOVER.remaining(30.0, time_h))
    found = read("loss", VALUES, time_h=time_h, dose_nm=30.0, unit="fraction")
    assert found == pytest.approx(np.log10(lost / (1.0 - lost)), abs=1e-9)


def test_rates_are_kd_and_rho():
    assert read("rate_ec50", VALUES) == pytest.approx(2.0)
    assert read("rate_max_over_k_deg", VALUES) == pytest.approx(np.log10(14.0))


def test_a_loss_of_half_that_no_dose_reaches_is_far_off_and_finite():
    weak = read("dc50_absolute", VALUES | {"MM1S_rho": 0.5}, time_h=24.0)
    assert 7.0 < weak < 10.0


def test_an_ic50_of_polarisation_is_the_exact_competition():
    plate = {"fp_protein_nm": 100.0, "fp_tracer_kd_nm": 120.0}
    found = read("ic50_absolute", VALUES | plate, assay="fp", target="", cells="")
    wanted = forward.fp_competition(
        {"ki_nm": 100.0, "protein_nm": 100.0, "tracer_nm": 120.0, "tracer_kd_nm": 120.0}
    )
    assert found == pytest.approx(float(wanted[0]))
