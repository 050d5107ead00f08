"""A user's own module: what it may say, what it must give, and that it stands apart from the trial model."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, body, models, pharmacokinetics
from glueprint.mechanism.composition import compose

# The structure of pk_one.ant in other words, with a saturable elimination that Km makes linear.
MODULE = """// one compartment, Michaelis-Menten elimination
model mine
  species depot, centre;
  uptake: depot -> centre; ka * depot;
  loss: centre -> ; vmax * conc / (km + conc);
  conc := centre / volume;  // mg/L
  cp := 1000 * conc;
  free := 1000 * fraction_unbound * cp / molar_mass_g_per_mol;
  depot = 0; centre = 0;
end
"""
PARAMETERS = {"ka": (1.3, "1/h"), "vmax": (7.0e6, "mg/L"), "km": (1.0e6, "mg/L"), "volume": (60.0, "L")}


def fields(pk, **more):
    given = {
        "module": '"mine.ant"',
        "dose_target": '"depot"',
        "outputs": '{ cp_ng_per_ml = "cp", free_nm = "free" }',
        "lag_h": pk.quantity(0.0, "h"),
    } | more
    head = "".join(f"{name} = {value}\n" for name, value in given.items() if value)
    values = "".join(f"{name} = {pk.quantity(*pair)}\n" for name, pair in PARAMETERS.items())
    return f"{head}\n[pk.parameters]\n{values}"


@pytest.fixture
def load(pk, tmp_path):
    """The compound of a module's text and of fields."""

    def write(written=MODULE, /, text=None, **more):
        (tmp_path / "mine.ant").write_text(written, encoding="utf-8")
        return pk.compound(text or fields(pk, **more), where=str(tmp_path / "mine.toml"))

    return write


def refused(load, *args, **more):
    with pytest.raises(InputError) as caught:
        load(*args, **more)
    return caught.value


def test_a_module_gives_what_the_same_structure_of_ours_gives(pk, load):
    glue, ours = load(), pk.compound(pk.section(compartments=1))
    times = np.array([0.5, 2.0, 9.0, 30.0])
    outputs = ("cp_ng_per_ml", "free_nm")
    mine, theirs = (pk.course(g, times, pk.swallowed(g, [0.0], 4.0), outputs) for g in (glue, ours))
    for name in outputs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-6)


def test_its_names_are_its_own_but_for_the_roles_that_they_play(load):
    glue = load()
    text = compose(pharmacokinetics.parts(glue.pk))
    assert text.species == ("glue_gut", "pk_centre")
    assert set(text.assigned) == {"pk_conc", "cp_ng_per_ml", "free_nm"}
    assert set(text.missing) == {f"pk_{name}" for name in PARAMETERS} | {
        "fraction_unbound",
        "molar_mass_g_per_mol",
    }
    assert set(pharmacokinetics.quantities(glue.pk)) == {f"pk_{name}" for name in PARAMETERS}


def test_it_may_use_the_names_of_the_trial_model(load):
    # occupancy, ligase and synthesis mean the same in all modules of ours.
    text = MODULE.replace("conc ", "occupancy ").replace("conc)", "occupancy)").replace("conc;", "occupancy;")
    glue = load(text.replace("centre", "synthesis"))
    whole = compose(body.parts("claret", glue))
    assert {"pk_occupancy", "occupancy", "pk_synthesis", "synthesis"} <= {
        *whole.assigned,
        *whole.species,
        *whole.missing,
    }
    assert len(set(whole.species)) == len(whole.species)


@pytest.mark.parametrize("absorption", ["own", "zero-order", "transit"])
def test_the_trial_model_runs_on_it(pk, load, absorption):
    glue = load() if absorption == "own" else pk.compound(pk.section(absorption, 1))
    ensemble = models.trial(Scenario.of(glue)).ensemble(patients=1)
    doses = pk.swallowed(glue, 24.0 * np.arange(21), 4.0)
    assert not ensemble.advance(24.0 * 21, doses).status.any()
    own = pk.course(glue, [24.0 * 21], doses, ("cp_ng_per_ml",))["cp_ng_per_ml"][0, 0]
    assert ensemble["cp_ng_per_ml"][0] == pytest.approx(own, rel=1e-3)
    assert ensemble["ikzf1_myeloma"][0] < 0.9


def test_covariates_and_covariances_follow_its_names(pk, load):
    more = (
        '\n[[pk.covariate]]\nparameter = "vmax"\ncovariate = "smoker"\nform = "factor"\ncoefficient = 1.5\n'
        "evidence = []\n"
    )
    glue = load(text=fields(pk) + more)
    assert pharmacokinetics.covariates(glue.pk)[0].parameter == "pk_vmax"


def test_the_text_may_stand_in_the_file_itself(pk, load):
    text = fields(pk, module="", module_text=f"'''\n{MODULE}'''")
    assert pharmacokinetics.parts(load(text=text).pk) == pharmacokinetics.parts(load().pk)


def test_species_without_an_initial_value_start_at_0(pk, load):
    assert pharmacokinetics.parts(load(MODULE.replace("depot = 0; centre = 0;", "")).pk) == (
        pharmacokinetics.parts(load().pk)
    )


@pytest.mark.parametrize(
    "name", ["/etc/mine.ant", "../mine.ant", "a/../../mine.ant", "mine.txt", "C:/mine.ant"]
)
def test_a_module_outside_the_folder_is_refused(pk, load, name):
    error = refused(load, module=f'"{name}"')
    assert error.code == "GP-M107"
    assert name in error.message
    assert error.where.endswith("mine.toml, pk.module")


def test_a_link_that_leads_outside_is_refused(pk, tmp_path):
    outside, folder = tmp_path / "outside.ant", tmp_path / "inside"
    outside.write_text(MODULE, encoding="utf-8")
    folder.mkdir()
    (folder / "mine.ant").symlink_to(outside)
    with pytest.raises(InputError, match=r'GP-M107 .*"mine\.ant" is no \.ant file in its folder'):
        pk.compound(fields(pk), where=str(folder / "mine.toml"))


def test_a_module_that_cannot_be_read_is_refused(pk, load, tmp_path):
    error = refused(load, module='"other.ant"')
    assert (error.code, "cannot be read" in error.message) == ("GP-M107", True)
    assert refused(load, "// " + "x" * 200_000).code == "GP-M107"
    assert "both" in refused(load, module_text='"model"').message
    text = fields(pk, module="", dose_target='"depot"')
    assert refused(load, text=text).code == "GP-M107"
    (tmp_path / "mine.ant").write_bytes(b"ka = 1; \xff")
    with pytest.raises(InputError, match=r"GP-M107 .*not UTF-8"):
        pk.compound(fields(pk), where=str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    "statement",
    [
        'import "other.ant"',
        "at (time > 3): depot = 1",
        "const ka",
        "compartment body = 3",
        "centre' = 3",
        "depot -> centre; ka * depot",
        "uptake2: depot -> centre",
        "uptake2: 2 depot -> centre; ka * depot",
        "uptake2: -> ; ka * depot",
        "uptake: depot -> centre; ka * depot",
        "conc := 3",
        "other := sin(time)",
        "other := ka; DROP",
        'x identity "http://example.org"',
        "function f(x)",
        "other := {1, 2}",
        "model inner() y",
    ],
)
def test_a_statement_that_is_not_let_through_is_refused_with_its_line(load, statement):
    error = refused(load, MODULE.replace("  depot = 0;", f"  {statement};\n  depot = 0;"))
    assert error.code == "GP-M108"
    assert "line 9" in error.message
    assert error.where.endswith("pk.module")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"dose_target": '"gut"'}, "pk.dose_target"),
        ({"dose_target": '"conc"'}, "pk.dose_target"),
        ({"dose_target": ""}, "pk.dose_target"),
        ({"outputs": '{ cp_ng_per_ml = "cp" }'}, "pk.outputs.free_nm"),
        ({"outputs": '{ cp_ng_per_ml = "cp", free_nm = "cp" }'}, "pk.outputs"),
        ({"outputs": '{ cp_ng_per_ml = "depot", free_nm = "free" }'}, "pk.outputs"),
        ({"outputs": '{ cp_ng_per_ml = "plasma", free_nm = "free" }'}, "pk.outputs.cp_ng_per_ml"),
    ],
)
def test_a_role_that_nothing_plays_is_refused(load, more, field):
    error = refused(load, **more)
    assert (error.code, error.where.rpartition(", ")[2]) == ("GP-M109", field)


def test_a_name_without_a_value_and_a_value_that_nothing_reads_are_refused(pk, load):
    text = fields(pk).replace("vmax =", "v_max =")
    error = refused(load, text=text)
    assert (error.code, error.where.rpartition(", ")[2]) == ("GP-M110", "pk.parameters.vmax")
    assert "pk.parameters.v_max" in error.message


def test_a_number_without_a_source_in_the_module_is_refused(load):
    error = refused(load, MODULE.replace("depot = 0;", "depot = 0; ka = 1.3;"))
    assert error.code == "GP-M110"
    assert '"ka = 1.3" gives a value to what is no species' in error.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("depot", "mg", '"mg" cannot be a name here'),
        ("conc", "lag_h", '"lag_h" cannot be a name here'),
        ("loss", "conc", '"conc" cannot be a name here: it stands for two things'),
        (
            "uptake: depot -> centre;",
            "uptake: depot -> center;",
            'moves "center", which is no species (did you',
        ),
    ],
)
def test_a_name_that_cannot_be_is_refused(load, old, new, told):
    error = refused(load, MODULE.replace(old, new), dose_target=f'"{"mg" if new == "mg" else "depot"}"')
    assert error.code == "GP-M111"
    assert told in error.message


def test_a_unit_of_no_model_is_refused(pk, load):
    error = refused(load, text=fields(pk).replace('unit = "mg/L"', 'unit = "umol/L"', 1))
    assert (error.code, error.where.rpartition(", ")[2]) == ("GP-M112", "pk.parameters.vmax")
    error = refused(load, units='{ centre = "bananas" }')
    assert (error.code, error.where.rpartition(", ")[2]) == ("GP-M112", "pk.units.centre")


def test_fields_of_our_structures_have_no_place_beside_a_module(pk, load):
    error = refused(load, compartments="1", central_l=pk.quantity(60.0, "L"))
    assert error.code == "GP-M101"
    assert "pk.compartments" in str(error)
    assert "pk.central_l" in str(error)


@pytest.mark.parametrize(
    ("old", "new"), [("ka * depot", "ka * * depot"), ("cp := 1000 * conc", "cp := 1000 * free")]
)
def test_what_cannot_be_computed_is_refused_when_the_file_is_loaded(load, old, new):
    error = refused(load, MODULE.replace(old, new))
    assert error.code == "GP-M120"
    assert "own_" not in error.message


def test_doses_go_where_those_of_any_compound_go(pk, load):
    doses = pk.swallowed(load(bioavailability=pk.quantity(0.5)), [0.0], 4.0)
    assert (doses.columns()[2].tolist(), doses.columns()[3].tolist()) == (["glue_gut"], [2.0])
    assert engine.compile(pk.source(load())).species == ("glue_gut", "pk_centre")
