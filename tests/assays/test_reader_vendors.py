"""Vendor files: every construct on our own examples, and the known answers of real files where they are."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from glueprint.assays import readers
from glueprint.errors import InputError, NotSupportedError

OWN = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[3] / "shared" / "data"


def shared(name):
    if not (SHARED / name).exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return readers.read(SHARED / name)


def codes(plate):
    return [finding.code for finding in plate.findings]


def value(plate, well, channel):
    (found,) = plate.table.filter((pl.col("well") == well) & (pl.col("channel") == channel))["value"]
    return found


def changed(name, old, new, reader=None):
    """An own example with one text replaced, which must be there."""
    content = (OWN / name).read_bytes()
    kind = "utf-16" if content[:2] == b"\xff\xfe" else "latin-1" if name == "mars.csv" else "utf-8"
    text = content.decode(kind)
    assert old in text
    return readers.parse(text.replace(old, new, 1).encode(kind), name, reader)


def refused(code, name, old, new, family=InputError):
    with pytest.raises(family, match=code) as caught:
        changed(name, old, new)
    return caught.value


# SoftMax Pro


def test_softmax_reads_all_wavelengths_side_by_side():
    found = readers.read(OWN / "softmax_plate.txt")
    assert found.channels == ("450", "650")
    assert (value(found, "A1", "450"), value(found, "H12", "650")) == (2.2784, 0.0404)
    assert set(found.table["unit"]) == {"OD"}
    assert found.metadata["mode"] == "Absorbance"


def test_softmax_reads_one_line_a_channel_and_the_reduced_values():
    line, plate = readers.read(OWN / "softmax_line.txt"), readers.read(OWN / "softmax_plate.txt")
    assert line.channels == ("450", "650", "reduced")
    wide = line.table.pivot(on="channel", index="well", values="value")
    assert (wide["reduced"] - (wide["450"] - wide["650"])).abs().max() < 1e-12
    assert value(line, "C7", "650") == value(plate, "C7", "650")
    assert "GP-A018" in codes(line)


def test_softmax_reduced_alone_is_one_channel():
    assert readers.read(OWN / "softmax_reduced.txt").channels == ("reduced",)


@pytest.mark.parametrize(("name", "channel"), [("softmax_plate.txt", "450"), ("softmax_line.txt", "reduced")])
def test_softmax_groups_are_the_layout(name, channel):
    found = readers.read(OWN / name)
    table = found.layout.table
    assert dict(table.group_by("role").len().rows()) == {
        "standard": 12,
        "control": 2,
        "blank": 2,
        "sample": 16,
    }
    standards = table.filter(pl.col("role") == "standard")
    assert standards["concentration"].to_list() == [c for c in (400, 200, 100, 50, 25, 0) for _ in range(2)]
    assert set(standards["concentration_unit"]) == {"ng/mL"}
    sample = table.filter(pl.col("sample") == "Un2")
    assert sample["well"].to_list() == ["C3", "C4", "D3", "D4"]
    assert sample["dilution"].to_list() == [10.0, 10.0, 50.0, 50.0]
    # The channel from which SoftMax computed its results follows from the values that its groups print.
    assert found.metadata["analysed_channel"] == channel


def test_softmax_results_are_the_reference():
    reference = readers.read(OWN / "softmax_plate.txt").reference
    results = reference.filter((pl.col("name") == "Result") & (pl.col("group") == "Unknowns"))
    assert results.height == 16
    assert reference.filter(pl.col("name") == "Top")["value"].to_list() == ["2.307"]


def test_softmax_acceptance_limits_are_told_and_not_given_to_anybody():
    (finding,) = [f for f in readers.read(OWN / "softmax_plate.txt").findings if f.code == "GP-A024"]
    assert "limits 64.5 to 95.5" in finding.message


def test_softmax_groups_that_say_nothing_are_findings():
    found = changed("softmax_plate.txt", "Group: Unknowns", "Group: Things")
    assert any("gives its wells no role" in f.message for f in found.findings if f.code == "GP-A024")
    assert found.layout.table.filter(pl.col("group") == "Things")["role"].unique().to_list() == [""]
    found = changed("softmax_plate.txt", "\tG1\t", "\tA1\t")
    assert any("well A1 also belongs" in f.message for f in found.findings)
    found = changed("softmax_plate.txt", "\tG1\t", "\tZ9\t")
    assert any('well "Z9"' in f.message for f in found.findings)
    found = changed("softmax_plate.txt", "Conc ng/mL", "Conc")
    assert "GP-A038" in codes(found)


def test_softmax_kinetics_and_broken_files_are_refused():
    refused("GP-A016", "softmax_plate.txt", "Endpoint", "Kinetic", NotSupportedError)
    refused("GP-A015", "softmax_plate.txt", "450 650 ", "450 ")
    refused("GP-A015", "softmax_plate.txt", "\tRaw\t", "\tRow\t")
    refused("GP-A002", "softmax_plate.txt", "Plate:", "Plote:")
    text = (OWN / "softmax_plate.txt").read_text("utf-8")
    lines = text.splitlines()
    with pytest.raises(InputError, match="GP-A015") as caught:
        readers.parse("\n".join([*lines[:8], *lines[9:]]).encode(), "cut.txt")
    assert "has 7 rows of values, not 8" in caught.value.message
    with pytest.raises(InputError, match="GP-A006"):
        readers.parse("\n".join([*lines[:13], *lines[1:]]).encode(), "twice.txt")
    found = readers.parse("\n".join(lines[:30]).encode(), "cut.txt")
    assert "breaks off" in next(f.message for f in found.findings if f.code == "GP-A015")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "utf-8"])
def test_softmax_encodings_make_no_difference(encoding):
    text = (OWN / "softmax_plate.txt").read_text("utf-8")
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    found = readers.parse((mark + text).encode(encoding), "p.txt")
    assert found.table.equals(readers.read(OWN / "softmax_plate.txt").table)


def test_softmax_fluorescence_names_both_wavelengths():
    text = (OWN / "softmax_reduced.txt").read_text("utf-8")
    old = "Endpoint\tAbsorbance\tReduced\tFALSE\t1\t\t\t\t\t\t2\t450 650 \t1\t12\t96\t1\t8\t\t"
    new = "Endpoint\tFluorescence\tTop Read\tRaw\tFALSE\t1\t\t\t\t\t\t1\t620 \t1\t12\t96\t580 \tManual\t\t"
    assert old in text
    found = readers.parse(text.replace(old, new).encode(), "p.txt")
    assert (found.channels, set(found.table["unit"])) == (("580-620",), {"RFU"})


def test_the_real_softmax_plates():
    one = shared("elisa-softmax-dilution-factors/plate.txt")
    assert (one.channels, one.metadata["analysed_channel"]) == (("450", "650"), "450")
    assert dict(one.layout.table.group_by("role").len().rows()) == {
        "standard": 12,
        "control": 4,
        "sample": 60,
    }
    assert value(one, "H12", "650") == 0.0369
    sample = one.layout.table.filter(pl.col("well") == "C3").to_dicts()[0]
    assert (sample["role"], sample["sample"], sample["dilution"]) == ("sample", "03", 10000.0)
    told = one.reference.filter((pl.col("well") == "E4") & (pl.col("name") == "Conc"))["value"].to_list()
    assert told == ["Range?"]
    two = shared("elisa-softmax-multi-dilution/plate.txt")
    assert (two.channels, two.metadata["analysed_channel"]) == (("450", "650", "reduced"), "reduced")
    assert dict(two.layout.table.group_by("role").len().rows()) == {
        "standard": 12,
        "control": 2,
        "sample": 78,
    }
    first = two.layout.table.filter(pl.col("sample") == "Sample 1")
    assert sorted(first["dilution"]) == [25.0, 25.0, 100.0, 100.0, 250.0, 250.0]


# Gen5


def test_gen5_reads_measured_and_blanked_rows_and_keeps_the_rest_as_reference():
    found = readers.read(OWN / "gen5_absorbance.txt")
    assert found.channels == ("450", "650", "blanked 450")
    assert set(found.table["unit"]) == {"OD"}
    assert found.reference["name"].unique().to_list() == ["[Concentration]"]
    assert found.reference.height == 24
    assert found.metadata["reader type"] == "Synergy"


def test_gen5_tokens_are_flags():
    found = readers.read(OWN / "gen5_absorbance.txt").table.filter(pl.col("flag") != "")
    assert dict(found.select("well", "flag").rows()) == {
        "B3": "above_range",
        "C4": "missing",
        "D4": "error: ????",
        "D5": "error: *0.512*",
        "D6": "below_range",
    }
    assert found["value"].null_count() == 5


def test_gen5_layout_has_roles_concentrations_and_dilutions():
    found = readers.read(OWN / "gen5_absorbance.txt").layout
    by_well = {row["well"]: row for row in found.table.to_dicts()}
    assert (by_well["A3"]["role"], by_well["A3"]["concentration"]) == ("standard", 25.0)
    # 0.02 of the sample in the well is a dilution of 50.
    assert (by_well["B3"]["sample"], by_well["B3"]["dilution"]) == ("SPL1", pytest.approx(50.0))
    assert (by_well["D1"]["role"], by_well["C5"]["role"]) == ("blank", "")
    assert sorted(finding.code for finding in found.findings) == ["GP-A024", "GP-A038"]


def test_gen5_polarization_has_both_channels_and_its_own_g():
    found = readers.read(OWN / "gen5_polarization.txt")
    assert found.channels == ("parallel", "perpendicular", "mP")
    assert float(found.metadata["g_factor"]) == pytest.approx(0.9, abs=1e-3)
    units = dict(found.table.group_by("channel").agg(pl.col("unit").first()).rows())
    assert units == {"parallel": "RFU", "perpendicular": "RFU", "mP": "mP"}
    (finding,) = [f for f in found.findings if f.code == "GP-A025"]
    assert finding.message.startswith("1 of 24 printed mP")
    assert finding.message.endswith("C5")


def test_gen5_scans_and_broken_tables_are_refused():
    refused("GP-A016", "gen5_absorbance.txt", "Absorbance Endpoint", "Absorbance Spectrum", NotSupportedError)
    refused("GP-A015", "gen5_absorbance.txt", "OVRFLW\t", "")
    refused("GP-A005", "gen5_absorbance.txt", "OVRFLW", "0,75")
    error = refused("GP-A002", "gen5_absorbance.txt", "Read\todRead", "Read\tother")
    assert "odRead:450" in error.message


def test_the_real_gen5_exports():
    tokens = shared("plate-gen5-absorbance/tokens.txt").table
    flagged = {flag: sorted(part["well"]) for (flag,), part in tokens.group_by("flag") if flag}
    assert flagged == {
        "above_range": ["A8", "B7", "C6", "D5", "E4", "F3", "G2", "H1"],
        "missing": ["D12", "E11", "F10", "G9", "H8"],
    }
    curve = shared("plate-gen5-absorbance/stdcurve.txt")
    assert curve.channels == ("630", "blanked 630")
    concentrations = curve.reference.filter(pl.col("name") == "[Concentration]")
    known = dict(concentrations.select("well", "value").rows())
    assert (known["A1"], known["A4"]) == ("1980.423", "1185.551")
    assert dict(curve.layout.table.group_by("role").len().rows()) == {
        "standard": 21,
        "blank": 3,
        "sample": 72,
    }
    assert value(curve, "H1", "blanked 630") == 0.0
    assert str(value(curve, "H1", "blanked 630")) == "0.0"


# MARS


def test_mars_reads_every_block_with_its_channel():
    found = readers.read(OWN / "mars.csv")
    assert found.channels == ("450", "620-10", "blanked 450")
    assert (found.plates, set(found.table["unit"])) == (("own plate",), {"OD"})
    assert found.table.filter(pl.col("flag") == "missing")["well"].unique().to_list() == ["D6"]
    assert "GP-A021" in codes(found)
    assert found.metadata["user"] == "µser"


def test_mars_says_what_is_below_zero():
    found = readers.read(OWN / "mars.csv")
    below = found.table.filter(pl.col("value") < 0.0).height
    assert ("GP-A019" in codes(found)) == (below > 0)
    found = changed("mars.csv", "\r\nA,", "\r\nA,-")
    (finding,) = [f for f in found.findings if f.code == "GP-A019"]
    assert 'in channel "450": A1' in finding.message


def test_mars_broken_tables_are_refused():
    error = refused("GP-A015", "mars.csv", "\r\nB,", "\r\nB,0,")
    assert "decimal comma" in error.message
    refused("GP-A015", "mars.csv", "\r\nD,", "\r\nX,")
    refused("GP-A006", "mars.csv", "Raw Data (620/10)", "Raw Data (450)")
    refused("GP-A016", "mars.csv", "Raw Data (450)", "Raw Data (450) cycle 1", NotSupportedError)
    error = refused("GP-A015", "mars.csv", ",1,2,3,4,5,6,", ",one,")
    assert "4 rows of values belong to no numbered columns" in error.message
    with pytest.raises(InputError, match="GP-A002"):
        readers.parse(b"User: a,Path: b,Test run no.: 1\r\n", "mars.csv")


def test_mars_counts_the_lines_it_does_not_read():
    found = changed("mars.csv", "Absorbance", "Absorbance\r\nA remark")
    assert any("A remark" in f.message for f in found.findings if f.code == "GP-A018")


def test_the_real_mars_plate():
    found = shared("plate-mars-transcreener/plate.csv")
    assert (found.channels, found.table.height) == (("580-620",), 384)
    rows = {
        letter: found.table.filter(pl.col("well").str.starts_with(letter))["value"] for letter in "ABCDEN"
    }
    means = [round(rows[letter].mean()) for letter in "ABCDEN"]
    assert means == [23823, 34382, 42417, 49820, 53447, 64885]
    assert (round(rows["A"].std()), round(rows["N"].std())) == (1219, 1383)
    assert found.table.filter(pl.col("flag") == "missing").height == 82


# Magellan


def test_magellan_channels_are_the_wavelengths_with_their_unit():
    found = readers.read(OWN / "magellan.xlsx")
    assert (found.channels, set(found.table["unit"])) == (("450", "620"), {"OD"})
    assert found.table.filter(pl.col("flag") == "above_range").select("well", "channel").rows() == [
        ("B2", "450")
    ]
    assert found.metadata["measurement 2 measurement wavelength"] == "620 nm"


def test_what_is_no_magellan_workbook_is_refused():
    with pytest.raises(InputError, match="GP-A002"):
        readers.parse(b"PK\x03\x04 and nothing", "p.xlsx")


def test_the_real_magellan_plate():
    found = shared("plate-magellan-elisa/plate.xlsx")
    assert found.table.height == 2 * 384
    assert [value(found, "A1", c) for c in ("485", "560")] == [0.0557, 0.0509]
    assert [value(found, "A23", c) for c in ("485", "560")] == [0.6161, 0.0562]
    assert set(found.table["unit"]) == {"OD"}
