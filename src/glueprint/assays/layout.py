"""Layouts: what is in which well, as a TOML file that people write, or as the vendor's file says."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import polars as pl

from glueprint.assays import layout_file, layout_maps, simulated
from glueprint.assays.concentrations import mixed_findings
from glueprint.assays.findings import Finding
from glueprint.assays.layout_drawing import draw
from glueprint.assays.layout_file import parse
from glueprint.assays.layout_templates import TEMPLATES, template
from glueprint.assays.layout_writing import USUAL, text, workbook
from glueprint.assays.plate import SIZES, Plate, plate_shape, well_place
from glueprint.assays.readers.text import short
from glueprint.assays.wells import CONTENT, MEASURED, Layout, Wells
from glueprint.errors import InputError, nearest

KEYS = ("plate", "well")
__all__ = ["TEMPLATES", "USUAL", "Layout", "apply", "draw", "parse", "read", "template", "text", "workbook"]


def read(path: str | Path) -> Layout:
    """The layout in a TOML file, or in a map of the plate: a table or grids in a workbook or text file.

    Raises InputError GP-A030 to GP-A039 and GP-A005, each with the file, the block and the field; of a map
    also
    GP-A158 and GP-A218.

    >>> head = 'kind = "glueprint-layout"\\nversion = 1\\nname = "mine"\\n'
    >>> wells = '[[well]]\\nwells = "A1:H1"\\nrole = "blank"\\n'
    >>> _ = Path("layout.toml").write_text(head + wells, encoding="utf-8")
    >>> read("layout.toml").table.height
    8
    """
    if Path(path).suffix.lower() == ".toml":
        return layout_file.read(path)
    return layout_maps.read(path)


def apply(plate: Plate, layout: Layout | None = None) -> Wells:
    """The plate's wells with their content, all channels alike; without a layout, the file's own is used.

    plate: as a reader gives it.   layout: as `read` gives it; it wins over the plate's own, and
    takes its place unless it `adds`.
    Returns `Wells`; wells that the layout does not name keep role "" and are counted in a finding, as are
    wells of the layout that were not measured. A file that says that it is simulated has the finding GP-A054.
    Raises InputError GP-A042 if the layout names a plate that the file does not have, or is of a smaller one.
    """
    chosen = _added(plate, layout) if layout and layout.adds else layout or plate.layout
    own = [*plate.findings, *_simulated(plate)]
    if chosen is None:
        empty = pl.DataFrame(schema={"plate": pl.String, "well": pl.String, **CONTENT})
        return Wells(_joined(plate.table, empty), (*own, _no_layout(plate)))
    _check_plates(plate, chosen)
    _check_map(plate, layout or chosen)
    joined = _joined(plate.table, chosen.table)
    findings = [*own, *chosen.findings, *_left_over(plate, chosen)]
    if layout is not None and not layout.adds:
        findings += _replaced(plate, layout)
    if layout is None and plate.reader != "tidy":
        findings += mixed_findings(chosen.table, chosen.source)
    return Wells(joined, tuple(findings), chosen.assay, source=chosen.source)


def _joined(table: pl.DataFrame, content: pl.DataFrame) -> pl.DataFrame:
    """Measured columns, content columns, then the others of both; the content's win over the file's."""
    own = [name for name in table.columns if name not in MEASURED and name not in content.columns]
    left = table.select(*MEASURED, *own)
    everywhere = content.filter(pl.col("plate") == "").drop("plate")
    placed = content.filter(pl.col("plate") != "")
    parts = []
    for name in left["plate"].unique(maintain_order=True):
        here = placed.filter(pl.col("plate") == name).drop("plate")
        both = pl.concat([here, everywhere.filter(~pl.col("well").is_in(here["well"].to_list()))])
        wells = left.filter(pl.col("plate") == name)
        parts.append(wells.join(both, on="well", how="left", maintain_order="left"))
    joined = pl.concat(parts)
    extras = [name for name in content.columns if name not in ("plate", "well")]
    texts = [pl.col(name).fill_null("") for name in extras if joined.schema[name] == pl.String]
    joined = joined.with_columns(*texts, pl.col("dilution").fill_null(1.0))
    others = [name for name in joined.columns if name not in (*MEASURED, *CONTENT)]
    return joined.select(*MEASURED, *CONTENT, *others)


def _added(plate: Plate, layout: Layout) -> Layout:
    """The given layout, and what the file says of its wells where that says nothing."""
    said_of_wells = [name for name in plate.table.columns if name in CONTENT]
    own = plate.table.select("plate", "well", *said_of_wells).unique(["plate", "well"], maintain_order=True)
    own = plate.layout.table if plate.layout else own
    given, file = (_quiet(_everywhere(part, plate.plates)) for part in (layout.table, own))
    both = given.join(file, on=["plate", "well"], how="full", coalesce=True, suffix=" of the file")
    names = [name for name in dict.fromkeys([*CONTENT, *given.columns, *file.columns]) if name not in KEYS]
    columns = []
    for name in names:
        known = [other for other in (name, f"{name} of the file") if other in both.columns]
        value = pl.coalesce(known) if known else pl.lit(None)
        columns.append(value.cast(CONTENT.get(name, pl.String)).alias(name))
    texts = [name for name in names if CONTENT.get(name, pl.String) == pl.String]
    table = both.select(*KEYS, *columns).with_columns(
        pl.col(texts).fill_null(""), pl.col("dilution").fill_null(1.0)
    )
    said = plate.layout.findings if plate.layout else ()
    return replace(layout, table=table, findings=(*layout.findings, *said))


def _everywhere(content: pl.DataFrame, plates: tuple[str, ...]) -> pl.DataFrame:
    """Content of every plate by its name; what is said of no plate is said of each."""
    names = pl.DataFrame({"plate": list(plates)}, schema={"plate": pl.String})
    shared = (
        content.filter(pl.col("plate") == "").drop("plate").join(names, how="cross").select(content.columns)
    )
    own = content.filter(pl.col("plate") != "")
    return pl.concat([own, shared.join(own, on=list(KEYS), how="anti")])


def _quiet(content: pl.DataFrame) -> pl.DataFrame:
    """Null where nothing is said: for text "", for a dilution 1."""
    texts = [name for name, kind in content.schema.items() if kind == pl.String and name not in KEYS]
    said = content.with_columns(pl.col(texts).replace("", None)) if texts else content
    return said.with_columns(pl.col("dilution").replace(1.0, None)) if "dilution" in said.columns else said


def _simulated(plate: Plate) -> list[Finding]:
    """What the file says of being simulated, in its head or tail or in a column."""
    head = simulated.of_metadata(plate.metadata, plate.source)
    return head or simulated.of_table(plate.table, plate.source)


def _no_layout(plate: Plate) -> Finding:
    return Finding(
        "GP-A044",
        "warning",
        "nothing says what is in the wells: no layout is given and the file has none",
        where=plate.source,
        expected="a layout file, or groups, well IDs or a column role in the plate file",
        next_step="write a layout: `glueprint assay layout --template elisa` gives one to begin with",
    )


def _check_plates(plate: Plate, layout: Layout) -> None:
    unknown = [
        name for name in layout.table["plate"].unique(maintain_order=True) if name not in ("", *plate.plates)
    ]
    if unknown:
        raise InputError(
            "GP-A042",
            f'the file has no plate "{unknown[0]}"{nearest(unknown[0], plate.plates)}',
            where=layout.source,
            expected=f"one of {', '.join(repr(name) for name in plate.plates)}, or no plate at all",
            next_step="correct the plate's name in the layout",
        )
    rows, columns = SIZES[layout.size] if layout.size else (math.inf, math.inf)
    places = ((well, well_place(well)) for well in plate.table["well"].unique(maintain_order=True))
    beyond = [well for well, (row, column) in places if row >= rows or column >= columns]
    if beyond:
        raise InputError(
            "GP-A042",
            f"a layout of {layout.size} wells, and a plate with the well {beyond[0]}",
            where=layout.source,
            expected="a layout of the plate that was read",
            next_step="say plate_wells of the plate; wells of one name lie elsewhere on it",
        )


def _check_map(plate: Plate, layout: Layout) -> None:
    """Raise InputError GP-A042 for a map that names every well of a smaller plate, and no other."""
    rows, columns = plate_shape([well_place(well) for well in plate.table["well"].unique()])
    named = {well_place(well) for well in layout.table["well"]}
    for size, (high, across) in SIZES.items() if not layout.size else ():
        every = {(row, column) for row in range(high) for column in range(across)}
        if named == every and high < rows and across < columns:
            raise InputError(
                "GP-A042",
                f"a map of {size} wells on a plate of {rows * columns}",
                where=layout.source,
                expected="a map of the plate that was read",
                next_step="draw the map for the plate; wells of one name lie elsewhere on it",
            )


def _left_over(plate: Plate, layout: Layout) -> list[Finding]:
    """Wells that were measured and not named, and the other way round."""
    measured = plate.table.select("plate", "well").unique(maintain_order=True)
    named = layout.table.select("plate", "well")
    placed = measured.join(named.filter(pl.col("plate") != ""), on=["plate", "well"], how="anti")
    unnamed = placed.join(named.filter(pl.col("plate") == "").select("well"), on="well", how="anti")
    alone = named.join(measured, on=["plate", "well"], how="anti").filter(
        (pl.col("plate") != "") | ~pl.col("well").is_in(measured["well"].to_list())
    )
    findings = []
    if unnamed.height:
        said = f"{unnamed.height} measured wells are not in the layout: {short(unnamed['well'])}"
        findings.append(Finding("GP-A041", "note", said, layout.source))
    if alone.height:
        said = f"{alone.height} wells of the layout were not measured: {short(alone['well'])}"
        remedy = "check that plate and layout belong together"
        findings.append(Finding("GP-A043", "warning", said, layout.source, next_step=remedy))
    return findings


def _replaced(plate: Plate, layout: Layout) -> list[Finding]:
    """What of the file's own the given layout hides."""
    hidden = [name for name in plate.table.columns if name not in MEASURED and name in layout.table.columns]
    if plate.layout is None and not hidden:
        return []
    said = f"the layout takes the place of what {plate.source} says is in the wells"
    columns = f" (columns {short(hidden)})" if hidden else ""
    return [Finding("GP-A046", "note", said + columns, layout.source)]
