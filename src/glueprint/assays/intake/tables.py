"""Tables as people keep them to the columns that the analyses know: names, units, scales, one row a
reading."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.assays.intake import amounts, meaning, scales, shapes, undosed, wide
from glueprint.assays.intake.headers import OTHERWISE, PER_HOUR, Heading, dose_column, parsed
from glueprint.assays.intake.labels import listed, role_of
from glueprint.assays.intake.meaning import RESPONSES
from glueprint.assays.intake.scales import IDENTITY
from glueprint.errors import InputError

__all__ = ["Canonical", "canonical"]

# Columns that stay as they are, whatever they may also mean elsewhere.
OURS = (
    *listed(
        "line|compound|experiment|replicate|role|dose|dose_nm|dose_unit|time_h|doubling_time_h|"
        "signal_at_zero|generation|count|log_ratio|well|plate|channel|target|membrane|lane|relation|"
        "washout_h|flags|vehicle|simulated|side"
    ),
    *RESPONSES,
)
# Columns whose labels tell wells apart and not what is in them.
TECHNICAL = frozenset(
    listed(
        "replicate|well|wells|row|col|column|plate|position|index|id|file|comment|note|notes|remark|remarks|flag|"
        "flags|qc|exclude|channel|lane|unnamed||#|no|nr|read order|sd|simulated|vehicle|side|relation|"
        "washout_h|membrane|signal_at_zero|doubling_time_h"
    )
)
MOST_LABELS, CROSSED = 24, 3
# Of the highest: where wells of dose 0 read less, they are not one control.
MOST_APART = 0.7
# Labels of one dose are read apart by more than this share of the control, or factor of raw signals.
SHARES_APART, SIGNALS_APART = 0.4, 3.0
# A control that is 1 by division is so at all times.
MOST_OF_TIMES = 1.5
LABELS = ("line", "compound", "experiment", "replicate")


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
    Raises InputError GP-A201 (a curve on another scale than its column), GP-A203 (logarithms of a fraction),
    GP-A205 and GP-A206 (doses), GP-A207 (times), GP-A213 (a response without a name), GP-A214 (labels).
    """
    changes: list[str] = []
    if any(parsed(name).ours.startswith("fraction_") or name == "log_ratio" for name in table.columns):
        keep = (*keep, "treatment")  # of lanes: MLN4924, cycloheximide
    table = shapes.of_growth_rates(shapes.filled(table, (*OURS, *keep)), changes)
    table = shapes.doses_in_names(shapes.side_by_side(table, changes), changes)
    headings = {name: _checked(_heading(name, keep), table[name]) for name in table.columns}
    if not any(heading.ours == "compound" for heading in headings.values()):
        headings = {name: _named(name, heading, table[name]) for name, heading in headings.items()}
    found = shapes.labels_below(_renamed(table, headings, changes), changes)
    found = _again(found, headings, changes)
    found = amounts.dosed(found, headings, changes)
    logarithms = any(heading.base for heading in headings.values() if heading.ours == "dose")
    found = undosed.undosed(found, changes, logarithms=logarithms)
    found = _without_summaries(_timed(found, headings, changes), changes)
    response = next((name for name in RESPONSES if name in found.columns), "")
    if (
        not response
        and "log_ratio" not in found.columns
        and not {"generation", "count"} <= set(found.columns)
    ):
        found, response = _readings(found, headings, changes, keep)
    found = undosed.named(_unlogged(found, headings, response, changes), response, changes)
    found, apart = scales.numbered(found, response)
    findings = amounts.findings(found, headings, ("line", "compound", "experiment", "target"))
    meaning.refused(findings)
    findings += apart + shapes.twice(found) + shapes.spelled(found)
    if response:
        theirs = next((name for name, h in headings.items() if _target(h) == response), response)
        words = headings.get(theirs, Heading("", "")).words
        findings += scales.of_column(found, response, theirs, words)
    unused = tuple(name for name in found.columns if name not in (*OURS, *keep))
    _not_pooled(found, unused, response)
    findings += _controls_apart(found, unused, response)
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
    # Labels come again and again; what is counted hardly does.
    many = cells.n_unique() > max(MOST_LABELS // 2, cells.len() // 2)
    numbers = heading.ours in LABELS and not exact and many and wide.numeric(cells)
    words = cells.drop_nulls().unique().to_list() if heading.ours == "role" and not exact else []
    if numbers or any(role_of(word) is None for word in words):
        return replace(heading, ours="")
    return heading


def _named(name: str, heading: Heading, cells: pl.Series) -> Heading:
    """A column of kinds such as DMSO, Blank and the name of a compound as one of compounds."""
    kind = not heading.ours and parsed(name).ours == "role"
    words = {str(cell) for cell in cells.drop_nulls()}
    known = {word for word in words if role_of(word)}
    return replace(heading, ours="compound") if kind and known and len(words) <= MOST_LABELS else heading


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
    doses = [*theirs.get("dose_nm", []), *theirs.pop("dose", [])]
    if doses:
        chosen = amounts.one_column(doses, headings, table)
        theirs.pop("dose_nm", None)
        theirs[_target(headings[chosen])] = [chosen]
    renames, found = {}, table
    for target, names in theirs.items():
        names = sorted(names, key=lambda name: name.strip().lower() != target)
        if target == "line" and len(names) > 1 and target not in names:
            parts = [pl.col(name).cast(pl.String).fill_null("").str.strip_chars() for name in names]
            found = found.with_columns(pl.concat_str(parts, separator=" ").str.strip_chars().alias(names[0]))
            found = found.drop(names[1:])
        if names[0] != target:
            renames[names[0]] = target
            changes.append(f'"{names[0]}" as {target}')
    return found.rename(renames)


def _again(found: pl.DataFrame, headings: dict[str, Heading], changes: list[str]) -> pl.DataFrame:
    """The table with a response that stands several times under one name as replicates, one row a reading."""
    response = next((name for name in RESPONSES if name in found.columns), "")
    theirs = response if response in headings else ""
    theirs = next((name for name, h in headings.items() if _target(h) == response and response), theirs)
    again = [name for name in found.columns if re.fullmatch(rf"{re.escape(theirs)} #\d+", name)]
    again = [name for name in again if theirs and wide.numeric(found[name])]
    if not again:
        return found
    rest = found.drop(again)
    label = [] if "replicate" in rest.columns else ["replicate"]
    columns = [found[response].cast(pl.String), *(found[name].cast(pl.String) for name in again)]
    parts = [
        rest.with_columns(values.alias(response), *(pl.lit(f"{nth}").alias(name) for name in label))
        for nth, values in enumerate(columns, 1)
    ]
    changes.append(f'{len(columns)} columns "{theirs}" as replicates')
    return pl.concat(parts).filter(pl.col(response).is_not_null())


def _without_summaries(found: pl.DataFrame, changes: list[str]) -> pl.DataFrame:
    """The table without the rows that a column of replicates calls a mean or a spread of the others."""
    if "replicate" not in found.columns:
        return found
    kinds = [parsed(str(label or "")).ours for label in found["replicate"].to_list()]
    wells = any(kind not in ("spread", "unnamed") for kind in kinds)
    out = [kind == "spread" or (kind == "unnamed" and wells) for kind in kinds]
    if not any(out):
        return found
    changes.append(f"{sum(out)} rows of means and spreads left out")
    return found.filter(~pl.Series(out, dtype=pl.Boolean))


def _unlogged(
    found: pl.DataFrame, headings: dict[str, Heading], response: str, changes: list[str]
) -> pl.DataFrame:
    """Raw signals whose header says that they are logarithms as signals.

    Raises InputError GP-A203 for logarithms of what is a fraction by its name.
    """
    theirs = next((n for n, h in headings.items() if h.base and _target(h) == response and response), "")
    if not theirs or theirs in found.columns:
        return found
    base = headings[theirs].base
    if RESPONSES[response].relative:
        raise _logarithms(theirs, RESPONSES[response].words)
    changes.append(f"{response} from logarithms to the base {base:.3g}")
    written = found[response].cast(pl.Float64, strict=False).fill_nan(None).to_list()
    values = [None if value is None else amounts.of_logarithm(value, base) for value in written]
    return found.with_columns(pl.Series(response, values, dtype=pl.Float64))


def _logarithms(column: str, words: str) -> InputError:
    return InputError(
        "GP-A203",
        f'logarithms of {words} ("{column}")',
        where=f'column "{column}"',
        expected="fractions, per cent or signals, and no logarithm",
        next_step="give the values themselves; of one column of signals the logarithm is undone",
    )


def _timed(found: pl.DataFrame, headings: dict[str, Heading], changes: list[str]) -> pl.DataFrame:
    """Times in hours, by the unit of the header or of the cells; one time without a unit is said, not
    used."""
    for column in ("time_h", "doubling_time_h"):
        if column not in found.columns:
            continue
        heading = next((h for h in headings.values() if h.ours == column), Heading(column, column, "h"))
        if found[column].dtype == pl.String:
            cells = [wide.hours(str(text or "")) for text in found[column]]
            if any(cells):
                texts = [cell or text for cell, text in zip(cells, found[column], strict=True)]
                found = found.with_columns(pl.Series(column, texts, dtype=pl.String))
                continue
        values = found[column].cast(pl.Float64, strict=False)
        told = found[column].cast(pl.String).str.strip_chars().replace("", None).drop_nulls().unique()
        if not heading.unit and told.len() > 1:
            raise InputError(
                "GP-A207",
                f"times without a unit: {', '.join(told.sort()[:3])}",
                where=f'column "{column}"',
                expected="hours in a column time_h, or a unit in the header",
                next_step="name the column time_h, or time (min)",
            )
        factor = PER_HOUR.get(heading.unit, 1.0)
        if factor != 1.0:
            found = found.with_columns((values * factor).alias(column))
        elif not heading.unit:
            found = found.drop(column)
            changes.append(f"{heading.words} of {', '.join(told) or 'nothing'} without a unit not used")
    return found


def _readings(
    found: pl.DataFrame, headings: dict[str, Heading], changes: list[str], keep: Collection[str]
) -> tuple[pl.DataFrame, str]:
    """The response from columns that no name of a response claims: side by side, or without a name."""
    numbers = [
        n
        for n in found.columns
        if n not in (*OURS, *keep) and wide.numeric(found[n]) and n.strip().lower() not in TECHNICAL
    ]
    numbers = [n for n in numbers if headings[n].ours not in ("dose", "dose_nm")]
    single = [n for n in numbers if headings[n].ours == "unnamed"]
    chosen = [n for n in numbers if headings[n].ours not in ("unnamed", "spread")] or single[:1]
    if not chosen or not {"dose", "dose_nm"} & set(found.columns):
        return found, ""
    chosen = wide.of_one_response(chosen)
    logs = next((n for n in chosen if headings[n].base), "")
    if logs:
        raise _logarithms(logs, "responses side by side" if len(chosen) > 1 else "a response")
    if len(chosen) > 1 or chosen[0] not in single:
        changes.append(
            f"{len(chosen)} columns side by side ({chosen[0]} ... {chosen[-1]}) as one row a reading"
        )
        found, response = wide.long(found, chosen)
    else:
        found, response = found.rename({chosen[0]: "unnamed"}), "unnamed"
    if response == "unnamed":
        _no_other_name(chosen)
        response = _by_control(found)
        changes.append(f"{RESPONSES[response].words}, by its control")
    return found.rename({"unnamed": response}) if "unnamed" in found.columns else found, response


def _no_other_name(chosen: Collection[str]) -> None:
    """Raise InputError GP-A213 for a response that its own name calls a complement, a rate or a logarithm."""
    other = next((name for name in chosen if OTHERWISE.search(name.lower().replace("_", " "))), "")
    if other:
        raise InputError(
            "GP-A213",
            f'"{other}" is no viability, remaining protein or signal by its name',
            where=f'column "{other}"',
            expected="a column viability, inhibition_percent, fraction_remaining, signal or the like",
            next_step="name the column for what it holds: --column inhibition_percent=YOURS",
        )


def _by_control(found: pl.DataFrame) -> str:
    """What a response without a name is: a fraction or per cent of the control, or raw beside a control."""
    column = dose_column(found.columns)
    roles = found["role"].to_list() if "role" in found.columns else [""] * found.height
    control = pl.Series([role_of(role) == "control" for role in roles], dtype=pl.Boolean)
    both = found.select(
        dose=pl.when(control).then(0.0).otherwise(pl.col(column).cast(pl.Float64, strict=False)),
        value=pl.col("unnamed").cast(pl.Float64, strict=False),
        time=pl.col("time_h").cast(pl.String).fill_null("") if "time_h" in found.columns else pl.lit(""),
    ).drop_nulls()
    without = both.filter(pl.col("dose") == 0.0).group_by("time").agg(pl.col("value").mean())["value"]
    if without.len() > 1 and without.to_numpy().max() > MOST_OF_TIMES * without.to_numpy().min() > 0.0:
        return "signal"  # what grows without compound is no share of its control
    means = both.group_by("dose").agg(pl.col("value").mean()).sort("dose")
    if means.height:
        near = float(means["value"][0])
        controlled = float(means["dose"][0]) == 0.0
        low, high = undosed.ALIKE
        for response, full in (("viability", 1.0), ("viability_percent", 100.0)):
            if low * full <= near <= high * full:
                return response
        if controlled and near > 100.0 * high and min(means["value"].to_list()) >= 0.0:
            return "signal"
    raise InputError(
        "GP-A213",
        "a response without a name, and no control of 1 or 100 % that would tell it",
        where="columns " + ", ".join(found.columns),
        expected="a column viability, viability_percent, inhibition_percent, fraction_remaining or signal",
        next_step="name the column for what it holds: --column viability=YOURS",
    )


def _not_pooled(found: pl.DataFrame, unused: Collection[str], response: str) -> None:
    """Raise InputError GP-A214 if a label that nobody reads splits a curve in two with the same doses, or
    tells readings apart that differ."""
    column = dose_column(found.columns)
    keys = [name for name in IDENTITY if name in found.columns]
    for name in unused if column else ():
        technical = name.strip().lower() in TECHNICAL or parsed(name).ours in ("spread", "unnamed")
        if technical or parsed(name).ours in RESPONSES or not _may_label(found[name]):
            continue
        dosed = found.filter(pl.col(column).cast(pl.Float64, strict=False) > 0.0, pl.col(name).is_not_null())
        if response and _read_apart(dosed, [*keys, column], name, response):
            raise _pooled(found[name], name, "read differently at one dose of a curve")
        shared = dosed.group_by([*keys, column]).agg(pl.col(name).n_unique().alias("labels"))
        crossed = shared.filter(pl.col("labels") > 1)
        series = dosed.group_by(name).agg(pl.col(column).n_unique().alias("doses"))
        if (series["doses"] >= CROSSED).sum() < 2:
            continue  # remarks on single wells
        per_curve = crossed.group_by(keys).len()["len"].max() if keys and crossed.height else crossed.height
        if isinstance(per_curve, int) and per_curve >= CROSSED:
            raise _pooled(found[name], name, "share a curve with the same doses")


def _pooled(labels: pl.Series, name: str, what: str) -> InputError:
    shown = ", ".join(map(str, labels.drop_nulls().unique(maintain_order=True)[:3]))
    return InputError(
        "GP-A214",
        f'{labels.drop_nulls().n_unique()} labels of "{name}" ({shown}) {what}',
        where=f'column "{name}"',
        expected="labels that belong to a curve in line, compound, experiment or time_h",
        next_step=f"--column line={name} keeps them apart, --column replicate={name} pools them as "
        "technical replicates",
    )


def _read_apart(dosed: pl.DataFrame, keys: list[str], name: str, response: str) -> bool:
    """Whether a label that every row has tells readings of one curve and dose apart, as MG132 beside none at
    the highest dose."""
    if dosed[name].n_unique() > CROSSED + 1 or dosed.height < 2 * dosed[name].n_unique():
        return False
    means = (
        dosed.with_columns(_value=pl.col(response).cast(pl.Float64, strict=False))
        .group_by([*keys, name])
        .agg(pl.col("_value").mean())
        .group_by(keys)
        .agg(low=pl.col("_value").min(), high=pl.col("_value").max())
    )
    if not RESPONSES[response].relative:
        return bool((means["high"] > SIGNALS_APART * means["low"]).any())
    full = 100.0 if RESPONSES[response].per_cent else 1.0
    return bool((means["high"] - means["low"] > SHARES_APART * full).any())


def _controls_apart(found: pl.DataFrame, unused: Collection[str], response: str) -> list[Finding]:
    """A warning where wells of dose 0 that a label nobody reads tells apart do not read the same."""
    dose = dose_column(found.columns)
    if not dose or not response:
        return []
    numbers = found.with_columns(_value=pl.col(response).cast(pl.Float64, strict=False))
    controls = numbers.filter(
        pl.col(dose).cast(pl.Float64, strict=False) == 0.0, pl.col("_value").is_not_null()
    )
    for name in unused:
        labels = controls[name].n_unique()
        # A reason to leave a well out is no name of a control.
        if name.strip().lower() == "exclude" or not 2 <= labels <= CROSSED + 1 or wide.numeric(found[name]):
            continue
        means = controls.group_by(name).agg(pl.col("_value").mean()).sort("_value").rows()
        (low, least), (high, most) = means[0], means[-1]
        if most > 0.0 and least < MOST_APART * most:
            text = f'wells of dose 0 that "{name}" calls "{low}" read {least:.4g}, "{high}" {most:.4g}'
            remedy = "give those that are no control a role: positive, blank, unused"
            return [Finding("GP-A221", "warning", text, f'column "{name}"', "one control", remedy)]
    return []


def _may_label(labels: pl.Series) -> bool:
    """Whether a column may tell curves apart: not 1, 2, 3 ..., which count replicates, and no readings."""
    known = labels.drop_nulls()
    if known.n_unique() < 2:
        return False
    numbers = known.cast(pl.String).cast(pl.Float64, strict=False)
    if numbers.null_count():
        return True
    distinct = numbers.unique().sort().to_list()
    if distinct in ([1.0 + i for i in range(len(distinct))], [float(i) for i in range(len(distinct))]):
        return False
    # Readings hardly come again, temperatures do, with their decimals.
    whole = all(value.is_integer() for value in distinct)
    return len(distinct) <= CROSSED + 1 or (whole and len(distinct) <= known.len() // CROSSED)
