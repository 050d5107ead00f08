"""Every reader knows its own files and no other's, and a broken plug-in is a finding, not a traceback."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from glueprint.assays import readers
from glueprint.assays.plate import Plate
from glueprint.assays.readers import text
from glueprint.assays.wells import MEASURED
from glueprint.errors import EnvironmentProblemError, InputError

OWN = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[3] / "shared" / "data"
OWNERS = {
    "gen5_absorbance.txt": "gen5",
    "gen5_polarization.txt": "gen5",
    "magellan.xlsx": "magellan",
    "mars.csv": "mars",
    "softmax_line.txt": "softmax",
    "softmax_plate.txt": "softmax",
    "softmax_reduced.txt": "softmax",
    "tidy.csv": "tidy",
}
SHARED_OWNERS = {
    "elisa-softmax-dilution-factors/plate.txt": "softmax",
    "elisa-softmax-multi-dilution/plate.txt": "softmax",
    "plate-gen5-absorbance/stdcurve.txt": "gen5",
    "plate-gen5-absorbance/tokens.txt": "gen5",
    "plate-magellan-elisa/plate.xlsx": "magellan",
    "plate-mars-transcreener/plate.csv": "mars",
    "luminex-cytokines/plate.csv": "tidy",
    "drc-datasets/ryegrass.csv": None,
    "viability-sarcoma-triplicates/README.md": None,
}


def claims(path):
    """The readers that claim a file; any table may be read by "tidy", which only counts alone."""
    head = path.read_bytes()[: readers.reader.HEAD_BYTES]
    names = [reader.name for reader in readers.available()[0] if reader.recognises(head, path.name)]
    return [name for name in names if name != "tidy"] or names


def entry(name, value):
    return EntryPoint(name=name, value=value, group="glueprint.readers")


@pytest.fixture
def with_plugin(monkeypatch):
    """Adds entry points to those that are installed."""

    def add(*entries):
        installed = list(readers.entry_points(group="glueprint.readers"))
        monkeypatch.setattr(readers, "entry_points", lambda **_: [*installed, *entries])

    return add


def test_all_readers_are_installed_and_say_what_they_read():
    found, findings = readers.available()
    assert [reader.name for reader in found] == ["allotrope", "gen5", "magellan", "mars", "softmax", "tidy"]
    assert all(isinstance(reader, readers.Reader) and len(reader.title) > 10 for reader in found)
    assert findings == ()


@pytest.mark.parametrize("name", OWNERS)
def test_each_file_has_one_owner(name):
    assert claims(OWN / name) == [OWNERS[name]]
    assert readers.identify(OWN / name) == OWNERS[name]


def test_every_example_has_an_owner():
    assert {path.name for path in OWN.iterdir()} == set(OWNERS)


@pytest.mark.parametrize("name", SHARED_OWNERS)
def test_each_real_file_has_one_owner_or_none(name):
    if not (SHARED / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    assert claims(SHARED / name) == ([SHARED_OWNERS[name]] if SHARED_OWNERS[name] else [])


@pytest.mark.parametrize(
    "head", [b"", b"\x00" * 100, b"\xff\xfe", b"PK", b"\x89PNG\r\n", b"plate\n", b"A,B\n1,2\n"]
)
def test_nobody_claims_what_says_nothing(head, tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(head)
    with pytest.raises(InputError, match="GP-A012"):
        readers.identify(path)


@pytest.mark.parametrize("name", OWNERS)
def test_every_plate_has_the_declared_columns_once_a_well(name):
    found = readers.read(OWN / name)
    assert dict(found.table.schema.items()) | dict(MEASURED) == dict(found.table.schema.items())
    assert list(found.table.columns)[: len(MEASURED)] == list(MEASURED)
    assert not found.table.select("plate", "well", "channel").is_duplicated().any()
    assert (found.table["value"].is_null() == (found.table["flag"] != "")).all()
    assert found.source == str(OWN / name)


def test_a_file_that_is_not_there_is_an_environment_problem(tmp_path):
    for function in (readers.read, readers.identify):
        with pytest.raises(EnvironmentProblemError, match="GP-A001"):
            function(tmp_path / "none.txt")


def test_a_reader_that_is_not_there_is_named_with_its_nearest():
    with pytest.raises(InputError, match="GP-A012") as caught:
        readers.read(OWN / "mars.csv", "mar")
    assert 'did you mean "mars"?' in caught.value.message


def test_the_wrong_reader_refuses_with_a_code():
    for name in OWNERS:
        for reader in set(OWNERS.values()) - {OWNERS[name], "tidy"}:
            with pytest.raises(InputError, match=r"GP-A0\d\d"):
                readers.read(OWN / name, reader)


def test_two_owners_are_an_error_that_a_name_resolves(with_plugin):
    with_plugin(entry("greedy", "test_readers_plugins:GREEDY"))
    with_plugin_module()
    with pytest.raises(InputError, match="GP-A013") as caught:
        readers.read(OWN / "mars.csv")
    assert "greedy, mars" in caught.value.message
    assert readers.read(OWN / "mars.csv", "mars").reader == "mars"


def with_plugin_module():
    import sys
    import types

    module = types.ModuleType("test_readers_plugins")
    module.GREEDY = readers.FunctionReader(
        "greedy", "anything", lambda *_: True, lambda *_: Plate("", "", None)
    )
    module.TIDY = readers.FunctionReader("tidy", "a name that is taken", lambda *_: True, module.GREEDY.reads)
    module.NOTHING = object()
    sys.modules["test_readers_plugins"] = module


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_module_anywhere:READER", "cannot be loaded: ModuleNotFoundError"),
        ("test_readers_plugins:MISSING", "cannot be loaded: AttributeError"),
        ("test_readers_plugins:NOTHING", "is no reader"),
        ("test_readers_plugins:TIDY", 'has a name that is taken: "tidy"'),
    ],
)
def test_a_broken_plugin_is_a_finding_and_stops_nobody(with_plugin, value, said):
    with_plugin_module()
    with_plugin(entry("third", value))
    found = readers.read(OWN / "mars.csv")
    (finding,) = [item for item in found.findings if item.code == "GP-A014"]
    assert said in finding.message
    assert finding.where == "reader third"
    with pytest.raises(InputError, match="GP-A014"):
        readers.read(OWN / "mars.csv", "third")


def test_a_huge_file_and_a_huge_line_are_refused(monkeypatch):
    with pytest.raises(InputError, match="GP-A022"):
        readers.parse(b"plate,well,value,unit\np,A1," + b"1" * 1_000_001 + b",OD\n", "huge.csv")
    monkeypatch.setattr(readers, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="GP-A022"):
        readers.parse(b"plate,well,value,unit\n", "huge.csv")


@pytest.mark.parametrize(
    ("written", "flag"),
    [
        ("OVRFLW", "above_range"),
        ("ovrflw", "above_range"),
        (">4.0", "above_range"),
        ("#SAT", "above_range"),
        ("<0.000", "below_range"),
        ("UNDRFLW", "below_range"),
        ("MISSED", "missing"),
        ("", "missing"),
        ("NaN", "missing"),
        ("????", "error: ????"),
        ("*0.512*", "error: *0.512*"),
        ("inf", "error: inf"),
        ("1_000", "error: 1_000"),
        ("x" * 100, "error: " + "x" * 40),
    ],
)
def test_tokens_are_flags_never_numbers(written, flag):
    assert text.cell(written, "here") == (None, flag)


def test_a_decimal_comma_is_never_a_number():
    with pytest.raises(InputError, match="GP-A005"):
        text.cell("0,75", "here")


@pytest.mark.parametrize(
    "content", [b"", b" \r\n\t", b"\xff\xfe", b"\xef\xbb\xbf\n", b"a\x00b", b"\xff\xfea"]
)
def test_what_is_empty_or_no_text_is_refused(content):
    with pytest.raises(InputError, match="GP-A002"):
        text.decode(content, "here")


def test_latin_1_is_read_and_said():
    decoded, (finding,) = text.decode("23.5 °C".encode("latin-1"), "here")
    assert decoded == "23.5 °C"
    assert (finding.code, finding.where) == ("GP-A021", "here row 1")
