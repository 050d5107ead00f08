"""Allotrope documents: the three traps, and what is refused."""

from __future__ import annotations

import copy
import importlib.util
import json

import pytest

from glueprint.assays.readers import allotrope
from glueprint.errors import EnvironmentProblemError, InputError


def measurement(number, well, wavelength, value, error=None):
    found = {
        "measurement identifier": f"m{number}",
        "sample document": {"location identifier": well, "well plate identifier": "P1"},
        "absorbance": {"value": value, "unit": "mAU"},
        "device control aggregate document": {
            "device control document": [{"detector wavelength setting": {"value": wavelength, "unit": "nm"}}]
        },
    }
    if error:
        found["error aggregate document"] = {
            "error document": [{"error": error, "error feature": "absorbance"}]
        }
    return found


def document(measurements, calculated=()):
    rows = [{"measurement aggregate document": {"measurement document": [item]}} for item in measurements]
    data = [
        {
            "calculated data name": name,
            "calculated result": {"value": value, "unit": "unitless"},
            "data source aggregate document": {"data source document": [{"data source identifier": source}]},
        }
        for name, value, source in calculated
    ]
    return {
        "$asm.manifest": "plate-reader",
        "plate reader aggregate document": {
            "plate reader document": rows,
            "calculated data aggregate document": {"calculated data document": data},
        },
    }


def parsed(found):
    return allotrope.parse(json.dumps(found).encode(), "p.json")


def test_absorbance_labelled_mau_is_od():
    found = parsed(document([measurement(1, "A1", 450.0, 1.25), measurement(2, "A1", 650, 0.05)]))
    assert found.table.select("plate", "well", "channel", "value", "unit").rows() == [
        ("P1", "A1", "450", 1.25, "OD"),
        ("P1", "A1", "650", 0.05, "OD"),
    ]
    (finding,) = found.findings
    assert finding.code == "GP-A027"
    assert finding.message.startswith("2 absorbances labelled mAU")


def test_a_value_with_an_error_is_never_read():
    found = parsed(
        document([measurement(1, "A1", 450, -0.0, "OVRFLW"), measurement(2, "B1", 450, 0.5, "Not reported")])
    )
    assert found.table["value"].to_list() == [None, None]
    assert found.table["flag"].to_list() == ["above_range", "error: Not reported"]


def test_reduced_stands_in_for_raw_values_that_are_not_reported():
    raw = [measurement(1, "A1", 450, -0.0, "Not reported"), measurement(2, "A2", 450, -0.0, "Not reported")]
    found = parsed(document(raw, [("Reduced", 0.75, "m1"), ("Reduced", 0.25, "m2"), ("Mean", 0.5, "m1")]))
    assert found.table.select("well", "channel", "value").rows() == [
        ("A1", "reduced", 0.75),
        ("A2", "reduced", 0.25),
    ]
    assert found.metadata["analysed_channel"] == "reduced"
    assert found.reference.select("well", "name", "value").rows() == [("A1", "Mean", "0.5")]


def test_fluorescence_keeps_its_unit_and_both_wavelengths():
    one = measurement(1, "A1", 528, 0.0)
    del one["absorbance"]
    one["fluorescence"] = {"value": 900, "unit": "RFU"}
    control = one["device control aggregate document"]["device control document"][0]
    control["excitation wavelength setting"] = {"value": 485, "unit": "nm"}
    found = parsed(document([one], [("Polarization", 120, "m1")]))
    assert found.table.select("channel", "value", "unit").rows() == [
        ("485-528", 900.0, "RFU"),
        ("mP", 120.0, "mP"),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"{}", b'{"plate reader aggregate document": {}}', b"[" * 100_000],
)
def test_what_is_no_such_document_is_refused(content):
    with pytest.raises(InputError, match="GP-A023"):
        allotrope.parse(content, "p.json")


def test_a_measurement_without_a_well_and_a_well_twice_are_refused():
    good = document([measurement(1, "A1", 450, 1.0)])
    bad = copy.deepcopy(good)
    rows = bad["plate reader aggregate document"]["plate reader document"]
    rows[0]["measurement aggregate document"]["measurement document"][0]["sample document"] = {}
    with pytest.raises(InputError, match="GP-A023"):
        parsed(bad)
    with pytest.raises(InputError, match="GP-A006"):
        parsed(document([measurement(1, "A1", 450, 1.0), measurement(2, "A01", 450, 1.0)]))


def test_it_recognises_its_own():
    content = json.dumps(document([measurement(1, "A1", 450, 1.0)])).encode()
    assert allotrope.READER.recognises(content[:200], "p.json")
    assert not allotrope.READER.recognises(content[:200], "p.txt")
    assert not allotrope.READER.recognises(b'{"a": 1}', "p.json")


def test_without_the_extra_the_way_to_it_is_told(tmp_path):
    if importlib.util.find_spec("allotropy"):
        pytest.skip("allotropy is installed")
    with pytest.raises(EnvironmentProblemError, match="GP-A026") as caught:
        allotrope.convert(tmp_path / "p.csv", "PERKIN_ELMER_ENVISION")
    assert "glueprint[readers]" in caught.value.next_step
