"""What a table of curves may look like: columns that hold nothing, curves beside each other, labels that
stand once for the rows below them, rows that stand twice."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import wide
from glueprint.assays.intake.headers import parsed
from glueprint.assays.intake.labels import is_vehicle

__all__ = ["filled", "labels_below", "side_by_side", "twice"]

FEWEST_ROWS = 8
LABELS = ("line", "compound", "experiment", "time_h", "target")
# What one reading differs in from another one of the same well.
PLACES = ("well", "plate", "channel", "role", "line", "experiment", "replicate", "time_h", "target")
# Of one well: other columns of doses than of the curve behind them.
STOCK = re.compile(r"stock|final|nominal|actual|planned|intended|measured", re.IGNORECASE)


def filled(table: pl.DataFrame, ours: Collection[str]) -> pl.DataFrame:
    """The table without columns that hold nothing, and without times that are all zero: a program's index."""
    empty = [name for name in table.columns if table[name].null_count() == table.height and table.height]
    kept = [name for name in table.columns if name not in empty or name in ours]
    times = [name for name in kept if name not in ours and parsed(name).ours == "time_h"]
    zero = [n for n in times if (table[n].cast(pl.Float64, strict=False).fill_null(1.0) == 0.0).all()]
    return table.select([name for name in kept if name not in zero])


def side_by_side(table: pl.DataFrame, changes: list[str]) -> pl.DataFrame:
    """Several curves beside each other, each behind its own column of doses, as one column of doses.

    Only where the readings have names of their own: "Viability" twice says not whose it is.
    """
    doses = [n for n, name in enumerate(table.columns) if parsed(name).ours == "dose"]
    if len(doses) < 2:
        return table
    blocks = [table.columns[a:b] for a, b in zip(doses, [*doses[1:], table.width], strict=True)]
    read = [[name for name in block[1:] if wide.numeric(table[name])] for block in blocks]
    apart = {(parsed(block[0]).unit, parsed(block[0]).base) for block in blocks}
    again = any(re.search(r" #\d+$", name) for names in read for name in names)
    if len(apart) > 1 or again or not all(read) or any(STOCK.search(block[0]) for block in blocks):
        return table
    labels = table.columns[: doses[0]]
    parts = [table.select(*labels, pl.col(b[0]).alias(blocks[0][0]), *b[1:]) for b in blocks]
    changes.append(f"{len(blocks)} columns of doses, each with its own readings behind it")
    stacked = pl.concat(parts, how="diagonal_relaxed")
    return stacked.filter(pl.col(blocks[0][0]).is_not_null())


def labels_below(table: pl.DataFrame, changes: list[str]) -> pl.DataFrame:
    """The table with every label written down to the next, in columns where each stands once, as merged cells
    do.

    A vehicle alone names its own well and not those below.
    """
    for name in (one for one in LABELS if one in table.columns):
        cells = [str(cell).strip() if cell is not None else "" for cell in table[name]]
        said = [cell for cell in cells if cell]
        if (
            not said
            or len(set(said)) < len(said)
            or not cells[0]
            or len(cells) < 3 * len(said)
            or all(map(is_vehicle, said))
        ):
            continue
        below = pl.Series(name, [cell or None for cell in cells], dtype=pl.String).forward_fill()
        table = table.with_columns(below)
        changes.append(f"{name} written once for the rows below it")
    return table


def twice(table: pl.DataFrame) -> list[Finding]:
    """A warning where every row stands at least twice, and where a plate has one well several times."""
    remedy = "leave the copies out; readings of other plates have a column plate"
    if table.height >= FEWEST_ROWS and table.is_duplicated().all():
        said = f"each of {table.unique().height} rows stands several times in {table.height}"
        return [Finding("GP-A224", "warning", said, "", "every reading once", remedy)]
    keys = [name for name in PLACES if name in table.columns]
    if "well" not in keys or table["well"].null_count():
        return []
    again = table.filter(table.select(keys).is_duplicated())
    if again.is_empty():
        return []
    wells = again["well"].unique(maintain_order=True).to_list()
    said = f"{len(wells)} wells stand several times: {', '.join(map(str, wells[:4]))}"
    return [Finding("GP-A224", "warning", said, 'column "well"', "every well once a plate", remedy)]
