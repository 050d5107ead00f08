"""Measured quantities of a made-up compound beside its reference, as the analyses would give them."""

from __future__ import annotations

import math

import pytest

from glueprint.calibration import compound
from glueprint.calibration.compound.measured import table_of

GLUE, REFERENCE = "GLX-1", "pomalidomide"
# What the reference shows on these plates: Ki, EC50 and rho of both substrates, TNF-alpha in monocytes, nM.
KI_NM, RATES, TNF_NM = 157.0, {"IKZF1": (50.0, 8.3), "IKZF3": (30.0, 8.0)}, 12.0


class Plates:
    """Rows of an FP plate, of three membranes and of four donors.

    ratio, efficacy: of the compound to its reference.   reference: whether it is on the plates.
    se: log10 standard error of every value.
    """

    def __init__(
        self, *, ratio=1.0, efficacy=1.0, reference=True, se=0.05, parts=("fp", "degradation", "elisa")
    ):
        self.rows = []
        compounds = [(GLUE, ratio, efficacy), *([(REFERENCE, 1.0, 1.0)] if reference else [])]
        for name, kd, strength in compounds:
            if "fp" in parts:
                self.add(name, "fp", "ki", KI_NM * kd, se)
            for run in "123" if "degradation" in parts else "":
                for target, (ec50, rho) in RATES.items():
                    about = {"target": target, "cells": "MM1S", "run": run}
                    self.add(name, "degradation", "rate_ec50", ec50 * kd, se, **about)
                    about["unit"] = "dimensionless"
                    self.add(name, "degradation", "rate_max_over_k_deg", rho * strength, se, **about)
            for run in "1234" if "elisa" in parts else "":
                self.add(
                    name, "elisa", "ic50_absolute", TNF_NM * kd / strength, se, target="TNF-alpha", run=run
                )

    def add(self, name, assay, quantity, value, se=0.05, **more):
        ends = {side: 10.0 ** (math.log10(value) + z * se) for side, z in (("low", -1.96), ("high", 1.96))}
        about = {
            "assay": assay,
            "experiment": f"{assay} 1",
            "file": f"{assay}.txt",
            "sha256": assay,
            "run": "1",
        }
        self.rows.append(
            about | {"compound": name, "quantity": quantity, "value": value, "unit": "nM", **ends} | more
        )

    @property
    def table(self):
        return table_of(self.rows)

    def dossier(self, name=GLUE):
        return compound.dossier(self.table, compound=name)

    def fit(self, **choices):
        return compound.fit(self.dossier(), **{"quick": True, **choices})


@pytest.fixture(scope="session")
def plates():
    return Plates


@pytest.fixture(scope="session")
def same(plates):
    """The posterior of the reference measured as if it were new."""
    return plates().fit()


@pytest.fixture(scope="session")
def codes():
    return lambda found: [finding.code for finding in found.findings]
