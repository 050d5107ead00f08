"""Twins: settings, truth files, the same bytes again, and what is refused."""

from __future__ import annotations

import tomllib

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.assays import readers, twins
from glueprint.assays.twins import document
from glueprint.cli.app import app
from glueprint.errors import InputError

ALL = tuple(twins.PROTOCOLS)
# Small designs where the size of a picture or the number of plates is not what is tested.
SMALL = {"blot": ("experiments=1", "lane_px=20"), "growth": ("experiments=1",)}


def small(protocol, **asked):
    return twins.simulate(protocol, changes=SMALL.get(protocol, ()), **asked)


@pytest.mark.parametrize("protocol", ALL)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(protocol):
    first, again, other = (small(protocol, seed=seed) for seed in (3, 3, 4))
    assert dict(first.files) == dict(again.files)
    # Where the lanes were planned is the design's, not the seed's.
    same = {name for name in first.files if first.files[name] == other.files[name]}
    assert all(name.startswith("boxes") or name == "layout.toml" for name in same)


@pytest.mark.parametrize("protocol", ALL)
def test_the_truth_file_gives_the_same_bytes_again(protocol, tmp_path):
    first = small(protocol, seed=7)
    twins.write(first, tmp_path / "twin")
    again = twins.simulate(protocol, truth=tmp_path / "twin" / "truth.toml")
    assert dict(first.files) == dict(again.files)


@pytest.mark.parametrize("protocol", ALL)
def test_every_file_says_that_it_is_simulated(protocol):
    for name, content in small(protocol).files.items():
        assert b"simulated" in content.lower(), name


@pytest.mark.parametrize("protocol", ALL)
def test_every_text_file_of_a_plate_is_claimed_by_one_reader(protocol, tmp_path):
    twin = small(protocol)
    twins.write(twin, tmp_path)
    for path in tmp_path.glob("*plate*.txt"):
        assert readers.identify(path) in ("gen5", "softmax")
        assert readers.read(path).metadata["simulated"].startswith("yes, by glueprint assay twin")


def test_settings_are_changed_one_by_one_and_tables_joined():
    twin = twins.simulate("fp", changes=["ki_nm.glue=30", "replicates=2", "g_factor = 1.2"])
    assert twin.truth.ki_nm == {"pomalidomide": 156.6, "weaker analogue": 1500.0, "glue": 30.0}
    assert (twin.truth.replicates, twin.truth.g_factor) == (2, 1.2)
    replaced = twins.simulate("fp", changes=["ki_nm={glue=30}"])
    assert replaced.truth.ki_nm == {"glue": 30.0}


def test_names_that_toml_must_quote_survive():
    text = twins.simulate("fp", changes=["ki_nm.a b=30", "replicates=2"]).files["truth.toml"].decode()
    assert tomllib.loads(text)["truth"]["ki_nm"]["a b"] == 30.0


def refusal(protocol="fp", **asked):
    with pytest.raises(InputError) as caught:
        twins.simulate(protocol, **asked)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        (["g_factr=1.0"], "GP-A183", 'did you mean "g_factor"?'),
        (["g_factor=-1.0"], "GP-A182", "above 0"),
        (["g_factor=much"], "GP-A182", "a number"),
        (["g_factor=" + "9" * 5000], "GP-A182", "g_factor"),
        (["g_factor=" + "[" * 5000], "GP-A182", "a number"),
        (["g_factor"], "GP-A184", "equals sign"),
        (["g_factor.x=1"], "GP-A184", "single value"),
        (["g_factor=1.1", "g_factor=1.2"], "GP-A184", "each setting once"),
        (["replicates=8"], "GP-A185", "at most 8"),
        (["fluorescence_per_um.pomalidomid=0.1"], "GP-A183", 'did you mean "pomalidomide"?'),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_code(changes, code, said):
    error = refusal(changes=changes)
    assert error.code == code
    assert said in str(error)


def test_a_protocol_or_seed_that_cannot_be_is_refused():
    assert refusal("elissa").code == "GP-A186"
    assert 'did you mean "elisa"?' in str(refusal("elissa"))
    assert refusal(seed=-1).code == "GP-A187"


def test_a_truth_that_is_none_is_refused(tmp_path):
    path = tmp_path / "truth.toml"
    assert refusal(truth=path).code == "GP-A180"
    path.write_text("kind = ")
    assert refusal(truth=path).code == "GP-A180"
    path.write_text('kind = "glueprint-layout"\nversion = 1\n')
    assert refusal(truth=path).code == "GP-A181"
    path.write_text('kind = "glueprint-twin"\nversion = 1\nprotocol = "elisa"\n')
    assert refusal(truth=path).code == "GP-A186"
    path.write_text('kind = "glueprint-twin"\nversion = 1\nprotocol = "fp"\nsimulated = false\n')
    assert refusal(truth=path).code == "GP-A182"


def test_the_codes_of_documents_are_ours():
    assert document.CODES.unknown == "GP-A183"


@pytest.mark.parametrize("protocol", ALL)
def test_the_command_writes_what_the_function_gives(protocol, tmp_path):
    out = tmp_path / "demo"
    asked = [word for change in SMALL.get(protocol, ()) for word in ("--set", change)]
    words = ["assay", "twin", protocol, "--out", str(out), "--seed", "5", "--json", *asked]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = payload(done.stdout)
    twin = small(protocol, seed=5)
    assert told["truth"] == twin.as_dict()["truth"]
    there = {path.name: path.read_bytes() for path in out.iterdir()}
    assert there.pop("record.json")
    assert there == dict(twin.files)


def test_the_command_says_how_to_go_on(tmp_path):
    done = CliRunner().invoke(app, ["assay", "twin", "fp", "--out", str(tmp_path), "--set", "drift=0"])
    assert done.exit_code == 0
    assert "not measured" in done.stdout
    assert "glueprint assay binding plate.txt" in done.stdout
