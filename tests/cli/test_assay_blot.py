"""`glueprint assay blot`: find, correct, annotate, read again; output, tables, figure and exit codes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.assays.blot import boxes
from glueprint.cli.app import app
from glueprint.errors import InputError

TARGET = np.array([1.0, 1.1, 0.6, 0.3, 0.1, 0.0])


def run(*arguments):
    return CliRunner().invoke(app, ["assay", "blot", *map(str, arguments)])


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    from benchmarks import blot_pictures

    drawn = blot_pictures.Blot(
        np.array([2e6 * TARGET, np.full(6, 3e6)]), (120.0, 240.0), (5.0, 5.0), shape=(340, 440)
    )
    path = tmp_path_factory.mktemp("blot") / "blot.tif"
    path.write_bytes(blot_pictures.tiff_bytes(blot_pictures.draw(drawn), compression="lzw"))
    return path


def annotate(text, vehicles=(1, 2)):
    """What a person does with the file that was written."""
    text = text.replace('"band 1"', '"IKZF3"').replace('"band 2"', '"actin"')
    head, tail = text.split('name = "actin"')
    tail = tail.replace('role = "target"', 'role = "loading"', 1)
    text = head + 'name = "actin"' + tail
    for lane in range(1, 7):
        dose = 0 if lane in vehicles else 10 ** (lane - 2)
        start = text.index(f"[[lane]]\nlane = {lane}\n")
        before, block, after = text[:start], *text[start:].split("\n\n", 1)
        block = block.replace("# dose_nm = 0", f"dose_nm = {dose}").replace("# time_h = 0", "time_h = 4")
        block = block.replace("vehicle = false", f"vehicle = {'true' if lane in vehicles else 'false'}")
        text = before + block + "\n\n" + after
    return text


@pytest.fixture
def annotated(image, tmp_path):
    path = tmp_path / "boxes.toml"
    done = run(image, "--write-boxes", path)
    assert done.exit_code == 0, done.output
    assert "GP-A137" in done.output
    path.write_text(annotate(path.read_text("utf-8")), encoding="utf-8")
    return path


def test_found_annotated_and_read_again(image, annotated, tmp_path):
    done = run(
        image, "--boxes", annotated, "--json", "--out", tmp_path / "out", "--figure", tmp_path / "b.svg"
    )
    assert done.exit_code == 0, done.output
    found = payload(done.stdout)
    assert (found["light"], found["unit"]) == ("emission", "counts")
    rows = found["tables"]["bands"]
    assert [row["relation"] for row in rows] == ["="] * 5 + ["<"]
    expected = TARGET[:5] / np.sqrt(1.1)
    assert [row["fraction_remaining"] for row in rows[:5]] == pytest.approx(expected.tolist(), rel=0.03)
    assert pl.read_csv(tmp_path / "out" / "bands.csv").height == 6
    assert pl.read_csv(tmp_path / "out" / "bands_left_out.csv").height == 0
    assert pl.read_csv(tmp_path / "out" / "volumes.csv").height == 12
    assert "profiles" not in found["tables"]
    drawn = (tmp_path / "b.svg").read_text("utf-8")
    assert "data:image/png;base64," in drawn
    assert "IKZF3" in drawn


def test_text_has_volumes_ratios_and_findings(image, annotated):
    done = run(image, "--boxes", annotated)
    assert "Volumes, counts summed over pixels" in done.output
    assert "Of vehicle, divided by actin" in done.output
    assert "GP-A135 note" in done.output


def test_a_refusal_ends_with_1_and_what_is_refused_is_apart(image, annotated, tmp_path):
    text = annotated.read_text("utf-8").replace("vehicle = true", "vehicle = false")
    annotated.write_text(text, encoding="utf-8")
    done = run(image, "--boxes", annotated, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "GP-A131 refusal" in done.output
    assert pl.read_csv(tmp_path / "out" / "bands.csv").height == 0
    assert pl.read_csv(tmp_path / "out" / "bands_left_out.csv")["flags"][0] == "no vehicle lane"


def test_a_dilution_series_is_shown_and_kept_out_of_the_ratios(image, annotated, tmp_path):
    text = annotated.read_text("utf-8")
    for lane in (3, 4, 5):
        text = text.replace(f"lane = {lane}\nleft", f"load = {0.6 / 2 ** (lane - 3)}\nlane = {lane}\nleft")
        text = text.replace(f"dose_nm = {10 ** (lane - 2)}\n", "dose_nm = 5\n")
    annotated.write_text(text, encoding="utf-8")
    done = run(image, "--boxes", annotated, "--out", tmp_path / "out")
    assert "Dilution series" in done.output
    assert pl.read_csv(tmp_path / "out" / "bands_left_out.csv")["lane"].to_list() == [3, 4, 5]
    assert pl.read_csv(tmp_path / "out" / "linearity.csv").height == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--light", "ultraviolet"), "GP-A121"),
        (("--light", "transmission"), "GP-A119"),
        (("--page", "4"), "GP-A115"),
        (("--reference", "actin"), "GP-A121"),
    ],
)
def test_unusable_requests_are_refused_with_a_code(image, options, code):
    done = run(image, *options)
    assert isinstance(done.exception, InputError)
    assert done.exception.code == code
    assert done.exception.exit_code == 2


def test_a_second_picture_of_the_same_file(image, annotated):
    text = annotated.read_text("utf-8")
    head, tail = text.split('name = "actin"')
    annotated.write_text(
        head + 'name = "actin"' + tail.replace('image = "blot"', 'image = "reference"', 1), "utf-8"
    )
    with_it = run(image, "--boxes", annotated, "--reference-image", image, "--json")
    assert with_it.exit_code == 0, with_it.output
    rows = payload(with_it.stdout)["tables"]["volumes"]
    assert {row["image"] for row in rows} == {"blot", "reference"}
    assert run(image, "--boxes", annotated).exception.code == "GP-A139"


def test_the_options_of_background(image, annotated):
    border = payload(run(image, "--boxes", annotated, "--background", "border", "--rim", 5, "--json").stdout)
    assert border["tables"]["volumes"][0]["method"] == "median of a rim of 5 px"
    lane = payload(run(image, "--boxes", annotated, "--base-line", 44, "--json").stdout)
    assert lane["tables"]["volumes"][0]["method"] == "lane base line, half window 44 px"


def test_written_boxes_are_those_used(image, annotated, tmp_path):
    run(image, "--boxes", annotated, "--write-boxes", tmp_path / "again.toml")
    assert boxes.read(tmp_path / "again.toml").file == boxes.read(annotated).file


def test_parts_are_read_one_by_one_and_written_apart(tmp_path):
    from benchmarks import blot_pictures

    gels = [
        blot_pictures.draw(
            blot_pictures.Blot(
                np.array([2e6 * np.ones(5)]), (120.0,), (5.0,), shape=(240, 440), first_px=first
            )
        )
        for first in (80.0, 110.0)
    ]
    path = tmp_path / "two.tif"
    path.write_bytes(blot_pictures.tiff_bytes(np.vstack(gels)))
    refused = run(path)
    assert isinstance(refused.exception, InputError)
    assert refused.exception.code == "GP-A233"
    crops = ("--crop", "a=0:240,0:440", "--crop", "b=240:480,0:440")
    boxes_file, figure = tmp_path / "boxes.toml", tmp_path / "two.svg"
    done = run(path, *crops, "--write-boxes", boxes_file, "--figure", figure, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "membrane a" in figure.read_text("utf-8")
    written = [tmp_path / f"boxes-{name}.toml" for name in "ab"]
    assert [boxes.read(one).file.crop for one in written] == ["0:240,0:440", "240:480,0:440"]
    again = run(path, "--boxes", written[0], "--boxes", written[1], "--out", tmp_path / "again")
    assert again.exit_code == 0, again.output
    tables = [pl.read_csv(tmp_path / name / "volumes.csv") for name in ("out", "again")]
    assert tables[0].equals(tables[1])
    assert tables[0]["membrane"].unique(maintain_order=True).to_list() == ["a", "b"]


def test_the_channel_of_a_colour_image_is_asked_for(tmp_path):
    from benchmarks import blot_pictures

    counts = [
        blot_pictures.draw(blot_pictures.Blot(np.array([2e6 * np.ones(5)]), (row,), (5.0,), shape=(340, 440)))
        for row in (120.0, 240.0)
    ]
    path = tmp_path / "two.tif"
    colours = np.stack([*counts, np.zeros_like(counts[0])], axis=-1)
    path.write_bytes(blot_pictures.tiff_bytes(colours, photometric="rgb"))
    refused = run(path)
    assert refused.exception.code == "GP-A113"
    done = run(path, "--channel", "green", "--json")
    assert payload(done.stdout)["settings"]["channel"] == "green"
    assert "GP-A231" in done.stdout
