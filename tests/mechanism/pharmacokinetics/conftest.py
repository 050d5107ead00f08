"""Compound files with pharmacokinetics of every kind, and the models of them alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from glueprint import engine
from glueprint.documents import parse, validate
from glueprint.engine.batch import Settings
from glueprint.mechanism import compounds, pharmacokinetics
from glueprint.mechanism.composition import compose, write

SHIPPED = Path(compounds.__file__).parent / "data" / "compounds" / "pomalidomide.toml"
HEAD = SHIPPED.read_text(encoding="utf-8").partition("[pk]")[0]
UNITS = {
    **dict.fromkeys(("lag_h", "absorption_h", "mean_transit_h"), "h"),
    **dict.fromkeys(("clearance_l_per_h", "intercompartment_l_per_h"), "L/h"),
    **dict.fromkeys(("central_l", "peripheral_l"), "L"),
    "absorption_per_h": "1/h",
}
ONE = {"lag_h": 0.0, "clearance_l_per_h": 7.0, "central_l": 60.0}
TWO = ONE | {"intercompartment_l_per_h": 4.0, "peripheral_l": 70.0}
INPUT = {
    "first-order": {"absorption_per_h": 1.3},
    "zero-order": {"absorption_h": 3.0},
    "transit": {"mean_transit_h": 2.5},
}


def quantity(value, unit="dimensionless", **more):
    rest = "".join(f", {name} = {said!r}".replace("'", '"') for name, said in more.items())
    return f'{{ typical = {value}, unit = "{unit}", role = "assumed", why = "a test"{rest} }}'


def lines(values):
    return "".join(f"{n} = {quantity(v, UNITS.get(n, 'dimensionless'))}\n" for n, v in values.items())


def section(absorption="first-order", compartments=2, **more):
    """The text of a [pk] with the structure's fields and others."""
    values = (ONE if compartments == 1 else TWO) | INPUT[absorption] | more
    count = "transit_compartments = 5\n" if absorption == "transit" else ""
    return f'absorption = "{absorption}"\ncompartments = {compartments}\n{count}{lines(values)}'


def compound(pk, where="mine.toml"):
    """A compound like pomalidomide with this text of [pk]."""
    data = parse(f"{HEAD}\n[pk]\n{pk}", compounds.CODES, where=where)
    data = pharmacokinetics.with_module(data, Path(where))
    return validate(compounds.Compound, data, compounds.CODES, where=where)


def source(glue):
    """The model of a compound's pharmacokinetics alone."""
    text = compose(pharmacokinetics.parts(glue.pk))
    known = pharmacokinetics.quantities(glue.pk, glue.pharmacology.fraction_unbound)
    known["fraction_unbound"] = glue.pharmacology.fraction_unbound
    known["molar_mass_g_per_mol"] = glue.structure.molar_mass_g_per_mol
    return write("pk", text, {name: (known[name].typical, known[name].unit) for name in text.missing})


def course(glue, times, doses, outputs=("cp_ng_per_ml",), patients=1, **given):
    """Outputs (patients, times) by name, integrated far more exactly than any tolerance of a test."""
    model = engine.compile(source(glue))
    settings = Settings(accuracy=1e-10, threads=1)
    found = model.ensemble(given, patients=patients, settings=settings).simulate(times, doses, list(outputs))
    assert not found.status.any()
    return {name: found[name] for name in outputs}


def swallowed(glue, times_h, amount_mg, patients=1, **values):
    """Doses of the engine for the same schedule of every patient."""
    intake = pharmacokinetics.Intake.of(glue.pk, patients, **values)
    who = np.repeat(np.arange(patients), len(times_h))
    return pharmacokinetics.doses_of(glue.pk, intake, who, np.tile(times_h, patients), amount_mg)


@pytest.fixture(scope="session")
def pk():
    """The functions of this file."""
    return SimpleNamespace(
        quantity=quantity,
        lines=lines,
        section=section,
        compound=compound,
        source=source,
        course=course,
        swallowed=swallowed,
        one=ONE,
        two=TWO,
    )
