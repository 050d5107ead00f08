"""`glueprint assay blot`: an image to band volumes, and with annotated lanes to fractions remaining."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint.assays import blot
from glueprint.cli.output import Json, print_json, print_table
from glueprint.cli.plates import Exclude, FigureFile, print_findings, shown, write_tables
from glueprint.runs.store import write_file

VOLUMES = ("membrane", "lane", "band", "role", "volume", "noise_sd", "saturated_percent", "status")
BANDS = (
    "membrane",
    "lane",
    "target",
    "sample",
    "dose_nm",
    "time_h",
    "treatment",
    "relation",
    "fraction_remaining",
    "log_ratio",
    "log_ratio_se",
    "flags",
)


def command(
    image: Annotated[Path, typer.Argument(help="The blot: TIFF or PNG, 16 bit as the camera counted.")],
    boxes: Annotated[
        list[Path] | None, typer.Option(help="Lanes, bands and what is in them (TOML); one a membrane.")
    ] = None,
    write_boxes: Annotated[
        Path | None,
        typer.Option(help="Write the lanes and bands used, to correct and annotate; one file a membrane."),
    ] = None,
    reference_image: Annotated[
        Path | None, typer.Option(help="A second picture of the membrane, such as total protein.")
    ] = None,
    light: Annotated[
        str | None, typer.Option(help="emission (bright bands), or transmission (optical density).")
    ] = None,
    invert: Annotated[bool, typer.Option("--invert", help="The file holds ceiling minus counts.")] = False,
    page: Annotated[int | None, typer.Option(help="Page of a file with several, from 1.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="Of a colour image: red, green, blue, or grey (their mean).")
    ] = None,
    crop: Annotated[
        list[str] | None,
        typer.Option(
            help="Part to read: [NAME=]TOP:BOTTOM,LEFT:RIGHT, px; several are membranes of their own."
        ),
    ] = None,
    background_light: Annotated[
        float | None, typer.Option(help="Counts where nothing absorbs; default: from the image.")
    ] = None,
    background: Annotated[
        str, typer.Option(help="lane (base line), beside (gaps between lanes) or border (rim median).")
    ] = "lane",
    base_line: Annotated[int | None, typer.Option(help="Half window of the base line, px.")] = None,
    rim: Annotated[int, typer.Option(help="Width of the rim, px.")] = 3,
    reference: Annotated[str | None, typer.Option(help="Band to divide by.")] = None,
    exclude: Exclude = None,
    figure: FigureFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """Find and integrate the bands of a blot; with annotated boxes, fractions remaining of vehicle."""
    settings = blot.Settings(
        light=light,
        invert=invert,
        page=page,
        channel=channel,
        crop=tuple(crop or ()),
        background_light=background_light,
        background=background,
        base_line_px=base_line,
        rim_px=rim,
        reference=reference,
        exclude=tuple(exclude or ()),
    ).checked()
    given = [blot.boxes.read(path) for path in boxes] if boxes else None
    second = blot.read(reference_image, channel=channel) if reference_image is not None else None
    result = blot.analyse(blot.read(image, page, channel), given, settings, reference=second)
    if write_boxes is not None:
        _write_boxes(write_boxes, result)
    if figure is not None:
        _draw(result, figure)
    if out is not None:
        _write(out, result)
    if as_json:
        print_json(result.as_dict())
    else:
        _print(result)
        print_findings(result.findings)
    if result.refused:
        raise typer.Exit(1)


def _write_boxes(path: Path, result: blot.Result) -> None:
    """The boxes; of several membranes each in a file with its name behind that of `path`."""
    for part in result.membranes:
        name = f"{path.stem}-{part.boxes.file.membrane}{path.suffix}" if result.parts else path.name
        write_file(path.with_name(name), blot.boxes_writing.text(part.boxes))


def _write(folder: Path, result: blot.Result) -> None:
    """All tables; of the bands, those that a degradation analysis can take, and apart what it cannot."""
    bands = result.tables["bands"]
    usable = pl.col("fraction_remaining").is_not_null() & ~pl.col("flags").str.contains("dilution series")
    parted = {"bands": bands.filter(usable), "bands_left_out": bands.filter(~usable)}
    write_tables(folder, dict(result.tables) | parted)


def _draw(result: blot.Result, path: Path) -> None:
    # Drawing costs an import that numbers need not pay.
    from glueprint.report import figures
    from glueprint.report.figures.blot import blots

    parts = {
        part.boxes.file.membrane: (part.tables, part.pictures["blot"].values) for part in result.membranes
    }
    figures.save(blots(parts), path)


def _print(result: blot.Result) -> None:
    volumes, bands = result.tables["volumes"], result.tables["bands"]
    unit = f"{result.pictures['blot'].unit} summed over pixels"
    print_table(
        f"Volumes, {unit}", VOLUMES, [[shown(cell) for cell in row] for row in volumes.select(VOLUMES).rows()]
    )
    if bands.height:
        title = f"Of vehicle, divided by {bands['reference'][0]}"
        print_table(title, BANDS, [[shown(cell) for cell in row] for row in bands.select(BANDS).rows()])
    lines = result.tables["linearity"]
    if lines.height:
        print_table("Dilution series", lines.columns, [[shown(cell) for cell in row] for row in lines.rows()])
