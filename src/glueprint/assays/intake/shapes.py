"""What a table of curves may look like: columns that hold nothing, curves beside each other, labels that
stand once for the rows below them, rows that stand twice."""

from __future__ import annotations

import re
from collections.abc import Collection

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import wide
from glueprint.assays.intake.headers import BRACKETS, CONCENTRATIONS, parsed, unit_of
from glueprint.assays.intake.labels import is_vehicle, role_of

__all__ = [
    "DOSED",
    "doses_in_names",
    "filled",
    "labels_below",
    "of_growth_rates",
    "side_by_side",
    "spelled",
    "twice",
]

FEWEST_ROWS = 8
# Marks within a label that people leave out; not those of numbers, nor of CRBN-/-.
BETWEEN = re.compile(r"(?<=[a-z])[\s._-]+(?=[a-z0-9])|(?<=[a-z0-9])[\s._-]+(?=[a-z])")
LABELS = ("line", "compound", "experiment", "time_h", "target")
# What one reading differs in from another one of the same well.
PLACES = ("well", "plate", "channel", "role", "line", "experiment", "replicate", "time_h", "target")
# "Glue 10 nM", "Glue, 10 nM", "Glue@10nM", "Glue_0.5 uM"; and what counts its replicates.
DOSED = re.compile(r"(.*?)[\s,;@_|]+(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([a-zA-Zµμ/]+)")
REPEAT = re.compile(r"[\s_-]*(?:\b(?:rep|replicate|r|n)[\s_.-]?\d{1,2}|#\d{1,2})$", re.IGNORECASE)
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

    Only where the readings have names of their own, or the doses have ("Pom (uM)", "Len (uM)"): "Viability"
    twice behind "Dose" says not whose it is.
    """
    doses = [n for n, name in enumerate(table.columns) if parsed(name).ours == "dose"]
    if len(doses) < 2:
        return table
    blocks = [table.columns[a:b] for a, b in zip(doses, [*doses[1:], table.width], strict=True)]
    read = [[name for name in block[1:] if wide.numeric(table[name])] for block in blocks]
    apart = {(parsed(block[0]).unit, parsed(block[0]).base) for block in blocks}
    again = any(re.search(r" #\d+$", name) for names in read for name in names)
    whose = [parsed(block[0]).words for block in blocks]
    named = len({*whose}) == len(whose) and not any(parsed(word).ours == "dose" for word in whose)
    if len(apart) > 1 or (again and not named) or not all(read) or any(STOCK.search(b[0]) for b in blocks):
        return table
    labels = table.columns[: doses[0]]
    dose = blocks[0][0]
    parts = [table.select(*labels, pl.col(b[0]).alias(dose), *b[1:]) for b in blocks]
    if again and "compound" not in {parsed(name).ours for name in labels}:
        parts = [_of_one(part, block) for part, block in zip(parts, blocks, strict=True)]
    changes.append(f"{len(blocks)} columns of doses, each with its own readings behind it")
    stacked = pl.concat(parts, how="diagonal_relaxed").filter(pl.col(dose).is_not_null())
    return stacked.rename({dose: f"dose ({parsed(dose).unit})"}) if again else stacked


def _of_one(part: pl.DataFrame, block: list[str]) -> pl.DataFrame:
    """One curve beside others under the name that its doses have, its readings without what counts them."""
    heading = parsed(block[0])
    said = re.split(r"[\s_,]+", BRACKETS.sub(" ", block[0]))
    name = " ".join(word for word in said if word and unit_of(word) != heading.unit)
    names = {one: re.sub(r" #\d+$", "", one) for one in block[1:]}
    return part.rename(names).with_columns(pl.lit(name).alias("compound"))


def of_growth_rates(table: pl.DataFrame, changes: list[str]) -> pl.DataFrame:
    """Counts as fractions of those of the control, which stand beside each with those of time zero, as the
    calculators of GR metrics take them."""
    counts = next((name for name in table.columns if f"{name}__ctrl" in table.columns), "")
    if not counts:
        return table
    value, control = (pl.col(name).cast(pl.Float64, strict=False) for name in (counts, f"{counts}__ctrl"))
    found = table.with_columns((value / control).alias("viability"))
    start = f"{counts}__time0"
    if start in table.columns:
        zero = pl.col(start).cast(pl.Float64, strict=False) / control
        found = found.with_columns(zero.alias("signal_at_zero"))
    changes.append(f'"{counts}" over "{counts}__ctrl" as viability')
    return found.drop(counts, f"{counts}__ctrl", start, strict=False)


def doses_in_names(table: pl.DataFrame, changes: list[str]) -> pl.DataFrame:
    """Names such as "Glue 10 nM" or "Glue_10nM rep 2" as compound and dose, in a table without doses."""
    headings = {name: parsed(name).ours for name in table.columns}
    named = [name for name, ours in headings.items() if ours == "compound"]
    if len(named) != 1 or {"dose", "dose_nm"} & {*headings.values(), *table.columns}:
        return table
    cells = [REPEAT.sub("", str(cell or "").strip()) for cell in table[named[0]]]
    found = [DOSED.fullmatch(cell) for cell in cells]
    doses = [bool(one and unit_of(one[3]) in CONCENTRATIONS.values()) for one in found]
    if sum(doses) < FEWEST_ROWS // 2 or not all(
        dosed or is_vehicle(cell) or role_of(cell) for dosed, cell in zip(doses, cells, strict=True)
    ):
        return table
    split = [(one[1], f"{one[2]} {one[3]}") if one and dosed else (cell, "")
             for one, dosed, cell in zip(found, doses, cells, strict=True)]  # fmt: skip
    changes.append(f'doses in the names of "{named[0]}"')
    return table.with_columns(
        pl.Series(named[0], [name for name, _ in split]),
        pl.Series("dose", ["0" if not dose and is_vehicle(name) else dose or None for name, dose in split]),
    )


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


def spelled(table: pl.DataFrame) -> list[Finding]:
    """Warnings of labels that differ in capitals, spaces, dots, hyphens and underscores alone."""
    found = []
    for name in (one for one in LABELS if one in table.columns and one != "time_h"):
        alike: dict[str, list[str]] = {}
        for label in table[name].drop_nulls().cast(pl.String).str.strip_chars().unique(maintain_order=True):
            if not role_of(label):
                alike.setdefault(BETWEEN.sub("", label.lower()), []).append(label)
        several = [f'"{" and ".join(labels)}"' for labels in alike.values() if len(labels) > 1]
        if several:
            said = f"{', '.join(several[:4])} differ in spelling alone and count as several"
            remedy = "spell them alike if they are one"
            found.append(Finding("GP-A227", "warning", said, f'column "{name}"', "one label each", remedy))
    return found


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
