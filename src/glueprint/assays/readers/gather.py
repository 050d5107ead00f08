"""Gathering: cells of any grid become rows of a plate, and what was odd about them becomes findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from glueprint.assays.findings import Finding, Severity
from glueprint.assays.plate import measured
from glueprint.assays.readers.text import cell, looks_measured, short
from glueprint.errors import InputError

__all__ = ["MODE_UNITS", "Gathered", "each_once", "incomplete", "unread_finding"]

# The quantity that a mode measures has one unit; a file that names no mode and no unit gets none.
MODE_UNITS = {"absorbance": "OD", "fluorescence": "RFU", "luminescence": "RLU"}


class Gathered:
    """The rows read so far; each plate, well and channel once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.rows: list[dict[str, object]] = []
        self._where: dict[tuple[str, str, str], str] = {}
        self._odd: dict[tuple[str, str], list[str]] = {}

    def add(
        self,
        key: tuple[str, str, str],
        text: str,
        unit: str,
        *,
        where: str,
        others: Mapping[str, str] | None = None,
    ) -> None:
        """Take the cell of (plate, well, channel); `where` is its row, `others` its other columns.

        Raises InputError GP-A005 for a decimal comma, GP-A006 if the well was there before.
        """
        plate, well, channel = key
        place = f"{self.source} {where}"
        if key in self._where:
            raise InputError(
                "GP-A006",
                f'well {well} of plate "{plate}", channel "{channel}", is already in {self._where[key]}',
                where=place,
                expected="every well once a plate and channel",
                next_step="give the plates different names, or export the channels under different names",
            )
        self._where[key] = where
        found = cell(text, f"{place}, well {well}")
        if found.flag:
            self._odd.setdefault((text.strip()[:40], found.flag), []).append(f"{well} ({channel})")
        # Adding zero turns the -0.0 that some programs print into 0.0.
        value = None if found.value is None else found.value + 0.0
        self.rows.append(
            {
                "plate": plate,
                "well": well,
                "channel": channel,
                "value": value,
                "unit": unit,
                "flag": found.flag,
                **(others or {}),
            }
        )

    def table(self) -> pl.DataFrame:
        """The rows as a plate's table."""
        return measured(self.rows)

    def findings(self) -> list[Finding]:
        """What stood in place of numbers, and optical densities below zero."""
        found = [self._token(text, flag, wells) for (text, flag), wells in self._odd.items()]
        below: dict[str, list[str]] = {}
        for row in self.rows:
            if row["unit"] == "OD" and isinstance(row["value"], float) and row["value"] < 0.0:
                below.setdefault(str(row["channel"]), []).append(str(row["well"]))
        return [*found, *(self._negative(channel, wells) for channel, wells in below.items())]

    def _token(self, text: str, flag: str, wells: list[str]) -> Finding:
        severity: Severity = "warning" if text else "note"
        many = f"{len(wells)} wells" if len(wells) > 1 else "1 well"
        said = f'"{text}" in {many}, taken as {flag}' if text else f"{many} empty"
        return Finding(
            "GP-A017",
            severity,
            f"{said}: {short(wells)}",
            where=self.source,
            expected="a number",
            next_step="measure again at lower gain or higher dilution" if flag == "above_range" else "",
        )

    def _negative(self, channel: str, wells: list[str]) -> Finding:
        return Finding(
            "GP-A019",
            "warning",
            f'{len(wells)} optical densities below zero in channel "{channel}": {short(wells)}',
            where=self.source,
            expected="zero or more, unless a blank or a reference wavelength was subtracted",
            next_step="check the blank wells; the values are kept as they are",
        )


def each_once(names: Sequence[str]) -> tuple[str, ...]:
    """Names of channels; a wavelength that was read twice gets a number: 450, 450 (2)."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def unread_finding(lines: Sequence[tuple[int, Sequence[str]]], source: str) -> list[Finding]:
    """The finding for lines (row, cells) that nobody reads; none if there are none.

    Raises InputError GP-A015 if one of them looks like a row of a plate: wells would be lost.
    """
    lost = [row for row, cells in lines if looks_measured(cells)]
    if lost:
        raise incomplete(
            f"{source} row {lost[0]}", f"{len(lost)} rows of values belong to no numbered columns"
        )
    if not lines:
        return []
    what = short((f'"{" ".join(cells)[:40].strip()}" in row {row}' for row, cells in lines), most=4)
    return [Finding("GP-A018", "note", f"{len(lines)} lines not read: {what}", source)]


def incomplete(where: str, what: str) -> InputError:
    """The error for a file that breaks off or contradicts itself."""
    return InputError(
        "GP-A015",
        what,
        where=where,
        expected="as many rows, columns and blocks as the file itself announces",
        next_step="export the file again; it may be cut off or edited",
    )
