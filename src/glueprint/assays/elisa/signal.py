"""From readings to one signal a well: measurement minus reference, blanks, flags; nothing chosen without
saying so."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from glueprint.assays.elisa.settings import NO_REFERENCE, Settings
from glueprint.assays.findings import Finding
from glueprint.assays.quality import exclusions
from glueprint.assays.wells import CONTENT, MEASURED, ROLES
from glueprint.errors import InputError, nearest

__all__ = ["Choice", "choose", "signals"]

# TMB is read at 450 nm, and the plate's own absorbance at one of these.
MEASUREMENT = "450"
REFERENCES = ("650", "620", "630", "570", "540")
# What the vendor's program made of the readings; the readings themselves are preferred.
DERIVED = ("reduced", "blanked ")


@dataclass(frozen=True)
class Choice:
    """Which readings make the signal: `channel` minus `reference` (None: nothing is subtracted)."""

    channel: str
    reference: str | None

    @property
    def text(self) -> str:
        """The signal in words."""
        channel = self.channel or "value"
        return channel if self.reference is None else f"{channel} - {self.reference}"


def choose(table: pl.DataFrame, settings: Settings) -> Choice:
    """The channel and the reference asked for, or those that the plate leaves no doubt about.

    Raises InputError GP-A081 for a channel that the plate does not have, or if none is named and several
    could be it.
    """
    have = tuple(table["channel"].unique(maintain_order=True))
    channel = settings.channel
    if channel is None:
        raw = [name for name in have if not name.startswith(DERIVED)] or list(have)
        if len(raw) == 1:
            channel = raw[0]
        elif MEASUREMENT in have:
            channel = MEASUREMENT
        else:
            raise _no_channel(f"{len(have)} channels and none is named", have)
    elif channel not in have:
        raise _no_channel(f'no channel "{channel}"{nearest(channel, have)}', have)
    if settings.reference == NO_REFERENCE:
        return Choice(channel, None)
    if settings.reference is not None:
        if settings.reference not in have or settings.reference == channel:
            raise _no_channel(f'no reference channel "{settings.reference}" beside {channel}', have)
        return Choice(channel, settings.reference)
    found = [name for name in REFERENCES if name in have] if channel == MEASUREMENT else []
    if len(found) > 1:
        raise _no_channel(f"{len(found)} channels could be the reference: {', '.join(found)}", have)
    return Choice(channel, found[0] if found else None)


def _no_channel(message: str, have: tuple[str, ...]) -> InputError:
    return InputError(
        "GP-A081",
        message,
        where="channel",
        expected=f"one of {', '.join(name or 'the unnamed one' for name in have)}",
        next_step=f'name channel and reference; reference "{NO_REFERENCE}" subtracts nothing',
    )


def signals(table: pl.DataFrame, choice: Choice) -> tuple[pl.DataFrame, list[Finding]]:
    """One row a well with `signal` (null where it has none) and `flag`, and what was noticed.

    table: as `wells.check` gives it, with the column of `exclusions.marked`.   Flags of the reference join
    those of the measurement: the first wins. A well that is left out keeps its reading in `signal_left_out`.
    """
    measured = table.filter(pl.col("channel") == choice.channel)
    kept = ["plate", "well", *CONTENT, *(c for c in table.columns if c not in (*MEASURED, *CONTENT))]
    rows = measured.select(*kept, "unit", "flag", pl.col("value").alias("signal"))
    if choice.reference is not None:
        reference = table.filter(pl.col("channel") == choice.reference).select(
            "plate", "well", reference="value", reference_flag="flag"
        )
        rows = rows.join(reference, on=["plate", "well"], how="left", maintain_order="left").with_columns(
            signal=pl.col("signal") - pl.col("reference"),
            flag=pl.when((pl.col("flag") == "") & pl.col("reference").is_null())
            .then(pl.lit("missing"))
            .otherwise(pl.col("flag")),
        )
        rows = rows.drop("reference", "reference_flag")
    out = pl.col(exclusions.COLUMN) != ""
    rows = rows.with_columns(
        flag=pl.when(out)
        .then(pl.concat_str(pl.lit(f"{exclusions.FLAG}: "), exclusions.COLUMN))
        .when((pl.col("flag") == "") & pl.col("signal").is_null())
        .then(pl.lit("missing"))
        .otherwise(pl.col("flag")),
        signal=pl.when(~out & (pl.col("flag") == "")).then(pl.col("signal")),
        signal_left_out=pl.when(out).then(pl.col("signal")),
    )
    return _blanked(rows, choice)


def _blanked(rows: pl.DataFrame, choice: Choice) -> tuple[pl.DataFrame, list[Finding]]:
    """Blanks are subtracted only where no zero standard tells the curve its foot."""
    parts, findings = [], []
    for (plate,), here in rows.group_by("plate", maintain_order=True):
        foot = (
            (pl.col("role") == "standard") & (pl.col("concentration") == 0.0) & pl.col("signal").is_not_null()
        )
        zero = here.filter(foot).height > 0
        blanks = here.filter((pl.col("role") == "blank") & pl.col("signal").is_not_null())["signal"]
        blank = None if zero or blanks.is_empty() else float(blanks.mean())  # type: ignore[arg-type]
        done = "the zero standard is fitted, no blank is subtracted" if zero else "no blank is subtracted"
        if blank is not None:
            here = here.with_columns(pl.col("signal", "signal_left_out") - blank)
            done = f"the mean of {len(blanks)} blanks, {blank:.4g}, is subtracted"
        place = f'plate "{plate}"'
        findings.append(Finding("GP-A093", "note", f"the signal is {choice.text}; {done}", place))
        if not zero and blank is None:
            findings.append(
                Finding(
                    "GP-A094", "warning",
                    "neither a zero standard nor a blank: the foot of the curve is extrapolated",
                    place, "a standard of concentration 0, or blank wells",
                    "add zero standards to the next plate",
                )
            )  # fmt: skip
        findings += _looked(here, str(plate))
        parts.append(here)
    return pl.concat(parts), findings


def _looked(rows: pl.DataFrame, plate: str) -> list[Finding]:
    """Findings on negative signals, flagged wells and wells that no layout names."""
    findings = []
    negative = rows.filter((pl.col("signal") < 0.0) & (pl.col("role") != "blank"))
    if negative.height:
        least = float(negative["signal"].to_numpy().min())
        findings.append(
            Finding(
                "GP-A088", "warning",
                f"{negative.height} wells with a signal below zero, down to {least:.4g}",
                f'plate "{plate}", wells {_named(negative)}', "signals of zero or more",
                "check which channel is the reference, and which wells are blanks; the values stay",
            )
        )  # fmt: skip
    # What is left out has a finding of its own.
    flagged = rows.filter((pl.col("flag") != "") & (pl.col(exclusions.COLUMN) == ""))
    for (flag,), wells in flagged.group_by("flag", maintain_order=True):
        kept = {"above_range": "kept as above", "below_range": "kept as below"}.get(
            str(flag), "without a value"
        )
        findings.append(
            Finding(
                "GP-A089", "warning", f'{wells.height} wells flagged "{flag}": {kept}',
                f'plate "{plate}", wells {_named(wells)}', "a reading", "dilute, or read again",
            )
        )  # fmt: skip
    unused = rows.filter(~pl.col("role").is_in(USED) & ~pl.col("role").is_in(["blank", "empty"]))
    findings += [
        _idle(str(role), wells, plate) for (role,), wells in unused.group_by("role", maintain_order=True)
    ]
    return findings


def _idle(role: str, wells: pl.DataFrame, plate: str) -> Finding:
    """Wells that nothing is read from: a note where the role says why, else a warning."""
    where = f'plate "{plate}", wells {_named(wells)}'
    if role and role not in ROLES:
        message = f'{wells.height} wells with role "{role}", which does not exist{nearest(role, ROLES)}'
        expected = "one of " + ", ".join((*USED, "blank", "empty"))
        return Finding("GP-A108", "warning", message, where, expected, "correct the role; they were not read")
    what = f'with role "{role}", which an ELISA does not use' if role else "that the layout does not name"
    return Finding("GP-A108", "note", f"{wells.height} wells {what}", where)


USED = ("standard", "control", "sample", "compound", "stimulated", "unstimulated", "vehicle")
SHOWN = 8


def _named(rows: pl.DataFrame) -> str:
    names = rows["well"].to_list()
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
