"""A dossier: whose rows, which of them enter the fit, and what is said of those that do not."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import references
from glueprint.calibration import compound
from glueprint.calibration.compound.choosing import choose
from glueprint.calibration.compound.measured import table_of
from glueprint.errors import InputError

GLUE, REFERENCE = "GLX-1", "pomalidomide"
FITTED = "fitted"


def row(quantity, run="1", **more):
    about = {"assay": "degradation", "experiment": "1", "compound": GLUE, "value": 100.0}
    if quantity in ("dmax", "loss"):
        about |= {"value": 0.8, "unit": "fraction"}
    elif quantity == "rate_max_over_k_deg":
        about |= {"value": 8.0, "unit": "dimensionless"}
    return about | {"quantity": quantity, "run": run} | more


def uses(rows):
    return choose(table_of(rows).to_dicts())


def test_the_reference_is_that_of_the_in_vitro_fit(plates):
    found = plates().dossier()
    assert (found.compound, found.reference) == (GLUE, references.default().compound)
    assert (
        compound.dossier(plates().table, compound=GLUE, reference="Pomalidomide").reference == "Pomalidomide"
    )


def test_another_reference_is_refused(plates):
    with pytest.raises(InputError, match="GP-K036") as refused:
        compound.dossier(plates().table, compound=GLUE, reference="lenalidomide")
    assert refused.value.next_step == "measure pomalidomide beside the compound, or leave the reference out"


def test_nothing_measured_is_refused_with_the_nearest_name(plates):
    with pytest.raises(InputError, match="GP-K030") as refused:
        plates().dossier("GLX-2")
    assert 'did you mean "GLX-1"' in str(refused.value)
    with pytest.raises(InputError, match="GP-K030"):
        compound.dossier([], compound=GLUE)


def test_names_count_whatever_their_case(plates):
    assert plates().dossier("glx-1").measurements.filter(pl.col("compound") == "glx-1").height > 0


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(InputError, match="GP-K031"):
        compound.dossier(pl.DataFrame({"compound": [GLUE]}), compound=GLUE)


def test_a_file_given_twice_counts_once(plates):
    made = plates().table
    copy = made.with_columns(file=pl.lit("copy.txt"))
    again = compound.dossier([made, copy], compound=GLUE)
    same_name = compound.dossier([made, made], compound=GLUE)
    for found in (again, same_name):
        assert found.measurements.height == made.height
        findings = [f for f in found.findings if f.code == "GP-K040"]
        assert findings
        assert "counted once" in findings[0].message


def test_one_file_with_several_runs_is_no_copy(plates, codes):
    assert "GP-K040" not in codes(plates().dossier())


def test_a_plate_of_another_compound_is_said_and_left_out(plates):
    made = plates()
    made.add(REFERENCE, "growth", "ic50_absolute", 150.0, cells="MM1S")
    made.add("GLX-9", "fp", "ki", 70.0)
    found = made.dossier()
    lonely = next(f for f in found.findings if f.code == "GP-K041")
    assert "the compound is not on it" in lonely.message
    strangers = next(f for f in found.findings if f.code == "GP-K046")
    assert "GLX-9" in strangers.message
    assert "growth" not in found.measurements["assay"].to_list()


def test_a_reference_for_one_quantity_does_not_serve_another(plates):
    made = plates(parts=("fp",))
    made.add(GLUE, "growth", "ic50_absolute", 150.0, cells="MM1S")
    finding = next(f for f in made.dossier().findings if f.code == "GP-K042")
    assert finding.where == "growth, growth 1"


def test_runs_are_fitted_and_their_mean_is_shown():
    rows = [row("rate_ec50", run, target="IKZF1") for run in ("", "1", "2")]
    assert uses(rows) == ["the mean of runs that are fitted one by one", FITTED, FITTED]


def test_a_mean_alone_is_fitted():
    assert uses([row("rate_ec50", "", target="IKZF1", n=3)]) == [FITTED]


def test_rates_are_fitted_and_what_follows_from_them_is_shown():
    rows = [row(q, target="IKZF1", time_h=6.0) for q in ("dc50_relative", "dc50_absolute", "dmax")]
    rows += [row("rate_ec50", target="IKZF1"), row("rate_max_over_k_deg", target="IKZF1")]
    assert uses(rows) == ["read off the turnover whose rates are fitted"] * 3 + [FITTED] * 2


def test_without_rates_the_latest_time_is_fitted():
    rows = [
        row(q, target="IKZF1", time_h=time)
        for time in (6.0, 24.0)
        for q in ("dc50_relative", "dc50_absolute", "dmax")
    ]
    same = "the same membranes are fitted at 24 h"
    assert uses(rows) == [same, same, same, FITTED, "read off the curve of the dc50_relative", FITTED]


def test_without_dmax_the_absolute_dc50_is_fitted():
    rows = [row(q, target="IKZF1", time_h=24.0) for q in ("dc50_relative", "dc50_absolute")]
    assert uses(rows) == ["read off the curve of the dc50_absolute", FITTED]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (row("dc50_absolute", target="GSPT1"), "GSPT1 is no substrate of the fit (IKZF1, IKZF3)"),
        (row("ic50_absolute", target="IL-2", assay="elisa"), "the mechanism does not show it"),
        (row("gec50", assay="growth"), "the mechanism does not show it"),
        (row("ic50_absolute", assay="growth", unit="ug/mL"), "in ug/mL, which is not molar"),
        (row("ki", assay="fp", relation="none", value=None), "no number"),
        (row("ki", assay="fp", relation="none", value=None, why="flat"), "no number: flat"),
    ],
)
def test_what_no_fit_can_take_says_why(given, why):
    assert uses([given]) == [why]


def test_an_ic50_of_polarisation_is_fitted_only_without_a_ki():
    both = [row("ki", assay="fp"), row("ic50_absolute", assay="fp")]
    assert uses(both) == [FITTED, "read off the curve of the Ki"]
    assert uses(both[1:]) == [FITTED]
