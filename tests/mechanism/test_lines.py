"""Cell lines: what ships, a line of one's own, and errors that name the field."""

from __future__ import annotations

import re

import pytest

from glueprint.errors import InputError, InternalError, NotSupportedError
from glueprint.mechanism import Scenario, compounds, dimensions, lines, models, substrates

OWN = (lines.load("MM1S"), lines._folder() / "MM1S.toml")[1].read_text(encoding="utf-8")


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_lines_that_ship():
    myeloma = {name for name in lines.names() if lines.load(name).type == "myeloma"}
    assert myeloma == {"MM1S", "RPMI8226", "OPM2", "U266", "H929"}
    assert lines.load("pbmc") == lines.load("monocyte")
    for name in lines.names():
        for quantity in lines.load(name).quantities().values():
            assert quantity.prior is not None


def test_a_line_of_ones_own_runs(tmp_path):
    path = write(tmp_path, OWN.replace('name = "MM1S"', 'name = "mine"').replace("21.3", "10.65"))
    model = models.build("culture_myeloma", Scenario.of(line=path))
    assert model.defaults["ikzf1_rho"] == pytest.approx(10.65)
    assert models.build("culture_myeloma", Scenario.of(line="MM1S")).defaults["ikzf1_rho"] == pytest.approx(
        21.3
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('type = "myeloma"', 'type = "mieloma"', 'GP-M035 .*type: .*did you mean "myeloma"'),
        ("doubling_h = ", "dubling_h = ", 'GP-M035 .*dubling_h: is not known .did you mean "doubling_h"'),
        ("[substrates.IKZF3]", "[substrates.IKFZ3]", 'GP-M035 .*"IKFZ3" .did you mean "IKZF3"'),
        ("[substrates.IKZF3]", "[substrates.ikzf3]", 'GP-M035 .*"ikzf3" .did you mean "IKZF3"'),
        ("[substrates.IKZF3]", "[substrates.CK1alfa]", 'GP-M035 .*"CK1alfa" .did you mean "CK1alpha"'),
        ("[substrates.IKZF3]", "[substrates.ZNF-692]", 'GP-M035 .*"ZNF-692" is no substrate'),
        ('unit = "nM"', 'unit = "uM"', "GP-M035 .*give the value in nM"),
        (
            'prior = { distribution = "lognormal", sd_log10 = 0.18',
            'prior = { distribution = "lognormal", sd = 0.18',
            "GP-M035 .*sd",
        ),
        ('kind = "cell line"', 'kind = "compound"', "GP-M034 .*kind is 'compound'"),
        ('kind = "cell line"', "kind = cell line", "GP-M033 .*line 2"),
    ],
)
def test_a_bad_field_is_named(tmp_path, old, new, words):
    assert old in OWN
    with pytest.raises(InputError, match=words):
        lines.load(write(tmp_path, OWN.replace(old, new)))


def test_all_slips_in_names_of_substrates_are_told_at_once(tmp_path):
    text = OWN.replace("[substrates.IKZF", "[substrates.IKFZ")
    with pytest.raises(InputError, match=r'GP-M035 .*"IKFZ1" \(did you .*"IKFZ3" \(did you'):
        lines.load(write(tmp_path, text))


@pytest.mark.parametrize("name", ["ZNF692", "IKZF2", "CK1alpha", "PLZF"])
def test_a_line_may_have_other_substrates_than_those_that_ship(tmp_path, name):
    section = OWN[OWN.index("[substrates.IKZF3]") :].replace("IKZF3", name, 1)
    line = lines.load(write(tmp_path, f"{OWN}\n{section}"))
    assert list(line.substrates) == ["IKZF1", "IKZF3", name]
    # Pomalidomide's file does not speak of it, so it is not followed.
    assert models.source("culture_myeloma", Scenario.of(line=line)) == models.source(
        "culture_myeloma", Scenario.of(line="MM1S")
    )


def test_a_parameter_without_prior_is_refused(tmp_path):
    bare = re.sub(r", prior = \{[^}]*\}", "", OWN, count=1)
    with pytest.raises(InputError, match=r'GP-M035 .*"crbn_nm" has no prior; add prior = '):
        lines.load(write(tmp_path, bare))


DOWNSTREAM = """
[downstream.{name}]
typical = 0.5
unit = "{unit}"
role = "assumed"
why = "test"
prior = {{ distribution = "fixed", why = "test" }}
"""


def test_a_line_may_give_downstream_parameters_anew(tmp_path):
    path = write(tmp_path, OWN + DOWNSTREAM.format(name="irf4_per_h", unit="1/h"))
    assert models.build("culture_myeloma", Scenario.of(line=path)).defaults["irf4_per_h"] == 0.5


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("irf_per_h", "1/h", r'GP-M035 .*downstream\.irf_per_h: is no parameter .*did you mean "irf4_per_h"'),
        ("irf4_per_h", "1/d", r'GP-M035 .*downstream\.irf4_per_h: unit "1/d"\nExpected unit "1/h"'),
    ],
)
def test_a_bad_downstream_parameter_is_named(tmp_path, name, unit, words):
    with pytest.raises(InputError, match=words):
        lines.load(write(tmp_path, OWN + DOWNSTREAM.format(name=name, unit=unit)))


def test_unknown_names_and_files():
    with pytest.raises(
        InputError, match=re.escape('GP-M031 unknown cell line "MM2S" (did you mean "MM1S"?)')
    ):
        lines.load("MM2S")
    with pytest.raises(InputError, match=r"GP-M032 nowhere\.toml"):
        lines.load("nowhere.toml")
    with pytest.raises(
        InputError, match=re.escape('GP-M030 unknown form "reducd" (did you mean "reduced"?)')
    ):
        models.source("culture_myeloma", Scenario.of(form="reducd"))
    with pytest.raises(
        InputError, match=r'GP-M036 model culture_myeloma: "monocyte" is a line of type "monocyte"'
    ):
        models.source("culture_myeloma", Scenario.of(line="monocyte"))


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("trial", {"line": "MM1S"}),
        ("pk", {"medium": "blood"}),
        ("trial", {"form": "kinetic"}),
        ("culture_endothelium", {"line": "MM1S"}),
    ],
)
def test_a_choice_that_the_model_does_not_have_is_refused(name, choice):
    (word,) = choice
    with pytest.raises(InputError, match=f'GP-M040 model {name}, {word}: the model "{name}" has no {word}'):
        models.source(name, Scenario.of(**choice))


def test_a_line_without_ikzf3_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"GP-M037 cell line MM1S, substrates\.IKZF3"):
        models.source(
            "culture_myeloma", Scenario.of(line=write(tmp_path, OWN[: OWN.index("[substrates.IKZF3]")]))
        )


def test_too_little_cereblon_for_rho_is_refused():
    scarce = lines.load("MM1S")
    scarce = scarce.model_copy(update={"crbn_nm": scarce.crbn_nm.model_copy(update={"typical": 0.05})})
    with pytest.raises(NotSupportedError, match=r"GP-M038 ikzf1, kinetic form: 4\.26 per h"):
        models.source("culture_myeloma", Scenario.of(line=scarce, form="kinetic"))
    assert models.source("culture_myeloma", Scenario.of(line=scarce))


def test_a_unit_of_no_model_is_our_bug():
    with pytest.raises(InternalError, match='GP-M039 no model uses the unit "furlong"'):
        dimensions.identifier("furlong")


def test_efficacy_multiplies_capacity_and_rho_given_directly_counts_as_its_ratio():
    glue = compounds.load("pomalidomide")
    capacity = substrates.rows()["IKZF1"].cells["myeloma"].capacity
    rho = {"ikzf1_myeloma": capacity.model_copy(update={"typical": 42.6})}
    twice = glue.model_copy(update={"pharmacology": glue.pharmacology.model_copy(update={"rho": rho})})
    for line in ("MM1S", "OPM2"):
        usual, double = (
            models.quantities("culture_myeloma", Scenario.of(one, line=line))["ikzf1_rho"].typical
            for one in (glue, twice)
        )
        assert double == pytest.approx(2 * usual)
