"""A project's file and folder: what it may say, what is inside, missing, twice or named by nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.study import glue
from glueprint.study.glue import inputs, pk, project

PAGE = (Path(__file__).parents[2] / "docs" / "your-glue.md").read_text(encoding="utf-8")
SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"
HEAD = f'kind = "glueprint-glue"\nversion = 1\ncompound = "GLX-1"\nsmiles = "{SMILES}"\n'


def written(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "glue.toml").write_text(text)
    return folder


def test_a_new_project_loads_and_says_what_is_missing(tmp_path):
    made = glue.new(tmp_path / "p", compound="GLX-1", smiles=SMILES)
    assert (made.compound, made.reference, made.assay) == ("GLX-1", compounds.REFERENCE, ())
    found = glue.status(tmp_path / "p")
    assert found.result == "none"
    assert [help_.split(":")[0] for help_ in found.helps] == [
        "name your first raw file in an [[assay]]",
        "pharmacokinetics",
        "a trial to predict",
    ]
    assert [finding.code for finding in found.findings] == ["GP-S030"]


def test_every_example_of_a_new_project_is_an_entry_once_its_marks_are_taken_away(tmp_path):
    folder = tmp_path / "p"
    glue.new(folder, compound="GLX-1", smiles=SMILES)
    text = (folder / "glue.toml").read_text()
    plain = re.sub(r"^# (?=[\[a-z_]+( =|\[|\w+\]))", "", text, flags=re.MULTILINE)
    found = glue.load(written(folder, plain))
    assert [one.kind for one in found.assay] == ["fp", "elisa", "blot", "degradation", "growth", "table"]
    assert found.trial.protocol == "mm003"
    assert found.sweep.doses_mg == (1.0, 2.0, 4.0, 8.0, 16.0)


def test_the_project_of_the_docs_loads(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    found = glue.load(written(tmp_path, text))
    assert found.assay[0].called == {"cpd 17": "GLX-2"}
    assert found.trial.replicates == 60


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="GP-S025"):
        glue.new(tmp_path, compound="GLX-1", smiles=SMILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, "GP-S020", "cannot be read"),
        ("kind = ", "GP-S021", "not TOML"),
        ('kind = "glueprint-study"\nversion = 1\n', "GP-S022", "kind is"),
        (HEAD.replace("version = 1", "version = 9"), "GP-S022", "version is"),
        (HEAD + "dose = 4\n", "GP-S023", "is not known"),
        (HEAD.replace("GLX-1", "pomalidomide"), "GP-S023", "comes with Glueprint"),
        (HEAD.replace("GLX-1", "a/b"), "GP-S023", "letters, digits, spaces"),
        (HEAD + "[sweep]\ndoses_mg = [1]\n", "GP-S023", "a sweep needs a trial"),
        (HEAD + '[[assay]]\nname = "a"\nkind = "fp"\nfiles = ["../x.txt"]\n', "GP-S023", "inside"),
        (HEAD + '[[assay]]\nname = "a"\nkind = "fp"\nfiles = ["/etc/passwd"]\n', "GP-S023", "inside"),
        (HEAD + '[[assay]]\nname = "a"\nkind = "fp"\nfiles = ["x", "y"]\n', "GP-S023", "one file an assay"),
        (HEAD + '[[assay]]\nname = "a"\nkind = "blot"\nfiles = ["x.tif"]\n', "GP-S023", "boxes for each"),
        (HEAD + '[[assay]]\nname = "a"\nkind = "fp"\nfiles = ["x"]\n' * 2, "GP-S023", "two assays are"),
        (HEAD + '[trial]\nprotocol = "mm003"\ndose_mg = 4\nreplicates = 5\n', "GP-S023", "at least 39"),
        (HEAD + '[pk]\nsource = "../pk.toml"\n', "GP-S023", "inside the project"),
    ],
)
def test_a_project_that_cannot_be_is_refused_with_its_place(tmp_path, text, code, said):
    if text is not None:
        written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        glue.load(tmp_path)
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_out_of_the_folder_is_not_followed(tmp_path, table_project):
    folder = table_project(tmp_path / "p")
    outside = tmp_path / "outside.csv"
    outside.write_text("secret")
    (folder / "raw/table/measured.csv").unlink()
    (folder / "raw/table/measured.csv").symlink_to(outside)
    for look in (glue.status, glue.run):
        with pytest.raises(InputError, match="GP-S024"):
            look(folder)


def test_a_protocol_outside_of_the_folder_is_refused(tmp_path, table_project):
    more = '[pk]\nsource = "borrowed"\n[trial]\nprotocol = "../mm.toml"\ndose_mg = 4\n'
    with pytest.raises(InputError, match="GP-S024"):
        glue.run(table_project(tmp_path / "p", more=more))


def test_files_that_are_named_and_missing_stop_a_run_before_it_begins(tmp_path, table_project):
    folder = table_project(tmp_path / "p")
    (folder / "raw/table/measured.csv").unlink()
    assert glue.status(folder).missing == ("raw/table/measured.csv",)
    assert "put these files in their place" in glue.status(folder).helps[0]
    with pytest.raises(InputError, match="GP-S026"):
        glue.run(folder)
    assert not (folder / "result").exists()


def test_a_file_given_twice_counts_once_and_one_that_nobody_names_is_said(tmp_path, table_project):
    more = '[[assay]]\nname = "again"\nkind = "table"\nfiles = ["raw/table/copy.csv"]\n'
    folder = table_project(tmp_path / "p", more=more)
    content = (folder / "raw/table/measured.csv").read_bytes()
    (folder / "raw/table/copy.csv").write_bytes(content)
    (folder / "raw/fp/plate.txt").write_text("a plate")
    found = inputs.survey(glue.load(folder))
    assert [one.name for one in found.assays] == ["table-1"]
    assert [(finding.code, finding.severity) for finding in found.findings] == [
        ("GP-S032", "warning"),
        ("GP-S033", "warning"),
    ]
    assert "raw/table/copy.csv holds the same bytes as raw/table/measured.csv" in found.findings[0].message
    assert "raw/fp/plate.txt is not read" in found.findings[1].message


def test_a_membrane_given_twice_leaves_one_with_its_own_boxes(tmp_path):
    entry = 'name = "b"\nkind = "blot"\nfiles = ["raw/1.tif", "raw/2.tif", "raw/3.tif"]\n'
    folder = written(
        tmp_path, f'{HEAD}[[assay]]\n{entry}boxes = ["raw/1.toml", "raw/2.toml", "raw/3.toml"]\n'
    )
    (folder / "raw").mkdir()
    for name, content in (("1.tif", "a"), ("2.tif", "a"), ("3.tif", "b")):
        (folder / "raw" / name).write_text(content)
    (one,) = inputs.survey(glue.load(folder)).assays
    assert one.files == ("raw/1.tif", "raw/3.tif")
    assert one.boxes == ("raw/1.toml", "raw/3.toml")


def test_pharmacokinetics_are_the_projects_own_or_borrowed_and_marked(tmp_path, table_project, own_pk):
    folder = table_project(tmp_path / "p", more='[pk]\nsource = "pk.toml"\n')
    (folder / "pk.toml").write_text(own_pk)
    reference = compounds.load(compounds.REFERENCE)
    own = pk.known(glue.load(folder), reference)
    assert own.pk.clearance_l_per_h.typical == 8.0
    assert own.findings == ()
    text = (folder / "glue.toml").read_text().replace('"pk.toml"', '"borrowed"')
    (folder / "glue.toml").write_text(text)
    borrowed = pk.known(glue.load(folder), reference)
    assert borrowed.pk.clearance_l_per_h.typical == reference.pk.clearance_l_per_h.typical
    assert borrowed.pk.clearance_l_per_h.role == "assumed"
    assert borrowed.pk.clearance_l_per_h.prior.sd_log10 == pk.BORROWED_SD_LOG10
    assert [finding.code for finding in borrowed.findings] == ["GP-S031"]
    assert "pharmacokinetics of its own" in " ".join(glue.status(folder).helps)


def test_a_file_of_pharmacokinetics_is_checked_field_by_field(tmp_path, table_project, own_pk):
    folder = table_project(tmp_path / "p", more='[pk]\nsource = "pk.toml"\n')
    (folder / "pk.toml").write_text(own_pk.replace("clearance_l_per_h", "clearance"))
    with pytest.raises(InputError, match="GP-S023"):
        project.read_pk(glue.load(folder))


def test_a_twin_has_both_compounds_on_every_plate_and_the_same_bytes_by_seed(tmp_path):
    first, again = (
        glue.new(tmp_path / name, compound="GLX-1", smiles=SMILES, twin=True, seed=5) for name in "ab"
    )
    names = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
    assert first.model_dump() == again.model_dump()
    for kind in ("fp", "elisa", "growth"):
        layout = (tmp_path / "a/raw" / kind / "layout.toml").read_text()
        assert "GLX-1" in layout
        assert compounds.REFERENCE in layout
    boxes = (tmp_path / "a/raw/blot/boxes-1.toml").read_text()
    assert "GLX-1" in boxes
    assert compounds.REFERENCE in boxes
    truth = compounds.load(tmp_path / "a/truth/GLX-1.toml")
    assert 30.0 <= truth.kd().typical <= 3000.0
    found = glue.status(tmp_path / "a")
    assert found.simulated
    assert found.missing == found.helps == ()
    assert found.findings == ()
