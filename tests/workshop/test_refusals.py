"""What cannot be used is refused with its file and line."""

from __future__ import annotations

import importlib
import json

import pytest
from benchmarks import workshop_problems as problems

from glueprint import workshop
from glueprint.errors import EnvironmentProblemError, InputError, NotSupportedError

CASE = next(case for case in problems.CASES if case.name == "conditions with parameters")
FILLED = next(case for case in problems.CASES if case.name == "scale and offset by row")
LOGARITHMS = next(case for case in problems.CASES if case.name == "log and estimated noise")

MODEL = """
species gut = 0, central = 0;
J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
ka = 1.2; CL = 8; V = 70; conc := central/V;
"""
DOCUMENT = """
kind = "glueprint-fit"
version = 1
model = "pk.ant"
data = "data.csv"
[parameters]
CL = { low = 1, high = 100 }
sigma = { low = 0.01, high = 10 }
[observables.conc]
formula = "conc"
noise = "sigma"
[conditions.single]
doses = [{ into = "gut", amount = 4000 }]
"""
DATA = "condition,observable,time,measurement\nsingle,conc,1,30\nsingle,conc,4,30\nsingle,conc,12,12\n"


def changed(folder, file, old, new, case=CASE):
    path = problems.write(case, folder)
    target = folder / file
    text = target.read_text("utf-8")
    assert old in text
    target.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "place"),
    [
        ("problem.yaml", "format_version: 1", "format_version: 7", "GP-W020", "problem.yaml"),
        ("problem.yaml", "[model.xml]", "[../model.xml]", "GP-W003", "sbml_files"),
        ("problem.yaml", "problems:", "problems: [", "GP-W001", "problem.yaml"),
        ("problem.yaml", "parameter_file: parameters.tsv", "parameter_file: none.tsv", "GP-W001", "none.tsv"),
        ("parameters.tsv", "\tlog10\t", "\tlog11\t", "GP-W004", "line 2, column parameterScale"),
        ("parameters.tsv", "\tlog10\t0.001\t", "\tlog10\t0\t", "GP-W015", "parameters.tsv, line 2"),
        ("parameters.tsv", "kdeg_wild\t", "ksyn\t", "GP-W011", "parameters.tsv, line 3"),
        (
            "parameters.tsv",
            "1.4\t1\t\t",
            "1.4\t1\tnormal\t1",
            "GP-W016",
            "line 2, column objectivePriorParameters",
        ),
        ("parameters.tsv", "1.4\t1\t\t", "1.4\t1\tnormal\t1;-2", "GP-W016", "parameters.tsv, line 2"),
        ("conditions.tsv", "kdeg_wild", "kdeg_wld", "GP-W014", "conditions.tsv, line 2"),
        ("conditions.tsv", "conditionId\tkdeg", "conditionId\tkdge", "GP-W013", "conditions.tsv, line 2"),
        ("conditions.tsv", "mutant\t", "wild\t", "GP-W011", "conditions.tsv, line 3"),
        ("observables.tsv", "obs_x\tx\t0.1", "obs_x\tx\t", "GP-W007", "observables.tsv, line 2"),
        ("observables.tsv", "obs_x\tx\t0.1", "obs_x\txx\t0.1", "GP-W006", "observables.tsv, line 2"),
        ("observables.tsv", "obs_x\tx\t0.1", "obs_x\tx*(\t0.1", "GP-W005", "observables.tsv, line 2"),
        ("observables.tsv", "obs_x\tx\t0.1", "obs_x\tlog(x, 2)\t0.1", "GP-W005", "observables.tsv, line 2"),
        ("observables.tsv", "\tlin\t", "\tlinear\t", "GP-W004", "line 2, column observableTransformation"),
        ("measurements.tsv", "obs_x\t\twild", "obs_y\t\twild", "GP-W008", "line 2, column observableId"),
        ("measurements.tsv", "\twild\t", "\twyld\t", "GP-W009", "line 2, column simulationConditionId"),
        ("measurements.tsv", "\twild\t0.0\t", "\twild\tsoon\t", "GP-W010", "line 2, column time"),
        ("measurements.tsv", "\twild\t0.0\t", "\twild\t-1\t", "GP-W018", "measurements.tsv, line 2"),
        ("measurements.tsv", "\twild\t", "\t\t", "GP-W010", "line 2, column simulationConditionId"),
        ("measurements.tsv", "measurement\t", "measured\t", "GP-W012", "measurements.tsv"),
        ("measurements.tsv", "\tnoiseParameters", "\ttime", "GP-W012", "measurements.tsv"),
    ],
)
def test_petab_problems_are_refused_with_file_and_line(file, old, new, code, place, tmp_path):
    with pytest.raises((InputError, NotSupportedError)) as caught:
        workshop.read(changed(tmp_path, file, old, new))
    assert caught.value.code == code
    assert place in caught.value.where


def test_a_measurement_that_is_no_number_is_refused(tmp_path):
    path = problems.write(CASE, tmp_path)
    lines = (tmp_path / "measurements.tsv").read_text("utf-8").splitlines()
    cells = lines[4].split("\t")
    lines[4] = "\t".join([*cells[:4], "1.2.3", *cells[5:]])
    (tmp_path / "measurements.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        workshop.read(path)
    assert (caught.value.code, "line 5, column measurement" in caught.value.where) == ("GP-W010", True)
    (tmp_path / "measurements.tsv").write_text(
        "\n".join([*lines[:4], "\t".join(cells[:3])]) + "\n", encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        workshop.read(path)
    assert (caught.value.code, "line 5, column time" in caught.value.where) == ("GP-W010", True)
    (tmp_path / "measurements.tsv").write_text(
        "\n".join([*lines[:4], "\t".join([*cells, "more"])]) + "\n", encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        workshop.read(path)
    assert (caught.value.code, "line 5" in caught.value.where) == ("GP-W012", True)


def test_tabs_that_editors_leave_or_take_away_change_nothing(tmp_path):
    path = problems.write(CASE, tmp_path)
    exact = workshop.read(path)
    table = tmp_path / "measurements.tsv"
    lines = table.read_text("utf-8").splitlines()
    table.write_text("\n".join(line + "\t" for line in lines) + "\n", encoding="utf-8")
    assert workshop.read(path).rows.value.tolist() == exact.rows.value.tolist()
    table.write_text("\n".join(line.rstrip("\t") for line in lines) + "\n", encoding="utf-8")
    assert workshop.read(path).rows.value.tolist() == exact.rows.value.tolist()


def test_places_that_rows_fill_are_counted(tmp_path):
    path = changed(tmp_path, "measurements.tsv", "scale_a;offset", "scale_a", FILLED)
    with pytest.raises(InputError, match="1 observable parameters for obs_x, which has 2 places") as caught:
        workshop.read(path)
    assert (caught.value.code, "measurements.tsv, line 2" in caught.value.where) == ("GP-W019", True)
    path = changed(tmp_path, "measurements.tsv", "scale_a;offset", "scale_a;ofset", FILLED)
    with pytest.raises(InputError, match=r'did you mean "offset"') as caught:
        workshop.read(path)
    assert caught.value.code == "GP-W014"


def test_a_logarithm_needs_a_measurement_above_0(tmp_path):
    path = problems.write(LOGARITHMS, tmp_path)
    lines = (tmp_path / "measurements.tsv").read_text("utf-8").splitlines()
    cells = lines[2].split("\t")
    lines[2] = "\t".join([*cells[:4], "0", *cells[5:]])
    (tmp_path / "measurements.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        workshop.read(path)
    assert (caught.value.code, "line 3" in caught.value.where) == ("GP-W018", True)


def test_noise_that_programs_read_in_two_ways_is_refused(tmp_path):
    path = changed(tmp_path, "observables.tsv", "\tsigma\t", "\tsigma*obs_x\t", LOGARITHMS)
    with pytest.raises(NotSupportedError) as caught:
        workshop.read(path)
    assert (caught.value.code, "column noiseFormula" in caught.value.where) == ("GP-W020", True)


def test_nothing_to_estimate_and_no_rows_are_refused_together(tmp_path):
    path = problems.write(CASE, tmp_path)
    table = tmp_path / "parameters.tsv"
    table.write_text(table.read_text("utf-8").replace("\t1\t", "\t0\t"), encoding="utf-8")
    table = tmp_path / "measurements.tsv"
    table.write_text(table.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"Also: .*there are no measurements") as caught:
        workshop.read(path)
    assert caught.value.code == "GP-W017"


def test_without_yaml_the_remedy_is_named(tmp_path, monkeypatch):
    real = importlib.import_module

    def without(name, *more):
        if name in ("yaml", "pandas"):
            raise ImportError(name)
        return real(name, *more)

    path = problems.write(CASE, tmp_path)
    problem = workshop.read(path)
    found = workshop.fit(problem, workshop.Settings(starts=2, with_profiles=False))
    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(EnvironmentProblemError, match=r"glueprint\[petab\]") as caught:
        workshop.read(path)
    assert caught.value.code == "GP-W023"
    with pytest.raises(EnvironmentProblemError, match="pandas") as caught:
        found.to_pandas()
    assert caught.value.code == "GP-N090"


def written(folder, document=DOCUMENT, data=DATA, model=MODEL):
    for name, text in (("pk.ant", model), ("data.csv", data), ("fit.toml", document)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "fit.toml"


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("version = 1", "version = 2", "GP-W003", "version"),
        ("version = 1", "version = ", "GP-W002", "line 3"),
        ('model = "pk.ant"', 'modell = "pk.ant"', "GP-W004", "model"),
        ('data = "data.csv"', 'data = "none.csv"', "GP-W001", "none.csv"),
        ('noise = "sigma"', "", "GP-W007", "observables.conc"),
        ('formula = "conc"', 'formula = "konc"', "GP-W006", "observables.conc"),
        ("CL = { low = 1, high = 100 }", "CL = { low = 1 }", "GP-W004", "parameters.CL"),
        ("CL = { low = 1, high = 100 }", "CL = { fixed = 1, high = 100 }", "GP-W004", "parameters.CL"),
        (
            "CL = { low = 1, high = 100 }",
            "CL = { low = 1, high = 100, start = 200 }",
            "GP-W015",
            "parameters.CL",
        ),
        ("CL = { low = 1, high = 100 }", "CL = { low = 100, high = 1 }", "GP-W015", "parameters.CL"),
        ('into = "gut"', 'into = "got"', "GP-W013", "conditions.single"),
        ("amount = 4000", "amount = 4000, more = 2", "GP-W004", "conditions.single"),
        ('data = "data.csv"', 'data = "data.csv"\nuntil = 10', "GP-W025", "line 4, column time"),
        ('data = "data.csv"', 'data = "data.csv"\ntime_unit = "day"', "GP-W024", "time_unit"),
        ('data = "data.csv"', 'data = "data.csv"\ncolumns = { tyme = "t" }', "GP-W004", "columns"),
        ("[conditions.single]", "[conditions.other]", "GP-W009", "line 2, column condition"),
        ("[observables.conc]", "[observables.other]", "GP-W008", "line 2, column observable"),
    ],
)
def test_documents_are_refused_with_file_and_field(old, new, code, place, tmp_path):
    assert old in DOCUMENT
    with pytest.raises(InputError) as caught:
        workshop.read(written(tmp_path, DOCUMENT.replace(old, new, 1)))
    assert caught.value.code == code
    assert place in caught.value.where


def test_units_that_contradict_each_other_are_refused(tmp_path):
    data = (
        DATA.replace("measurement\n", "measurement,unit\n")
        .replace("30\n", "30,ug/L\n")
        .replace("12\n", "12,ug/L\n")
    )
    with pytest.raises(InputError) as caught:
        workshop.read(written(tmp_path, data=data))
    assert (caught.value.code, "line 2, column unit" in caught.value.where) == ("GP-W024", True)
    model = (
        MODEL
        + "unit mass = 1e-3 gram; unit volume = 1 litre; compartment c; central in c; c has volume; "
        + "central has mass;"
    )
    document = DOCUMENT.replace('formula = "conc"', 'formula = "central"\nunit = "umol/l"')
    with pytest.raises(InputError, match="counts central in") as caught:
        workshop.read(written(tmp_path, document, model=model))
    assert (caught.value.code, "observables.conc, unit" in caught.value.where) == ("GP-W024", True)


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        workshop.read(tmp_path / "problem.json")
    assert caught.value.code == "GP-W003"


@pytest.mark.parametrize(
    "given", [{"starts": 0}, {"seed": -1}, {"rounds": 1}, {"confidence": 1.0}, {"accuracy": 1.0}]
)
def test_settings_outside_their_range_are_refused(given):
    with pytest.raises(InputError) as caught:
        workshop.Settings(**given)
    assert caught.value.code == "GP-W022"


def test_a_problem_that_cannot_be_computed_anywhere_says_why(tmp_path):
    document = DOCUMENT.replace('noise = "sigma"', 'noise = "-sigma"')
    problem = workshop.read(written(tmp_path, document))
    with pytest.raises(InputError, match="a standard deviation of 0 or below") as caught:
        workshop.fit(problem, workshop.Settings(starts=3))
    assert caught.value.code == "GP-W021"


RECORDS = "ID,TIME,AMT,EVID,DV,DVID,WT\n1,0,100,1,.,1,70\n1,1,0,0,30,1,70\n1,2,0,0,20,1,{wt}\n"


@pytest.mark.parametrize(
    ("data", "error", "code", "column"),
    [
        (RECORDS.format(wt=80), NotSupportedError, "GP-W020", "WT"),
        (RECORDS.format(wt=70) + "1,5,0,3,.,1,70\n", NotSupportedError, "GP-W020", "EVID"),
        ("ID,TIME,AMT,EVID,DV\n1,0,100,1,.\n1,0,0,0,30\n", NotSupportedError, "GP-W020", "TIME"),
        ("ID,TIME,AMT,EVID,DV,SS,II\n1,0,100,1,.,1,12\n1,2,0,0,30,0,0\n", NotSupportedError, "GP-W020", "SS"),
        ("ID,TIME,AMT,EVID,DV,RATE\n1,0,100,1,.,-2\n1,2,0,0,30,0\n", NotSupportedError, "GP-W020", "RATE"),
    ],
)
def test_records_without_a_meaning_for_a_fit_are_refused(data, error, code, column, tmp_path):
    document = DOCUMENT.replace('data = "data.csv"', 'data = "data.csv"\nformat = "records"').split(
        "[conditions"
    )[0]
    model = MODEL.replace("CL/V", "CL*WT/70/V") + "WT = 70;"
    with pytest.raises(error) as caught:
        workshop.read(written(tmp_path, document, data, model))
    assert caught.value.code == code
    assert column in caught.value.where


def test_records_of_several_observables_are_told_apart(tmp_path):
    base = DOCUMENT.replace('data = "data.csv"', 'data = "data.csv"\nformat = "records"').split(
        "[conditions"
    )[0]
    two = base + '[observables.amount]\nformula = "central"\nnoise = "1"\n'
    with pytest.raises(InputError, match="no observable states its dvid") as caught:
        workshop.read(written(tmp_path, two, RECORDS.format(wt=70)))
    assert caught.value.code == "GP-W008"
    with pytest.raises(InputError, match="no column DVID") as caught:
        workshop.read(written(tmp_path, two, "ID,TIME,AMT,EVID,DV\n1,0,100,1,.\n1,1,0,0,30\n"))
    assert caught.value.code == "GP-W008"
    with pytest.raises(InputError, match="whose IDs are the conditions") as caught:
        workshop.read(written(tmp_path, base + "[conditions.a]\n[conditions.b]\n", RECORDS.format(wt=70)))
    assert caught.value.code == "GP-W004"


def test_a_folder_of_another_fit_is_kept(tmp_path):
    problem = workshop.read(written(tmp_path))
    settings = workshop.Settings(starts=3, with_profiles=False)
    out = tmp_path / "out"
    first = workshop.fit_into(out, problem, settings)
    assert json.loads((out / "result.json").read_text("utf-8"))["log_likelihood"] == first.log_likelihood
    with pytest.raises(InputError, match="another fit") as caught:
        workshop.fit_into(out, problem, workshop.Settings(starts=4, with_profiles=False))
    assert caught.value.code == "GP-W026"
    again = workshop.fit_into(out, problem, workshop.Settings(starts=4, with_profiles=False), fresh=True)
    assert again.value == pytest.approx(first.value, abs=1e-6)
