"""Tables as people keep them to the columns that the analyses know: names, units, scales, one row a
reading."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import meaning, wide
from glueprint.assays.intake.headers import CONCENTRATIONS, PER_HOUR, Heading, parsed
from glueprint.assays.intake.labels import is_vehicle, role_of
from glueprint.assays.intake.meaning import RESPONSES
from glueprint.errors import InputError

__all__ = ["Canonical", "canonical"]

# Columns that stay as they are, whatever they may also mean elsewhere.
OURS = (
    *[
        "line",
        "compound",
        "experiment",
        "replicate",
        "role",
        "dose",
        "dose_nm",
        "dose_unit",
        "time_h",
        "doubling_time_h",
    ],
    *[
        "signal_at_zero",
        "generation",
        "count",
        "log_ratio",
        "well",
        "plate",
        "channel",
        "target",
        "membrane",
        "lane",
    ],
    *["relation", "washout_h", "flags", "vehicle", "simulated", "side"],
    *RESPONSES,
)
IDENTITY = ("line", "compound", "experiment", "time_h", "target", "treatment", "membrane")
# Columns whose labels tell wells apart and not what is in them.
TECHNICAL = frozenset(
    [
        "replicate",
        "well",
        "wells",
        "row",
        "col",
        "column",
        "plate",
        "position",
        "index",
        "id",
        "file",
        "comment",
        "note",
        "notes",
        "flags",
        "channel",
        "lane",
        "unnamed",
        "",
        "#",
        "no",
        "nr",
        "read order",
        "sd",
        "simulated",
        "vehicle",
        "side",
        "relation",
        "washout_h",
        "membrane",
        "signal_at_zero",
        "doubling_time_h",
    ]
)
MOST_LABELS, CROSSED = 24, 3
LABELS = ("line", "compound", "experiment", "replicate")
AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([^\d\s].*)")


@dataclass(frozen=True)
class Canonical:
    """A table with our columns, what its response is ("" for none, or of generations), and what was done to
    it.

    changes: in words, for the line that is printed before any number.   unused: columns that nobody reads.
    """

    table: pl.DataFrame
    response: str
    changes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def canonical(table: pl.DataFrame, *, keep: Collection[str] = ()) -> Canonical:
    """The table under our names, its doses as amounts, its times in hours, its replicates below each other.

    table: any of docs/assays.md, "Tables".   keep: names that stay as they are.
    Raises InputError GP-A205 and GP-A206 (doses), GP-A207 (times), GP-A213 (a response without a name),
    GP-A214 (labels).
    """
    changes: list[str] = []
    if any(parsed(name).ours.startswith("fraction_") or name == "log_ratio" for name in table.columns):
        keep = (*keep, "treatment")  # of lanes: MLN4924, cycloheximide
    headings = {name: _checked(_heading(name, keep), table[name]) for name in table.columns}
    found = _renamed(table, headings, changes)
    found = _dosed(found, headings, changes)
    found = _timed(found, headings)
    response = next((name for name in RESPONSES if name in found.columns), "")
    if (
        not response
        and "log_ratio" not in found.columns
        and not {"generation", "count"} <= set(found.columns)
    ):
        found, response = _readings(found, headings, changes)
    findings = _dose_findings(found, headings)
    meaning.refused(findings)
    unused = tuple(name for name in found.columns if name not in (*OURS, *keep))
    _not_pooled(found, unused)
    unused += tuple(name for name in RESPONSES if name in found.columns and name != response)
    return Canonical(found, response, tuple(changes), unused, tuple(findings))


def _heading(name: str, keep: Collection[str]) -> Heading:
    small = name.strip().lower()
    if name in keep or small in OURS:
        unit = "nM" if small == "dose_nm" else "h" if small in ("time_h", "doubling_time_h") else ""
        return Heading(name if name in keep else small, small, unit)
    return parsed(name)


def _checked(heading: Heading, cells: pl.Series) -> Heading:
    """The heading, without our name where the cells are no labels: counts called cells, kinds that are no
    roles."""
    exact = heading.ours == heading.words
    numbers = (
        heading.ours in LABELS and not exact and wide.numeric(cells) and cells.n_unique() > MOST_LABELS // 2
    )
    words = cells.drop_nulls().unique().to_list() if heading.ours == "role" and not exact else []
    if numbers or any(role_of(word) is None for word in words):
        return replace(heading, ours="")
    return heading


def _target(heading: Heading) -> str:
    """Our column for a heading; "" for none."""
    return wide.response_of(heading.ours, per_cent=heading.per_cent) or heading.ours


def _renamed(table: pl.DataFrame, headings: dict[str, Heading], changes: list[str]) -> pl.DataFrame:
    """Columns under our names: one each, but labels of a line joined and a dose without logarithm
    preferred."""
    theirs: dict[str, list[str]] = {}
    for name, heading in headings.items():
        target = _target(heading)
        if target and target not in ("unnamed", "spread"):
            theirs.setdefault(target, []).append(name)
    if "dose_nm" in theirs:
        theirs.pop("dose", None)
    renames, found = {}, table
    for target, names in theirs.items():
        names = sorted(names, key=lambda name: (name.strip().lower() != target, headings[name].base != 0.0))
        if target == "line" and len(names) > 1 and target not in names:
            parts = [pl.col(name).cast(pl.String).fill_null("").str.strip_chars() for name in names]
            found = found.with_columns(pl.concat_str(parts, separator=" ").str.strip_chars().alias(names[0]))
            found = found.drop(names[1:])
        if names[0] != target:
            renames[names[0]] = target
            changes.append(f'"{names[0]}" as {target}')
    return found.rename(renames)


def _dosed(found: pl.DataFrame, headings: dict[str, Heading], changes: list[str]) -> pl.DataFrame:
    """Doses as numbers with their unit: from logarithms, from cells such as "10 nM", from words for no
    compound."""
    column = "dose_nm" if "dose_nm" in found.columns else "dose"
    if column not in found.columns:
        return found
    heading = next(
        (
            h
            for name, h in headings.items()
            if _target(h) in ("dose", "dose_nm") and name not in found.columns
        ),
        Heading("", ""),
    )
    if found[column].dtype == pl.String:
        found = _from_cells(found, column)
    if heading.base and column == "dose":
        written = found["dose"].cast(pl.Float64, strict=False)
        amounts = pl.Series(
            "dose", [None if v is None else heading.base**v if abs(v) < 300 else None for v in written]
        )
        found = found.with_columns(amounts.cast(pl.Float64))
        changes.append(f"doses from logarithms to the base {heading.base:.3g}")
    if heading.unit and column == "dose":
        stated = (
            found["dose_unit"].cast(pl.String).drop_nulls().unique()
            if "dose_unit" in found.columns
            else pl.Series([heading.unit])
        )
        if any(_usual(unit) != _usual(heading.unit) for unit in stated if unit.strip()):
            raise InputError(
                "GP-A206",
                f"doses in {heading.unit} by the header and in {stated[0]} by the column dose_unit",
                where='column "dose"',
                expected="one unit",
                next_step="correct one of the two",
            )
        found = found.with_columns(dose_unit=pl.lit(heading.unit))
    return found


def _usual(unit: str) -> str:
    return CONCENTRATIONS.get(unit.strip().lower().replace("μ", "µ"), unit.strip())


def _from_cells(found: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of text as amounts where its cells say "10 nM" or "DMSO"; other text stays, to be refused by
    name."""
    texts = [str(text or "").strip() for text in found[column]]
    units: list[str | None] = []
    values: list[str | None] = []
    for text in texts:
        amount = AMOUNT.fullmatch(text)
        unit = _usual(amount[2]) if amount else ""
        if amount and unit in CONCENTRATIONS.values():
            values.append(amount[1])
            units.append(unit)
        else:
            values.append("0" if any(map(str.isalpha, text)) and is_vehicle(text) else text or None)
            units.append(None)
    found = found.with_columns(pl.Series(column, values, dtype=pl.String))
    if column == "dose" and any(units):
        own = found["dose_unit"].to_list() if "dose_unit" in found.columns else [None] * found.height
        both = [unit or before for unit, before in zip(units, own, strict=True)]
        found = found.with_columns(pl.Series("dose_unit", both, dtype=pl.String))
    return found


def _timed(found: pl.DataFrame, headings: dict[str, Heading]) -> pl.DataFrame:
    """Times in hours, by the unit of the header or of the cells."""
    for column in ("time_h", "doubling_time_h"):
        if column not in found.columns:
            continue
        heading = next((h for h in headings.values() if h.ours == column), Heading(column, column, "h"))
        if found[column].dtype == pl.String:
            cells = [wide.HOURS.fullmatch(str(text or "").strip()) for text in found[column]]
            if any(cells):
                texts = [
                    f"{float(c[1]) * PER_HOUR[c[2].lower()]:.12g}" if c else t
                    for c, t in zip(cells, found[column], strict=True)
                ]
                found = found.with_columns(pl.Series(column, texts, dtype=pl.String))
                continue
        values = found[column].cast(pl.Float64, strict=False)
        if not heading.unit and values.drop_nulls().n_unique() > 1:
            raise InputError(
                "GP-A207",
                "times without a unit",
                where=f'column "{column}"',
                expected="hours in a column time_h, or a unit in the header",
                next_step="name the column time_h, or time (min)",
            )
        factor = PER_HOUR.get(heading.unit, 1.0)
        if factor != 1.0:
            found = found.with_columns((values * factor).alias(column))
        elif not heading.unit:
            found = found.drop(column)
    return found


def _readings(
    found: pl.DataFrame, headings: dict[str, Heading], changes: list[str]
) -> tuple[pl.DataFrame, str]:
    """The response from columns that no name of a response claims: side by side, or without a name."""
    numbers = [
        n
        for n in found.columns
        if n not in OURS and wide.numeric(found[n]) and n.strip().lower() not in TECHNICAL
    ]
    single = [n for n in numbers if headings[n].ours == "unnamed"]
    chosen = [n for n in numbers if headings[n].ours not in ("unnamed", "spread")] or single[:1]
    if not chosen or not {"dose", "dose_nm"} & set(found.columns):
        return found, ""
    if len(chosen) > 1 or chosen[0] not in single:
        changes.append(
            f"{len(chosen)} columns side by side ({chosen[0]} ... {chosen[-1]}) as one row a reading"
        )
        found, response = wide.long(found, chosen)
    else:
        found, response = found.rename({chosen[0]: "unnamed"}), "unnamed"
    if response == "unnamed":
        response = _by_control(found)
        changes.append(f"{RESPONSES[response].words}, by its control")
    return found.rename({"unnamed": response}) if "unnamed" in found.columns else found, response


def _by_control(found: pl.DataFrame) -> str:
    """What a response without a name is: a fraction or per cent of the control, or raw beside a control."""
    column = "dose_nm" if "dose_nm" in found.columns else "dose"
    both = found.select(
        dose=pl.col(column).cast(pl.Float64, strict=False),
        value=pl.col("unnamed").cast(pl.Float64, strict=False),
    ).drop_nulls()
    means = both.group_by("dose").agg(pl.col("value").mean()).sort("dose")
    if means.height:
        near = float(means["value"][0])
        controlled = float(means["dose"][0]) == 0.0
        for response, low, high in (("viability", 0.7, 1.4), ("viability_percent", 70.0, 140.0)):
            if low <= near <= high:
                return response
        if controlled and near > high and min(means["value"].to_list()) >= 0.0:
            return "signal"
    raise InputError(
        "GP-A213",
        "a response without a name, and no control of 1 or 100 % that would tell it",
        where="columns " + ", ".join(found.columns),
        expected="a column viability, viability_percent, inhibition_percent, fraction_remaining or signal",
        next_step="name the column for what it holds: --column viability=YOURS",
    )


def _dose_findings(found: pl.DataFrame, headings: dict[str, Heading]) -> list[Finding]:
    """What contradicts the doses as written, series by series."""
    column = "dose_nm" if "dose_nm" in found.columns else "dose"
    if column not in found.columns:
        return []
    theirs = next((name for name, h in headings.items() if _target(h) == column), column)
    if "linear" in headings.get(theirs, Heading("", "")).words or headings.get(theirs, Heading("", "")).base:
        return []
    values = found.with_columns(dose=pl.col(column).cast(pl.Float64, strict=False)).filter(
        pl.col("dose").is_finite()
    )
    keys = [name for name in ("line", "compound", "experiment") if name in found.columns]
    groups = [part for _, part in values.group_by(keys, maintain_order=True)] if keys else [values]
    for part in (values, *groups):
        problems = meaning.doses(theirs, part["dose"].to_list())
        if problems:
            return problems
    return []


def _not_pooled(found: pl.DataFrame, unused: Collection[str]) -> None:
    """Raise InputError GP-A214 if a label that nobody reads splits a curve in two with the same doses."""
    column = next((name for name in ("dose_nm", "dose") if name in found.columns), "")
    keys = [name for name in IDENTITY if name in found.columns]
    for name in unused:
        labels = found[name].drop_nulls().n_unique() if column else 0
        if (
            not 1 < labels <= MOST_LABELS
            or name.strip().lower() in TECHNICAL
            or parsed(name).ours in ("spread", "unnamed")
        ):
            continue
        if parsed(name).ours in RESPONSES or _counted(found[name]):
            continue
        dosed = found.filter(pl.col(column).cast(pl.Float64, strict=False) > 0.0, pl.col(name).is_not_null())
        shared = dosed.group_by([*keys, column]).agg(pl.col(name).n_unique().alias("labels"))
        crossed = shared.filter(pl.col("labels") > 1)
        per_curve = crossed.group_by(keys).len()["len"].max() if keys and crossed.height else crossed.height
        if isinstance(per_curve, int) and per_curve >= CROSSED:
            shown = ", ".join(map(str, found[name].drop_nulls().unique(maintain_order=True)[:3]))
            raise InputError(
                "GP-A214",
                f'{labels} labels of "{name}" ({shown}) share a curve with the same doses',
                where=f'column "{name}"',
                expected="labels that belong to a curve in line, compound, experiment or time_h",
                next_step=f"--column line={name} keeps them apart, --column replicate={name} pools them as "
                "technical replicates",
            )


def _counted(labels: pl.Series) -> bool:
    """Whether labels are 1, 2, 3 ..., which count replicates, or many numbers, which are readings."""
    numbers = labels.cast(pl.String).cast(pl.Float64, strict=False)
    if numbers.null_count() > labels.null_count():
        return False
    distinct = numbers.drop_nulls().unique().sort().to_list()
    return len(distinct) > CROSSED + 1 or distinct in (
        [1.0 + i for i in range(len(distinct))],
        [float(i) for i in range(len(distinct))],
    )
