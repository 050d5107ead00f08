"""Models and simulations in the formats of others: what is written runs elsewhere to the same curve."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
import zipfile

import libsbml
import numpy as np
import pytest
from benchmarks import workshop_problems as first
from benchmarks import workshop_problems2 as second
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import engine, workshop
from glueprint.cli.app import app
from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import Scenario, models
from glueprint.workshop import exchange

ORAL = """
model oral
  unit mg = 1e-3 gram; unit volume = litre; unit hour = 3600 second; unit per_hour = 1 / 3600 second;
  unit time_unit = 3600 second;
  compartment body = 70; body has volume;
  species gut in body, central in body;
  substanceOnly species gut, central; gut = 0; central = 0; gut has mg; central has mg;
  J1: gut -> central; ka*gut;
  J2: central -> ; ke*central;
  ka = 1.2; ka has per_hour; ke = 0.1; ke has per_hour;
  conc := central/body;
end
"""
DOSES = engine.Doses.regimen(
    [0, 0, 0],
    [0.0, 5.0, 7.0],
    ["gut", "central", "gut"],
    [4000.0, 100.0, 50.0],
    duration_h=[0.0, 3.0, 0.0],
    additional=[3, 0, 0],
    interval_h=[6.0, 0.0, 0.0],
)


def by_libroadrunner(sbml, until, points, names):
    roadrunner = pytest.importorskip("roadrunner")
    roadrunner.Logger.disableLogging()
    runner = roadrunner.RoadRunner(sbml)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-12
    runner.integrator.setValue("maximum_num_steps", 1_000_000)
    model = libsbml.readSBMLFromString(sbml).getModel()
    counted = {one.getId() for one in model.getListOfSpecies() if not one.getHasOnlySubstanceUnits()}
    chosen = ["time", *(f"[{name}]" if name in counted else name for name in names)]
    return np.array(runner.simulate(0.0, until, points + 1, chosen))


def apart(package):
    """Largest difference of a package's course from libroadrunner's, of each column's largest value; values
    that stay below 1e-7, next to the solvers' absolute tolerance, count as that.
    """
    own = package.course.to_numpy()
    names = package.course.columns[1:]
    theirs = by_libroadrunner(package.sbml.text, own[-1, 0], own.shape[0] - 1, names)
    return float((np.abs(own - theirs) / np.maximum(np.abs(own).max(axis=0), 1e-7)).max())


def test_doses_of_every_kind_run_elsewhere_to_the_same_curve():
    package = exchange.pack(ORAL, exchange.Course(24.0, 96, ("gut", "central", "conc"), {"ka": 0.9}, DOSES))
    assert apart(package) < 1e-7
    assert package.sbml.count("error") == 0
    model = engine.compile(ORAL).ensemble({"ka": 0.9}, patients=1)
    between = np.array([0.5, 5.5, 8.3, 23.0])  # of no dose: there both conventions agree
    own = model.simulate(between, DOSES, ["central"])["central"][0]
    rows = np.searchsorted(package.course["time"].to_numpy(), [0.5, 5.5, 23.0])
    assert package.course["central"].to_numpy()[rows] == pytest.approx(own[[0, 1, 3]], rel=1e-4)


def test_a_concentration_and_a_rate_rule_are_dosed_by_amount():
    text = """
    model mixed
      compartment c = 4; species S in c; S = 1; J: S -> ; k*S*c; k = 0.2;
      p = 0; p' = -0.5*p;
    end
    """
    doses = engine.Doses.regimen(
        [0, 0, 0], [1.0, 2.0, 0.0], ["S", "p", "p"], [8.0, 6.0, 3.0], duration_h=[2.0, 1.0, 0.0]
    )
    package = exchange.pack(text, exchange.Course(10.0, 40, ("S", "p"), doses=doses))
    assert apart(package) < 1e-7
    times = np.array([0.5, 4.0, 9.0])
    own = engine.compile(text).ensemble(patients=1).simulate(times, doses, ["S", "p"]).values[0]
    rows = np.searchsorted(package.course["time"].to_numpy(), times)
    assert package.course.select("S", "p").to_numpy()[rows] == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("name", ["pk", "culture_myeloma", "trial"])
def test_models_of_ours_are_archives_without_a_finding(name):
    text = models.sbml(name, Scenario.of("pomalidomide"))
    has_doses = "glue_gut" in engine.compile(text).species
    doses = engine.Doses.regimen([0], [0.0], ["glue_gut"], [4.0], additional=[20], interval_h=[24.0])
    package = exchange.pack(text, exchange.Course(672.0, 84, doses=doses if has_doses else None))
    assert package.sbml.findings == ()
    assert apart(package) < 1e-5


def test_a_parameter_that_changes_on_the_way_is_an_event():
    later = ((5.0, "ke", 0.0), (9.0, "ke", 0.4))
    course = exchange.Course(24.0, 96, ("gut", "central"), {"gut": 10.0}, DOSES, later)
    package = exchange.pack(ORAL, course)
    before = exchange.sbml(ORAL, {"gut": 10.0}, DOSES)
    assert all(
        package.sbml.count(kind) == before.count(kind) for kind in ("error", "unit", "undeclared unit")
    )
    assert apart(package) < 1e-7
    at = dict(zip(*package.course.select("time", "central").to_dict(as_series=False).values(), strict=True))
    # It falls, nothing leaves any more, and it falls again.
    assert at[4.75] < at[4.0]
    assert at[9.0] - at[8.75] > 0.0
    assert at[12.0] < at[9.0]
    for name in ("gut", "conc", "k"):
        with pytest.raises(InputError, match="no parameter whose value can be changed") as caught:
            exchange.pack(ORAL, exchange.Course(24.0, 2, later=((5.0, name, 0.0),)))
        assert caught.value.code == "GP-W029"


def test_an_archive_is_one_for_libcombine_and_libsedml(tmp_path):
    pytest.importorskip("libcombine")
    package = exchange.pack(ORAL, exchange.Course(24.0, 10, doses=DOSES))
    (tmp_path / "a.omex").write_bytes(package.data)
    assert package.data == exchange.pack(ORAL, exchange.Course(24.0, 10, doses=DOSES)).data
    code = """
import libcombine, libsedml, sys
archive = libcombine.CombineArchive()
assert archive.initializeFromArchive(sys.argv[1])
print(archive.getNumEntries(), archive.getMasterFile().getLocation())
text = archive.extractEntryToString("./simulation.sedml")
document = libsedml.readSedMLFromString(text)
print(document.getNumErrors(), document.getNumOutputs(), document.getLevel(), document.getVersion())
"""
    # A process of its own: libcombine, libsedml and libsbml disturb one another in one.
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.omex")], capture_output=True, text=True, check=False
    )
    assert said.stdout.split() == ["5", "./simulation.sedml", "0", "2", "1", "3"], said.stderr


def test_an_archive_comes_back_with_its_course(tmp_path):
    package = exchange.pack(ORAL, exchange.Course(24.0, 48, ("central", "conc"), {"ke": 0.2}, DOSES))
    (tmp_path / "a.omex").write_bytes(package.data)
    found = exchange.import_archive(tmp_path / "a.omex", tmp_path / "out")
    assert found.files == ("model.xml", "simulation.sedml", "model.ant", "course.csv")
    (result,) = found.results
    assert result.table.columns == ["time", "central", "conc"]
    assert result.table.to_numpy() == pytest.approx(package.course.to_numpy(), rel=1e-9)
    assert (tmp_path / "out" / "results" / "simulation-run.csv").is_file()
    assert exchange.difference(tmp_path / "out" / "model.xml", package.sbml.text).height == 0
    with pytest.raises(InputError) as caught:
        exchange.import_archive(tmp_path / "a.omex", tmp_path / "out")
    assert caught.value.code == "GP-W036"


SEDML = """<?xml version="1.0" encoding="UTF-8"?>
<sedML xmlns="http://sed-ml.org/sed-ml/level1/version3" xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core"
 level="1" version="3"><listOfModels>
<model id="m" language="urn:sedml:language:sbml" source="model.xml"><listOfChanges>
<changeAttribute newValue="0.3"
 target="/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='ke']/@value"/>
</listOfChanges></model></listOfModels>
<listOfSimulations>
<uniformTimeCourse id="s" initialTime="0" outputStartTime="2" outputEndTime="10" numberOfPoints="4">
<algorithm kisaoID="KISAO:0000019"/></uniformTimeCourse></listOfSimulations>
<listOfTasks><task id="t" modelReference="m" simulationReference="s"/></listOfTasks>
<listOfDataGenerators><dataGenerator id="g"><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>two</ci><ci>v</ci></apply></math><listOfVariables>
<variable id="v" taskReference="t"
 target="/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='central']"/>
</listOfVariables><listOfParameters><parameter id="two" value="2"/></listOfParameters></dataGenerator>
</listOfDataGenerators></sedML>"""


def archived(path, text=SEDML, model=None):
    """An archive with a simulation of somebody else's."""
    sbml = model or exchange.sbml(ORAL, {"central": 10.0}).text
    contents = [
        exchange.Content("model.xml", exchange.FORMATS["sbml"], sbml.encode()),
        exchange.Content("sim.sedml", exchange.FORMATS["sedml"], text.encode(), master=True),
    ]
    path.write_bytes(exchange.packed(contents))
    return path


def test_changes_and_formulas_of_another_program_are_run(tmp_path):
    found = exchange.import_archive(archived(tmp_path / "a.omex"), tmp_path / "out")
    table = found.results[0].table
    assert table["time"].to_list() == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert table["g"].to_numpy() == pytest.approx(20.0 * np.exp(-0.3 * table["time"].to_numpy()), rel=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "error", "code"),
    [
        ("<sedML", "<sedXML", InputError, "GP-W031"),
        ('simulationReference="s"', 'simulationReference="z"', InputError, "GP-W031"),
        ('source="model.xml"', 'source="../model.xml"', NotSupportedError, "GP-W032"),
        ('source="model.xml"', 'source="http://127.0.0.1/model.xml"', NotSupportedError, "GP-W032"),
        ('initialTime="0"', 'initialTime="1"', NotSupportedError, "GP-W032"),
        ('outputEndTime="10"', 'outputEndTime="1"', InputError, "GP-W031"),
        ('numberOfPoints="4"', 'numberOfPoints="2000000000"', InputError, "GP-W031"),
        ("/@value", "", NotSupportedError, "GP-W032"),
        ('newValue="0.3"', 'newValue="much"', InputError, "GP-W031"),
        ("[@id='central']", "[@id='nothing']", InputError, "GP-W029"),
        ("[@id='ke']", "[@id='conc']", InputError, "GP-W029"),
        (
            "listOfParameters/sbml:parameter[@id='ke']/@value",
            "listOfSpecies/sbml:species[@id='gut']/@initialConcentration",
            NotSupportedError,
            "GP-W032",
        ),
    ],
)
def test_what_is_not_run_is_refused_by_name(old, new, error, code, tmp_path):
    assert old in SEDML
    path = archived(tmp_path / "a.omex", SEDML.replace(old, new).replace("</sedXML", "</sedXML"))
    with pytest.raises(error) as caught:
        exchange.import_archive(path, tmp_path / "out")
    assert caught.value.code == code, caught.value.render()


def zipped(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packing:
        for name, data, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            packing.writestr(entry, data)
    return path


MANIFEST = b"""<omexManifest xmlns="http://identifiers.org/combine.specifications/omex-manifest">
<content location="." format="http://identifiers.org/combine.specifications/omex"/></omexManifest>"""
FILE = stat.S_IFREG | 0o644


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([("../out.txt", b"x", FILE)], "GP-W033"),
        ([("/etc/out.txt", b"x", FILE)], "GP-W033"),
        ([("a/../../out.txt", b"x", FILE)], "GP-W033"),
        ([("c:\\out.txt", b"x", FILE)], "GP-W033"),
        ([("link", b"/etc/passwd", stat.S_IFLNK | 0o777)], "GP-W033"),
        ([("bomb", b"\0" * (64 << 20), FILE)], "GP-W033"),
        ([(f"f{n}", b"", FILE) for n in range(2001)], "GP-W033"),
        ([], "GP-W031"),
        ([("manifest.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><omexManifest/>", FILE)], "GP-W031"),
        ([("manifest.xml", MANIFEST.replace(b'"."', b'"../x"'), FILE)], "GP-W031"),
        ([("manifest.xml", MANIFEST.replace(b'"."', b'"./x"'), FILE)], "GP-W031"),
    ],
)
def test_hostile_archives_are_refused_before_anything_is_written(entries, code, tmp_path):
    listed = any(name == "manifest.xml" for name, _, _ in entries) or not entries
    given = entries if listed else [("manifest.xml", MANIFEST, FILE), *entries]
    path = zipped(tmp_path / "a.omex", given)
    with pytest.raises(InputError) as caught:
        exchange.import_archive(path, tmp_path / "out")
    assert caught.value.code == code, caught.value.render()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.omex"]


def test_a_file_that_is_no_archive_and_one_with_a_name_twice_are_refused(tmp_path):
    (tmp_path / "a.omex").write_bytes(b"no archive")
    with pytest.raises(InputError) as caught:
        exchange.opened(tmp_path / "a.omex")
    assert caught.value.code == "GP-W031"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packing:
        packing.writestr("a", b"1")
        packing.writestr("./a", b"2")
    (tmp_path / "a.omex").write_bytes(stream.getvalue())
    with pytest.raises(InputError) as caught:
        exchange.opened(tmp_path / "a.omex")
    assert caught.value.code == "GP-W033"


CHANGED = (
    ("ka = 1.2", "ka = 1.3", ("parameter", "ka", "value", "1.2", "1.3")),
    ("ka*gut", "ka*gut*2", ("reaction", "J1", "rate", "ka * gut", "ka * gut * 2")),
    (
        "conc := central/body",
        "conc := 2*central/body",
        ("rule", "conc", "formula", "central / body", "2 * central / body"),
    ),
    ("central = 0", "central = 5", ("species", "central", "initial amount", "0.0", "5.0")),
    ("J2: central -> ;", "J2: central -> gut;", ("reaction", "J2", "products", "", "1.0 gut")),
)


@pytest.mark.parametrize(("old", "new", "row"), CHANGED)
def test_a_difference_is_named_with_both_sides(old, new, row):
    assert old in ORAL
    table = exchange.difference(ORAL, ORAL.replace(old, new, 1))
    assert table.rows() == [row]
    assert exchange.difference(ORAL, ORAL).height == 0


def test_units_events_and_missing_elements_are_differences():
    other = ORAL.replace("mg = 1e-3 gram", "mg = 1e-6 gram").replace("end", "at (time > 3): gut = 7;\nend")
    table = exchange.difference(ORAL, other.replace("conc := central/body;", ""))
    assert {row[:3] for row in table.rows()} >= {("unit", "mg", "means"), ("rule", "conc", "element")}
    assert "event" in table["kind"].to_list()


def test_units_that_contradict_each_other_are_found():
    wrong = exchange.sbml(ORAL.replace("ka has per_hour", "ka has mg"))
    assert (wrong.count("error"), wrong.count("unit") > 0) == (0, True)
    assert all(one.line > 0 and one.message for one in wrong.findings)


def test_antimony_of_what_was_exported_is_the_same_model():
    text = exchange.antimony(exchange.sbml(ORAL).text, "oral")
    kinds = set(exchange.difference(ORAL, text)["kind"].to_list())
    assert kinds <= {"model"}
    with pytest.raises(InputError) as caught:
        exchange.antimony("<sbml>", "nothing")
    assert caught.value.code == "GP-W034"


def test_what_has_no_form_is_refused():
    steady = engine.Doses.regimen([0], [0.0], ["gut"], [1.0], interval_h=[12.0], steady=[1])
    with pytest.raises(NotSupportedError, match="a steady state of doses") as caught:
        exchange.sbml(ORAL, doses=steady)
    assert caught.value.code == "GP-W030"
    for given, outputs in (({"conc": 1.0}, ()), ({"nothing": 1.0}, ()), ({}, ("J1",)), ({}, ("nothing",))):
        with pytest.raises(InputError) as caught:
            exchange.pack(ORAL, exchange.Course(1.0, 2, outputs, given))
        assert caught.value.code == "GP-W029"
    with pytest.raises(InputError) as caught:
        exchange.Course(0.0)
    assert caught.value.code == "GP-W029"
    with pytest.raises(InputError) as caught:
        exchange.pack("model a\n x = 1; x' = x^2;\nend\n", exchange.Course(5.0, 2, ("x",)))
    assert caught.value.code == "GP-W035"


@pytest.mark.parametrize("case", second.CASES, ids=lambda case: case.name)
def test_a_problem_of_petab_2_comes_back_as_itself(case, tmp_path):
    problem = workshop.read(second.write(case, tmp_path / "a"))
    exchange.write_petab(problem, tmp_path / "b")
    again = workshop.read(tmp_path / "b" / "problem.yaml")
    z = problem.scales.scaled(np.array([case.parameters[one.name].true for one in problem.estimated]))[None]
    assert workshop.Objective(again)(z).value == pytest.approx(workshop.Objective(problem)(z).value, rel=1e-9)


@pytest.mark.parametrize(
    "name", ["scale and offset by row", "pre-equilibration and a species put back", "Laplace of logarithms"]
)
def test_a_problem_of_petab_1_becomes_one_of_petab_2(name, tmp_path):
    (case,) = (one for one in first.CASES if one.name == name)
    problem = workshop.read(first.write(case, tmp_path / "a"))
    exchange.write_petab(problem, tmp_path / "b")
    again = workshop.read(tmp_path / "b" / "problem.yaml")
    plain = np.array([case.parameters[one.name].true for one in problem.estimated])
    values = [workshop.Objective(one)(one.scales.scaled(plain)[None]).value[0] for one in (problem, again)]
    assert values[1] == pytest.approx(values[0], rel=1e-8)


def test_what_petab_2_cannot_say_is_refused(tmp_path):
    for name, what in (("log10 and noise by row", "log10 scale"), ("priors", "scaled value")):
        (case,) = (one for one in first.CASES if one.name == name)
        with pytest.raises(NotSupportedError, match=what) as caught:
            exchange.write_petab(workshop.read(first.write(case, tmp_path / "a")), tmp_path / "b")
        assert caught.value.code == "GP-W020"


def run(*words):
    return CliRunner().invoke(app, ["model", *map(str, words)])


def test_the_commands_write_read_and_compare(tmp_path):
    (tmp_path / "oral.ant").write_text(ORAL, encoding="utf-8")
    for to, ending in (
        ("sbml", "xml"),
        ("antimony", "ant"),
        ("sedml", "sedml"),
        ("omex", "omex"),
        ("c", "c"),
    ):
        done = run(
            "export",
            tmp_path / "oral.ant",
            "--to",
            to,
            "--out",
            tmp_path / f"made.{ending}",
            "--until",
            24,
            "--json",
        )
        assert done.exit_code == 0, done.output
        files = payload(done.stdout)["files"]
        assert all((tmp_path / file.rsplit("/", 1)[-1]).is_file() for file in files)
    done = run("import", tmp_path / "made.omex", "--out", tmp_path / "in", "--json")
    assert payload(done.stdout)["results"][0]["rows"] == 101
    done = run("diff", tmp_path / "oral.ant", tmp_path / "made.xml", "--json")
    assert (done.exit_code, payload(done.stdout)["differences"]) == (0, 0)
    done = run("diff", "pk", tmp_path / "made.xml")
    assert done.exit_code == 1
    assert "differences." in done.output
    done = run("export", "pk", "--to", "sbml", "--out", tmp_path / "pk.xml", "--json")
    assert payload(done.stdout)["sbml_checks"] == {"error": 0, "unit": 0, "undeclared unit": 0}
    done = run("export", tmp_path / "oral.ant", "--to", "omex", "--out", tmp_path / "b.omex", "--json")
    assert getattr(done.exception, "code", None) == "GP-W029"
