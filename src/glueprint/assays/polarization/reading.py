"""Blanks, G factor and checks: from channels to anisotropy with a finding for everything that is odd."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.assays.polarization import channels, signal
from glueprint.assays.polarization.channels import BLANK, FREE, FREE_DYE, listed
from glueprint.assays.polarization.settings import Optics
from glueprint.assays.quality import ceilings, exclusions

__all__ = ["WELLS", "Read", "read"]

Floats = NDArray[np.float64]

WELLS = pl.Schema(
    {
        "plate": pl.String(),
        "well": pl.String(),
        "role": pl.String(),
        "sample": pl.String(),
        "concentration_nm": pl.Float64(),
        "parallel": pl.Float64(),
        "perpendicular": pl.Float64(),
        "stored_mp": pl.Float64(),
        "intensity": pl.Float64(),
        "anisotropy": pl.Float64(),
        "polarization_mp": pl.Float64(),
        "note": pl.String(),
    }
)
# A difference of 10 mP is a twentieth of a usual window; wells that rounding alone moves so far are named.
WIDEST_ROUNDING_MP = 10.0
# A stored mP is printed as a whole number, and readers round channels and mP separately.
STORED_TOLERANCE_MP = 1.0
LARGEST_G_DIFFERENCE = 0.02


@dataclass(frozen=True)
class Read:
    """Wells with the columns of `WELLS` (channels less blank), the G factor of each plate, and findings."""

    table: pl.DataFrame
    g_factors: dict[str, float]
    mp_only: bool
    findings: tuple[Finding, ...]


def read(wells: pl.DataFrame, optics: Optics, exclude: tuple[str, ...] = ()) -> Read:
    """Subtract blanks in each channel, find G, and compute anisotropy, polarisation and total intensity.

    Arguments and errors as in `channels.pivot`.   Returns `Read`; a well that is not used says why in `note`.
    Source: docs/polarization.md, "Signal".
    """
    pivoted = channels.pivot(wells, optics, exclude)
    findings = [*pivoted.findings]
    parts, g_factors = [], {}
    for (plate,), part in pivoted.table.group_by(["plate"], maintain_order=True):
        if pivoted.mp_only:
            mp = part["stored_mp"].to_numpy()
            parts.append(_filled(part, signal.anisotropy_from_mp(mp), mp, np.full(part.height, np.nan)))
            continue
        checked, g, found = _plate(part, optics, str(plate))
        parts.append(checked)
        g_factors[str(plate)] = g
        findings += found
    table = pl.concat(parts) if parts else pl.DataFrame(schema=WELLS)
    return Read(table.select(*WELLS), g_factors, pivoted.mp_only, tuple(findings))


def _plate(part: pl.DataFrame, optics: Optics, plate: str) -> tuple[pl.DataFrame, float, list[Finding]]:
    where = f'plate "{plate}"' if plate else "plate"
    used = part.filter(pl.col("note") == "")
    findings = [
        one
        for name in ("parallel", "perpendicular")
        for one in ceilings.ceiling(
            used[name].to_list(), used["well"].to_list(), f'{where}, channel "{name}"'
        )
    ]
    raw = part.select("parallel", "perpendicular").to_numpy().T
    blanks = (part["role"] == BLANK).to_numpy() & (part["note"] == "").to_numpy()
    if blanks.any():
        level = raw[:, blanks].mean(axis=1)
    else:
        level = np.zeros(2)
        findings.append(_no_blanks(where))
    net = raw - level[:, None]
    g, found = _g_factor(part, net, optics, where)
    findings += found
    dark = (part["note"] == "").to_numpy() & ~blanks & ~(net > 0.0).all(axis=0)
    part = part.with_columns(
        note=pl.when(pl.Series(dark)).then(pl.lit("at or below the blank")).otherwise("note")
    )
    if dark.any():
        findings.append(_at_blank(part.filter(pl.Series(dark))["well"].to_list(), where))
    lit = (part["note"] == "").to_numpy() & ~blanks
    findings += _rounding(part, (raw, net), lit, g, where)
    findings += _stored(part, (raw, net), lit, g, where)
    part = part.with_columns(parallel=pl.Series(net[0]), perpendicular=pl.Series(net[1]))
    r, mp = signal.anisotropy(net[0], net[1], g), signal.polarization_mp(net[0], net[1], g)
    light = signal.intensity(net[0], net[1], g)
    # A well that is left out keeps its value for the figure; its note says that nothing rests on it.
    shown = lit | (part["note"].str.starts_with(exclusions.FLAG).to_numpy() & (net > 0.0).all(axis=0))
    return _filled(part, *(np.where(shown, values, np.nan) for values in (r, mp, light))), g, findings


def _filled(part: pl.DataFrame, r: Floats, mp: Floats, light: Floats) -> pl.DataFrame:
    used = (pl.col("note") == "") | pl.col("note").str.starts_with(exclusions.FLAG)
    return part.with_columns(
        intensity=pl.Series(light).fill_nan(None),
        anisotropy=pl.when(used).then(pl.Series(r).fill_nan(None)),
        polarization_mp=pl.when(used).then(pl.Series(mp).fill_nan(None)),
    ).select(*WELLS)


def _g_factor(part: pl.DataFrame, net: Floats, optics: Optics, where: str) -> tuple[float, list[Finding]]:
    """G as given, or from wells of known polarisation, or 1 with a warning."""
    if optics.g_factor is not None:
        return optics.g_factor, []
    if optics.free_dye_mp is not None:
        usable = (part["note"] == "").to_numpy() & (net > 0.0).all(axis=0)
        for role in (FREE_DYE, FREE):
            chosen = usable & (part["role"] == role).to_numpy()
            if chosen.any():
                each = signal.g_factor(net[0, chosen], net[1, chosen], optics.free_dye_mp)
                g = float(np.mean(each))
                text = f"G = {g:.4g} from {each.size} wells of {role} taken as {optics.free_dye_mp:g} mP"
                return g, [Finding("GP-A066", "note", text, where=where)]
    warning = Finding(
        "GP-A066",
        "warning",
        "no G factor: taken as 1",
        where=where,
        expected="the G factor of the reader, or wells of a free dye of known polarisation",
        next_step="give g_factor, or free_dye_mp with wells of role free_dye",
    )
    return 1.0, [warning]


def _no_blanks(where: str) -> Finding:
    return Finding(
        "GP-A065",
        "warning",
        "no blank wells: nothing is subtracted from the channels",
        where=where,
        expected="wells of buffer alone, role blank",
        next_step="measure blanks; background light lowers every polarisation",
    )


def _at_blank(names: list[str], where: str) -> Finding:
    return Finding(
        "GP-A067",
        "warning",
        f"{len(names)} wells are no brighter than the blank in a channel and have no polarisation",
        where=f"{where}, {listed(names)}",
        expected="tracer in these wells, well above the buffer",
        next_step="look for empty or mislabelled wells",
    )


def _rounding(
    part: pl.DataFrame, light: tuple[Floats, Floats], lit: NDArray[np.bool_], g: float, where: str
) -> list[Finding]:
    """Wells whose whole counts are so low that rounding alone spans more than `WIDEST_ROUNDING_MP`.

    light: channels (2, n) as counted and less blank.
    """
    raw, net = light
    if not lit.any() or not np.all(raw[:, lit] == np.round(raw[:, lit])):
        return []
    low, high = signal.rounding_mp(net[0], net[1], g)
    rows = np.flatnonzero(lit & ~(high - low <= WIDEST_ROUNDING_MP))
    if rows.size == 0:
        return []
    worst = rows[np.argmax(high[rows] - low[rows])]
    span = f"{low[worst]:.0f} to {high[worst]:.0f} mP"
    counts = f"{raw[0, worst]:.0f} and {raw[1, worst]:.0f} counts"
    return [
        Finding(
            "GP-A068",
            "warning",
            f"{rows.size} wells with so few counts that rounding alone moves them by more than "
            f"{WIDEST_ROUNDING_MP:g} mP; {part['well'][int(worst)]} with {counts} may be {span}",
            where=f"{where}, {listed(part['well'].to_numpy()[rows].tolist())}",
            expected="hundreds of counts and more in both channels",
            next_step="raise the gain or the tracer",
        )
    ]


def _stored(
    part: pl.DataFrame, light: tuple[Floats, Floats], lit: NDArray[np.bool_], g: float, where: str
) -> list[Finding]:
    """Whether the mP that the reader stored follow from its own channels, with one G for the plate; light as
    in `_rounding`."""
    raw, net = light
    stored = part["stored_mp"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    lit = lit & np.isfinite(stored)
    if not lit.any():
        return []
    # Readers differ in whether they subtract the blank first; the one that explains more wells is theirs.
    odd, own_g = min(
        (_inconsistent(pair, stored, lit) for pair in (raw, net)), key=lambda found: found[0].size
    )
    findings = []
    if odd.size:
        findings.append(
            Finding(
                "GP-A069",
                "warning",
                f"the stored mP of {odd.size} of {int(lit.sum())} wells do not follow from their channels",
                where=f"{where}, {listed(part['well'].to_numpy()[odd].tolist())}",
                expected=f"mP within rounding of the channels with the file's own G of {own_g:.4g}",
                next_step="the channels are used; ask how the file was edited or exported",
            )
        )
    if abs(own_g / g - 1.0) > LARGEST_G_DIFFERENCE:
        findings.append(
            Finding(
                "GP-A069",
                "warning",
                f"the stored mP were computed with G = {own_g:.4g}, here it is {g:.4g}",
                where=where,
                expected="one G factor for the reader",
                next_step=f"give g_factor = {own_g:.4g} if the reader's own is right",
            )
        )
    return findings


def _inconsistent(pair: Floats, stored: Floats, lit: NDArray[np.bool_]) -> tuple[NDArray[np.int64], float]:
    """Rows whose stored mP lie outside what their counts allow, and the G that most rows imply."""
    with np.errstate(invalid="ignore"):
        implied = signal.g_factor(pair[0], pair[1], stored)
        told = implied[lit & (implied > 0.0)]
        own = float(np.median(told)) if told.size else 1.0
        low, high = signal.rounding_mp(pair[0], pair[1], own)
        outside = ~((stored >= low - STORED_TOLERANCE_MP) & (stored <= high + STORED_TOLERANCE_MP))
    return np.flatnonzero(lit & outside), own
