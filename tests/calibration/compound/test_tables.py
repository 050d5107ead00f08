"""Tables that a user has already analysed."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.calibration import compound
from glueprint.errors import InputError

HEAD = "compound,quantity,target,value,low,high,unit,relation,dose_nm,confidence,log10_se,n,assay"


def read(tmp_path, *lines, head=HEAD):
    path = tmp_path / "own.csv"
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return compound.measured_table(path)


def test_rows_are_read_with_their_units_and_where_they_come_from(tmp_path):
    found = read(tmp_path, "GLX-1,kd,,0.2,0.1,0.4,uM,,,,,2,", "", "GLX-1,dmax,IKZF1,80,70,90,%,,,,,,")
    assert found.columns == list(compound.MEASUREMENTS)
    first, second = found.to_dicts()
    assert (first["value"], first["low"], first["unit"], first["n"]) == (200.0, 100.0, "nM", 2)
    assert (second["value"], second["unit"], second["relation"]) == (pytest.approx(0.8), "fraction", "=")
    assert first["role"] == "measured"
    assert (first["file"], first["experiment"], len(first["sha256"])) == ("own.csv", "own", 64)


def test_limits_and_brackets_stay_what_they_are(tmp_path):
    found = read(tmp_path, "GLX-1,ki,,1,,,nM,<,,,,,fp", "GLX-1,ki,,,1,3,nM,between,,,,,fp")
    assert found["relation"].to_list() == ["<", "between"]


def test_a_table_enters_the_fit(tmp_path):
    found = read(tmp_path, "GLX-1,kd,,50,40,62,nM,,,,,,", "pomalidomide,kd,,250,200,310,nM,,,,,,")
    fitted = compound.fit(compound.dossier(found, compound="GLX-1"), quick=True)
    ratio = fitted.parameters.row(by_predicate=pl.col("name") == "kd_ratio", named=True)
    assert ratio["low_95"] < 0.2 < ratio["high_95"]
    assert ratio["high_95"] / ratio["low_95"] < 6.0


def test_a_table_without_errors_gets_that_of_a_good_assay(tmp_path):
    wide = read(tmp_path, "GLX-1,kd,,50,,,nM,,,,,,", "pomalidomide,kd,,250,,,nM,,,,,,")
    found = compound.fit(compound.dossier(wide, compound="GLX-1"), quick=True)
    ratio = found.parameters.row(by_predicate=pl.col("name") == "kd_ratio", named=True)
    assert ratio["high_95"] / ratio["low_95"] > 4.0


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("GLX-1,kdd,,1,,,nM,,,,,,", 'no quantity "kdd"'),
        ("GLX-1,kd,,1,,,nM,about,,,,,", 'no relation "about"'),
        ("GLX-1,kd,,1,,,nM,,,,,,spr", 'no assay "spr"'),
        (",kd,,1,,,nM,,,,,,", "no compound"),
        ("GLX-1,kd,,one,,,nM,,,,,,", '"one" is no number'),
        ("GLX-1,kd,,inf,,,nM,,,,,,", '"inf" is not finite'),
        ("GLX-1,kd,,1,,,ng/mL,,,,,,", 'the unit "ng/mL"'),
        ("GLX-1,dmax,IKZF1,0.8,,,nM,,,,,,", 'the unit "nM"'),
        ("GLX-1,rate_max_over_k_deg,IKZF1,8,,,1/h,,,,,,", 'the unit "1/h"'),
        ("GLX-1,dmax,IKZF1,120,,,%,,,,,,", "fractions below 1"),
        ("GLX-1,kd,,5,6,7,nM,,,,,,", "in the order low, value, high"),
        ("GLX-1,kd,,-5,,,nM,,,,,,", "above 0"),
        ("GLX-1,kd,,,,,nM,,,,,,", '"=" without a value'),
        ("GLX-1,kd,,,1,,nM,between,,,,,", '"between" without both ends'),
        ("GLX-1,loss,IKZF1,0.1,,,,<,,,,,", "a loss without a dose"),
        ("GLX-1,kd,,5,,,nM,,,,-0.1,,", "standard error of zero or more"),
        ("GLX-1,kd,,5,,,nM,,,95,,,", "between 0 and 1"),
        ("GLX-1,kd,,5,,,nM,,,,,," + "x" * 140_000, "a line cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(line, word, tmp_path):
    with pytest.raises(InputError, match="GP-K031") as refused:
        read(tmp_path, line)
    assert word in str(refused.value)
    assert "own.csv row 2" in str(refused.value)


@pytest.mark.parametrize(
    ("head", "word"),
    [("compound,value", 'no column "quantity"'), ("compound,quantity,valu", 'a column "valu"')],
)
def test_columns_that_do_not_fit_are_refused_with_the_nearest(head, word, tmp_path):
    with pytest.raises(InputError, match="GP-K031") as refused:
        read(tmp_path, "GLX-1,kd", head=head)
    assert word in str(refused.value)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="GP-K031"):
        compound.measured_table(tmp_path / "none.csv")
