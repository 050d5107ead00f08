"""Vendors' own exports: every value in its well, for the public files; parts of plates, unnamed steps,
masks."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from pathlib import Path

import polars as pl
import pytest

from glueprint.assays import layout, readers
from glueprint.errors import InputError

PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "plates-public"
OWN = Path(__file__).parent / "data"
ANSWERS = ".answers.csv"
FILES = sorted(PUBLIC.glob(f"*/*{ANSWERS}"))


@pytest.mark.skipif(not FILES, reason="the public plates are not beside this repository")
@pytest.mark.parametrize("answers", FILES, ids=lambda path: path.name.removesuffix(ANSWERS))
def test_every_value_of_a_public_file_is_in_its_well(answers):
    found = readers.read(answers.with_name(answers.name.removesuffix(ANSWERS)))
    values: dict[str, list[float]] = {}
    for well, value in found.table.select("well", "value").drop_nulls("value").rows():
        values.setdefault(well, []).append(value)
    with answers.open(encoding="utf-8", newline="") as stream:
        wanted = [(row["well"], float(row["value"])) for row in csv.DictReader(stream)]
    lost = [
        (well, value)
        for well, value in wanted
        if not any(math.isclose(value, read, rel_tol=1e-9) for read in values.get(well, []))
    ]
    assert wanted
    assert not lost


HEAD = (
    "Software Version\t3.05.11\n\nExperiment File Path:\tC:\\x\\a.xpt\n\nPlate Number\tPlate 1\n\n"
    "Procedure Details\n\n"
)


LIGHT = "Fluorescence Endpoint\n\t  Excitation: 485/20,  Emission: 528/20"


def gen5(step, table):
    content = HEAD + f"Plate Type\t96 WELL PLATE\nRead\t{step}\n\tFull Plate\n\nResults\n{table}\n"
    return readers.parse(content.encode(), "g.txt")


@pytest.mark.parametrize(
    ("step", "label", "channel", "unit"),
    [
        ("Luminescence Endpoint", "Lum", "Lum", "RLU"),
        ("Alpha Endpoint", "Alpha", "Alpha", ""),
        (LIGHT, "485/20,528/20", "485-528", "RFU"),
        (LIGHT, "485,528", "485-528", "RFU"),
        ("Luminescence Endpoint\n\t  Emission: 460/40", "460/40", "460", "RLU"),
        ("Glo\n\tLuminescence Endpoint", "Glo:Lum", "Lum", "RLU"),
    ],
)
def test_a_step_without_a_name_and_a_part_of_a_plate(step, label, channel, unit):
    rows = "".join(f"{letter}\t{n}1\t{n}2\t{n}3\t{label}\n" for n, letter in ((1, "B"), (2, "D")))
    found = gen5(step, f"\t3\t4\t5\n{rows}\n")
    assert found.channels == (channel,)
    assert found.table.select("well", "value", "unit").rows()[2:4] == [("B5", 13.0, unit), ("D3", 21.0, unit)]


def test_a_whole_width_that_ends_the_file_may_be_cut_off():
    scale = "\t".join(map(str, range(1, 13)))
    rows = "".join("{}\t{}\tLum\n".format(letter, "\t".join(["1"] * 12)) for letter in "ABC")
    with pytest.raises(InputError, match="GP-A015"):
        gen5("Luminescence Endpoint", f"\t{scale}\n{rows}".rstrip("\n"))
    assert gen5("Luminescence Endpoint", f"\t{scale}\n{rows}\nEnd of export\n").table.height == 36


def softmax(*changes):
    content = (OWN / "softmax_plate.txt").read_bytes()
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return readers.parse(text.encode(), "s.txt")


def test_wells_that_are_masked_in_softmax_keep_their_value_and_are_left_out():
    found = softmax(("A2\t2.336", "A2\tMasked"))
    masked = found.table.filter(pl.col("well") == "A2")
    assert masked["value"].to_list() == softmax().table.filter(pl.col("well") == "A2")["value"].to_list()
    assert masked["value"].null_count() == 0
    assert set(masked["flag"]) == {"masked"}
    (finding,) = [f for f in found.findings if f.code == "GP-A211"]
    assert "A2 (450) 2.3364" in finding.message
    assert layout.apply(found).table.filter(pl.col("well") == "A2")["role"].unique().to_list() == ["standard"]


def test_a_wavelength_that_was_read_twice_is_two_channels():
    assert softmax(("450 650 ", "450 450 ")).channels[:2] == ("450", "450 (2)")


def test_the_own_column_of_concentrations_of_softmax_is_read():
    own = softmax(("Conc\t!SampleDescriptor", "Conc\t!Concentration")).layout.table
    plain = softmax().layout.table
    assert own["concentration"].to_list() == plain["concentration"].to_list()
    assert own["concentration"].drop_nulls().max() == 400.0


def test_a_plate_that_was_not_read_is_said():
    content = (OWN / "softmax_line.txt").read_bytes()
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("Plate:"))
    end = next(n for n in range(start, len(lines)) if lines[n].strip() == "~End")
    head = lines[start].replace(lines[start].split("\t")[1], "Empty plate", 1)
    unread = [head, lines[start + 1], "", "~End"]
    both = "\n".join([*lines[: end + 1], *unread, *lines[end + 1 :]])
    found = readers.parse(both.encode(), "s.txt")
    assert "Empty plate" not in found.plates
    assert "GP-A216" in [f.code for f in found.findings]


def test_a_wavelength_that_magellan_read_twice_is_two_channels():
    packed = zipfile.ZipFile(OWN / "magellan.xlsx")
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as book:
        for entry in packed.infolist():
            content = packed.read(entry).replace(b"620 nm", b"450 nm")
            book.writestr(entry, content)
    assert readers.parse(found.getvalue(), "m.xlsx").channels == ("450", "450 (2)")
