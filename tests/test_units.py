"""The units of the field are read, and only those that fit are converted."""

from __future__ import annotations

import pytest

from glueprint import units
from glueprint.errors import InputError
from glueprint.evidence import load


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (8.0, "uM", "nM", 8000.0),
        (0.4, "ug*h/mL", "ng*h/mL", 400.0),
        (1.0, "day", "h", 24.0),
        (1.0, "1/h", "1/day", 24.0),
        (48.0, "%", "1", 0.48),
        (0.48, "HR", "ratio", 0.48),
        (3.0, "fold", "%", 300.0),
        (4.03, "1e9/L", "1/uL", 4030.0),
        (1.73, "mL/min/1.73m2", "mL/min/m^2", 1.0),
        (12.0, "months", "year", 1.0),
        (37.3, "CV%", "1", 0.373),
    ],
)
def test_convert(value, unit, to, expected):
    assert units.convert(value, unit, to) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "to"),
    [("nM", "h"), ("nM", "furlongs of cat"), ("", ")("), ("(ng", "nM"), ("nM/0", "nM"), ("nM", "0")],
)
def test_what_does_not_convert_is_refused(unit, to):
    with pytest.raises(InputError, match="GP-U001"):
        units.convert(1.0, unit, to)


def test_every_unit_of_the_evidence_is_known():
    assert [claim.id for claim in load() if claim.unit and not units.is_known(claim.unit)] == []


def test_words_are_not_units():
    assert not units.is_known("patients POM+LoDEX")
    assert not units.is_known("unit not captured")
