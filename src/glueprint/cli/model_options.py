"""What `glueprint model` is told, checked: times, assignments, the unit of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from glueprint import engine
from glueprint.errors import InputError

__all__ = [
    "MOST_AVAILABLE",
    "Accuracy",
    "Assign",
    "File",
    "Out",
    "Verify",
    "assignments",
    "grid",
    "longest_step",
    "names",
    "number",
    "quantities",
    "smallest",
    "time_scale",
]

File = Annotated[Path, typer.Argument(help="Antimony (.ant) or SBML (.xml) file.", show_default=False)]
Assign = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter or initial value: name=number. Repeatable.")
]


def _attainable(asked: float) -> float:
    """An accuracy that double precision can be held to. Raises InputError GP-N067."""
    if not FINEST <= asked <= COARSEST:
        raise InputError(
            "GP-N067",
            f"--accuracy {asked:g}",
            expected=f"{FINEST:g} to {COARSEST:g}, such as 1e-5",
            next_step="correct the number; docs/engine.md, Accuracy, says what is promised",
        )
    return asked


# Below the first, rounding in double precision decides; above the second, a number has no digit. Own choice.
FINEST, COARSEST = 1e-13, 0.1
Accuracy = Annotated[float, typer.Option(help="Wished relative error of the results.", callback=_attainable)]
Verify = Annotated[
    bool,
    typer.Option(help="Run again at a tenth of the tolerance until two runs agree, and report the error."),
]


def _table_file(path: Path | None) -> Path | None:
    """A table's file; one of another kind is refused before the work. Raises InputError GP-N032."""
    if path is not None and path.suffix not in (".csv", ".parquet"):
        raise InputError(
            "GP-N032",
            f'"{path}" ends in "{path.suffix}"',
            where="--out",
            expected="a name that ends in .csv or .parquet",
            next_step="choose another name",
        )
    return path


Out = Annotated[Path | None, typer.Option(callback=_table_file, help="Table to write: .csv or .parquet.")]

MOST_TIMES = 10_000_000
SLIVER = 1e-9  # of the interval: an output so near to the last time is the last time


def grid(until: float, every: float | None) -> NDArray[np.float64]:
    """0, every, 2 every, ... and `until`, which is always the last. Raises InputError GP-N030.

    every: None for a hundredth of `until`.
    """
    if every is None:
        every = until / 100.0
    if not (math.isfinite(until) and until > 0 and math.isfinite(every) and every > 0):
        raise InputError(
            "GP-N030",
            f"--until {until} --every {every}",
            expected="two numbers above 0",
            next_step="correct the numbers",
        )
    if until / every > MOST_TIMES:
        raise InputError(
            "GP-N030",
            f"--until {until} --every {every} are {until / every:.3g} times, and no table holds so many",
            expected=f"at most {MOST_TIMES} times",
            next_step="a longer --every, or a shorter --until",
        )
    times = every * np.arange(math.floor(until / every) + 1)
    return np.append(times[times < until - SLIVER * every], until)


def assignments(texts: Sequence[str] | None, option: str) -> dict[str, float]:
    """`name=number` texts as a table. Raises InputError GP-N031."""
    found: dict[str, float] = {}
    for text in texts or ():
        name, sign, amount = text.partition("=")
        value = number(amount)
        if not sign or not name.strip() or value is None:
            raise InputError(
                "GP-N031",
                f'"{text}" is not name=number',
                where=option,
                expected="for example CL=7.8",
                next_step="correct the text",
            )
        if found.setdefault(name.strip(), value) != value:
            raise InputError(
                "GP-N031",
                f'"{text}": {name.strip()} is {found[name.strip()]:g} already',
                where=option,
                expected="one number for each name",
                next_step="leave one of them out",
            )
    return found


def names(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """`name=name` texts as a table. Raises InputError GP-N031."""
    found = {}
    for text in texts or ():
        name, sign, other = (part.strip() for part in text.partition("="))
        if not (name and sign and other) or name in found:
            raise InputError(
                "GP-N031",
                f'"{text}" is not name=name' if name not in found else f'"{text}": {name} is given twice',
                where=option,
                expected="for example 2=central",
                next_step="correct the text",
            )
        found[name] = other
    return found


# Of a dose: relative to a worse formulation more than all may enter; more still is per cent. Own choice.
MOST_AVAILABLE = 2.0


def quantities(
    texts: Sequence[str] | None, option: str, scale: float, most: float = math.inf
) -> dict[str, str | float]:
    """`species=number` or `species=name` texts; numbers times `scale`, up to `most`. Raises InputError
    GP-N031."""
    found: dict[str, str | float] = {}
    for name, other in names(texts, option).items():
        value = number(other)
        if value is not None and value > most:
            raise InputError(
                "GP-N031",
                f'"{name}={other}"',
                where=option,
                expected=f"a share, up to {most:g}: 0.5 for 50 per cent",
                next_step="correct the number",
            )
        found[name] = other if value is None else scale * value
    return found


def smallest(texts: Sequence[str] | None) -> float | dict[str, float]:
    """One number for all, or `name=number` texts as a table. Raises InputError GP-N031."""
    if texts and len(texts) == 1 and "=" not in texts[0]:
        value = number(texts[0])
        if value is not None:
            return value
    return assignments(texts, "--smallest") if texts else 0.0


def longest_step(asked: float | None, scale: float) -> float:
    """--max-step in the model's unit of time. Raises InputError GP-N030."""
    if asked is None:
        return math.inf
    if not (math.isfinite(asked) and asked > 0):
        raise InputError(
            "GP-N030", f"--max-step {asked}", expected="a number above 0", next_step="correct the number"
        )
    return scale * asked


def number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def time_scale(asked: str | None, model: engine.Model) -> tuple[str, float]:
    """Name of the unit of time for headers, and its length in the model's own unit.

    asked: what --time-unit says; by default the file's own unit, or hours where it states none.
    Raises InputError GP-N046 (no unit of time), GP-N048 (the file's time is no time).
    """
    own = model.measures.time
    if asked is None:
        return ("h" if own is None else own.name), 1.0
    unit = engine.time_unit(asked)
    if own is None:
        return unit.name, 1.0
    if not own.seconds > 0:
        raise InputError(
            "GP-N048",
            f"--time-unit {asked}, but the file says that its time is no time in seconds",
            where=model.name,
            expected="a file whose unit of time can be converted",
            next_step="leave --time-unit out, or correct the unit in the file",
        )
    return unit.name, unit.seconds / own.seconds
