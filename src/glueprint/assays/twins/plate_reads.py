"""What a simulated reader measured, and its text in the formats of Gen5 and SoftMax Pro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.plate import Plate, measured, row_letters
from glueprint.assays.readers.gather import MODE_UNITS
from glueprint.assays.readers.text import ABOVE, MISSING

__all__ = ["COLUMNS", "ROWS", "PlateRead", "as_plate", "gen5_polarization", "outer_wells", "softmax"]

Floats = NDArray[np.float64]

# All twins use plates of 96 wells.
ROWS, COLUMNS = 8, 12
# What Gen5 and SoftMax Pro print where the detector ends, as their readers here know it.
OVERFLOW, NO_NUMBER = "OVRFLW", "?????"


@dataclass(frozen=True)
class PlateRead:
    """One plate: its name, its mode ("absorbance", ...), and a table (8, 12) of values a channel.

    A value beyond the detector is infinite, a well that was not read NaN.
    """

    name: str
    mode: str
    channels: Mapping[str, Floats]


def outer_wells() -> Floats:
    """(8, 12): 1 at the rim of the plate, 0 inside."""
    rim = np.ones((ROWS, COLUMNS))
    rim[1:-1, 1:-1] = 0.0
    return rim


def as_plate(reads: Sequence[PlateRead], source: str = "twin") -> Plate:
    """The plates as a reader would give them from the file, without a file."""
    rows: list[dict[str, object]] = []
    for read in reads:
        for channel, values in read.channels.items():
            for (row, column), value in np.ndenumerate(values):
                seen = float(value) if np.isfinite(value) else None
                flag = "" if seen is not None else ABOVE if np.isinf(value) else MISSING
                place = {"plate": read.name, "well": f"{row_letters(row)}{column + 1}", "channel": channel}
                rows.append({**place, "unit": MODE_UNITS.get(read.mode, ""), "value": seen, "flag": flag})
    return Plate(source, "twin", measured(rows), {"simulated": "yes"})


def gen5_polarization(read: PlateRead, g_factor: float, mark: str) -> str:
    """A Gen5 text export of one plate with the channels parallel and perpendicular (whole counts).

    mark: what the head says beside "Simulated".   The mP are those of the reader: no blank subtracted.
    """
    par, perp = read.channels["parallel"], read.channels["perpendicular"]
    light = par + g_factor * perp
    with np.errstate(invalid="ignore", divide="ignore"):
        mp = np.where(np.isfinite(light), 1000.0 * (par - g_factor * perp) / light, np.nan)
    name = "FP Read"
    filters = "485/20,528/20"
    lines = [
        "", "", "Software Version\t3.11.19", "", f"Simulated\t{mark}", "",
        "Experiment File Path:\tsimulated.xpt", "Protocol File Path:\tsimulated.prt", "",
        f"Plate Number\t{read.name}", "Reader Type:\tsimulated", "Reading Type\tReader", "",
        "Procedure Details", "", "Plate Type\t96 WELL PLATE", f"Read\t{name}", "\tFluorescence Endpoint",
        "\tFull Plate", "\tFilter Set 1", "\t    Excitation: 485/20,  Emission: 528/20",
        "\tFluorescence Polarization", "", "Results", "\t" + "\t".join(map(str, range(1, COLUMNS + 1))),
    ]  # fmt: skip
    for row in range(ROWS):
        for head, values, label in (
            (row_letters(row), par, f"{name}:{filters} [Parallel]"),
            ("", perp, f"{name}:{filters} [Perpendicular]"),
            ("", mp, "Polarization"),
        ):
            cells = [_printed(value, 0, NO_NUMBER) for value in values[row].tolist()]
            lines.append("\t".join([head, *cells, label]))
    return "\n".join([*lines, ""]) + "\n"


def softmax(reads: Sequence[PlateRead], mark: str, *, decimals: int) -> str:
    """A SoftMax Pro text export with one block a plate, channels side by side; `mark` stands in its tail."""
    lines = [f"##BLOCKS= {len(reads)}"]
    scale = "\t".join(map(str, range(1, COLUMNS + 1)))
    for read in reads:
        names = list(read.channels)
        waves = " ".join(names) + " " if read.mode == "absorbance" else ""
        lines.append(
            f"Plate:\t{read.name}\t1.3\tPlateFormat\tEndpoint\t{read.mode.title()}\tRaw\tFALSE\t1\t\t\t\t\t\t"
            f"{len(names)}\t{waves}\t1\t{COLUMNS}\t{ROWS * COLUMNS}\t1\t{ROWS}\t\t"
        )
        lines.append("\tTemperature(C)\t" + "\t\t".join([scale] * len(names)) + "\t")
        for row in range(ROWS):
            tables = [
                "\t".join(_printed(value, decimals, "") for value in read.channels[name][row].tolist())
                for name in names
            ]
            lines.append(("\t22.5\t" if row == 0 else "\t\t") + "\t\t".join(tables) + "\t")
        lines += ["", "~End"]
    lines.append(f"Original Filename: simulated; Simulated: {mark}")
    return "\n".join(lines) + "\n"


def _printed(value: float, decimals: int, missing: str) -> str:
    if np.isfinite(value):
        return f"{value:.{decimals}f}"
    return OVERFLOW if np.isinf(value) else missing
