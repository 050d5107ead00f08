"""A result in a folder comes back as it was, and another folder is refused."""

from __future__ import annotations

import json

import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.trials import kept
from glueprint.trials.protocol.loading import protocol_from_text

TINY = trials.template().replace("patients = 60", "patients = 6")


@pytest.fixture(scope="module")
def result():
    return trials.run(protocol_from_text(TINY, where="tiny"), seed=7)


def test_a_round_trip(result, tmp_path):
    kept.save(result, tmp_path / "new")
    found = kept.load(tmp_path / "new")
    assert (found.protocol, found.seed, found.label) == (result.protocol, 7, result.label)
    for name, table in result.tables().items():
        assert found.table(name).equals(table)


def test_a_result_of_before_landmarks_could_be_named_is_read(result, tmp_path):
    kept.save(result, tmp_path)
    path = tmp_path / kept.FILE_NAME
    about = json.loads(path.read_text("utf-8"))
    assert about["protocol"].pop("landmark_months") == [6.0, 12.0]
    path.write_text(json.dumps(about), "utf-8")
    assert kept.load(tmp_path).protocol == result.protocol


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"kind": "study"}, {"seed": "x"}, {"protocol": {}}, {"label": None, "seed": None}],
)
def test_another_file_is_refused(result, tmp_path, change):
    kept.save(result, tmp_path)
    path = tmp_path / kept.FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(InputError) as caught:
        kept.load(tmp_path)
    assert caught.value.code == "GP-T078"
    assert "glueprint trial run" in str(caught.value)


def test_a_folder_without_a_result(tmp_path):
    with pytest.raises(InputError, match="GP-T078"):
        kept.load(tmp_path / "nowhere")
    (tmp_path / kept.FILE_NAME).write_text("{}")
    with pytest.raises(InputError, match="no field 'kind'"):
        kept.load(tmp_path)


def test_a_result_prints_on_one_line(result):
    said = repr(result)
    assert said.startswith("<TrialResult my-trial: 1 virtual trial of POM 4 mg 6, POM 2 mg 6, seed 7")
    assert len(said) < 300
    shown = result._repr_html_()  # as a notebook asks
    assert shown.startswith("<p>&lt;TrialResult my-trial")
    assert all(word in shown for word in ("<table", "POM 4 mg", "median_pfs", "replicates"))
