"""Tables that are not what they say: is any number read from them wrong, and are honest ones refused?

    python -m benchmarks.disguises [--files 2000] [--seed 1] [--json]

Draws a table of cultures or lanes of known potency (doses, steps, replicates, noise, units, scale, names and
shape at random), puts one disguise on it (none, in a quarter of them), reads it through the door and
analyses it.
A number is wrong where it is more than `OFF` times from the truth, its interval does not hold the truth, and
no
warning or refusal is told with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.fuzzing import Outcomes, arguments, attempts, conduct
from glueprint.assays import degradation, growth
from glueprint.assays.findings import Finding
from glueprint.assays.intake import door
from glueprint.curves import Potency
from glueprint.errors import GlueprintError

__all__ = ["DISGUISES", "Table", "drawn", "outcome", "run"]

OFF = 2.0
FACTORS = (2.0, 3.0, 10.0**0.5, 4.0, 5.0, 10.0)
HOURS = (1.0, 6.0, 24.0)
# How the same is called: header of doses with its unit in nM, and of responses by whether they are per cent.
DOSES = (
    ("dose_nm", 1.0),
    ("Dose (nM)", 1.0),
    ("conc_uM", 1e3),
    ("Concentration (µM)", 1e3),
    ("dose (M)", 1e9),
)
CELLS = {
    False: ("viability", "Surviving fraction", "inhibition"),
    True: ("viability_percent", "% Viability", "Inhibition (%)"),
}
LANES = {
    False: ("fraction_remaining", "fraction_degraded"),
    True: ("percent_remaining", "Remaining (%)", "% degraded"),
}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """A table before it is written: doses in the unit of its header, responses (rows, replicates), names.

    truth_nm: the dose that leaves half.   before, labels: further columns and their cells, a row each.
    """

    dose_name: str
    per_unit: float
    dose: Floats
    name: str
    value: Floats
    truth_nm: float
    lanes: bool
    before: tuple[str, ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()
    text: tuple[str, ...] = ()

    @property
    def complement(self) -> bool:
        """Whether the column holds what was lost."""
        return "nhibition" in self.name or "degraded" in self.name

    @property
    def per_cent(self) -> bool:
        """Whether the column is in per cent."""
        return "%" in self.name or "percent" in self.name

    def written(self) -> str:
        """The file, its replicates side by side (named for what they are) or one a row."""
        header = [*self.before, self.dose_name, self.name]
        shown = self.text or tuple(f"{one:.6g}" for one in self.dose)
        labels = self.labels or ((),) * self.dose.size
        rows = [
            [*label, dose, f"{value:.5g}"]
            for label, dose, values in zip(labels, shown, self.value, strict=True)
            for value in values
        ]
        return "\n".join(",".join(row) for row in (header, *rows)) + "\n"


def drawn(random: np.random.Generator, *, lanes: bool) -> Table:
    """A table at random whose potency lies well within its doses."""
    count, factor = int(random.integers(6, 11)), float(random.choice(FACTORS))
    top = float(random.choice([1e3, 3e3, 1e4, 2e4, 3e4]))
    doses = top / factor ** np.arange(count)[::-1]
    middle = float(np.exp(random.uniform(*np.log(doses[[1, -2]]))))
    bottom, slope = float(random.uniform(0.02, 0.3)), float(np.exp(random.normal(0.0, 0.2)))
    ic50 = middle * ((1.0 - bottom) / 0.5 - 1.0) ** (1.0 / slope)
    controls = int(random.integers(2, 5))
    dose = np.concatenate([np.zeros(controls), doses])
    left = 1.0 - (1.0 - bottom) / (1.0 + (ic50 / np.maximum(dose, 1e-12)) ** slope)
    noise = float(random.uniform(0.01, 0.05))
    left = left[:, None] * np.exp(noise * random.standard_normal((dose.size, int(random.integers(1, 4)))))
    named, per_unit = DOSES[int(random.integers(len(DOSES)))]
    per_cent = bool(random.integers(2))
    names = (LANES if lanes else CELLS)[per_cent]
    one = Table(named, per_unit, dose / per_unit, str(random.choice(names)), left, middle, lanes)
    value = 1.0 - left if one.complement else left
    one = replace(one, value=100.0 * value if per_cent else value)
    if not lanes:
        return one
    hours = str(random.choice([3.0, 6.0, 16.0, 24.0]))
    return replace(one, before=("time_h",), labels=((hours,),) * dose.size)


def _logged(base: float) -> Callable[[Table], Table]:
    def change(table: Table) -> Table:
        dosed = table.dose > 0.0
        logs = np.log(table.dose[dosed]) / np.log(base)
        labels = (
            tuple(one for one, kept in zip(table.labels, dosed, strict=True) if kept) if table.labels else ()
        )
        return replace(table, dose=logs, value=table.value[dosed], labels=labels)

    return change


def _named_log(table: Table) -> Table:
    """Natural logarithms under log10."""
    logged = _logged(math.e)(table)
    unit = {1.0: "nM", 1e3: "uM", 1e9: "M"}[table.per_unit]
    return replace(logged, dose_name=f"log10 dose ({unit})")


def _reversed(table: Table) -> Table:
    dosed = table.dose > 0.0
    dose = table.dose.copy()
    dose[dosed] = dose[dosed][::-1]
    return replace(table, dose=dose)


def _without_control(table: Table) -> Table:
    dosed = table.dose > 0.0
    labels = tuple(one for one, kept in zip(table.labels, dosed, strict=True) if kept) if table.labels else ()
    return replace(table, dose=table.dose[dosed], value=table.value[dosed], labels=labels)


def _complement(table: Table) -> Table:
    return replace(table, value=(100.0 if table.per_cent else 1.0) - table.value)


def _scaled(table: Table) -> Table:
    return replace(table, value=table.value / 100.0 if table.per_cent else 100.0 * table.value)


def _other_unit(table: Table) -> Table:
    cells = tuple(f"{one * table.per_unit:.6g} nM" for one in table.dose)
    return replace(table, text=cells, dose_name="conc_uM")


def _control_of_kill(table: Table) -> Table:
    """Every reading over that of the highest dose, which stands as the control."""
    value = _complement(table).value if table.complement else table.value
    least = float(value[-1].mean())
    value = np.where((table.dose == 0.0)[:, None], least * (1.0 + 0.02 * (value - value.mean())), value)
    value = value / least * (100.0 if table.per_cent else 1.0)
    found = replace(table, value=value)
    return _complement(found) if table.complement else found


DISGUISES: dict[str, Callable[[Table], Table]] = {
    "complement": _complement,
    "complement without control": lambda table: _complement(_without_control(table)),
    "other scale": _scaled,
    "other scale without control": lambda table: _scaled(_without_control(table)),
    "log10 doses": _logged(10.0),
    "natural logarithms": _logged(math.e),
    "logarithms to base 2": _logged(2.0),
    "minus logarithms": lambda table: replace(
        _logged(10.0)(table), dose=9.0 - np.log10(table.per_unit) - _logged(10.0)(table).dose
    ),
    "natural logarithms named log10": _named_log,
    "doses in reverse": _reversed,
    "unit in the cells": _other_unit,
    "control of full effect": _control_of_kill,
}


def outcome(table: Table, folder: Path) -> str:
    """ "right", "refused CODE", "warned" or "wrong": what reading and analysing the table gives."""
    path = folder / "table.csv"
    path.write_text(table.written())
    try:
        if table.lanes:
            lanes = degradation.analyse(degradation.read(path))
            found: Iterable[Potency] = lanes.potencies
            findings: tuple[Finding, ...] = lanes.findings
        else:
            cultures = growth.analyse(door.read(path).observations)
            found, findings = cultures.potencies, cultures.findings
    except GlueprintError as error:
        return f"refused {error.code}"
    told = [one for one in found if one.definition == "absolute" or "absolute" in str(one.definition)]
    if all(_holds(one, table.truth_nm) for one in told) and told:
        return "right"
    serious = sorted({one.code for one in findings if one.severity != "note"})
    return f"warned {serious[0]}" if serious else "wrong"


def _holds(one: Potency, truth_nm: float) -> bool:
    """Whether a potency is near the truth, or holds it."""
    if one.relation == "=" and one.value_nm is not None:
        near = 1.0 / OFF < one.value_nm / truth_nm < OFF
        return near or (one.low_nm or 0.0) <= truth_nm <= (one.high_nm or np.inf)
    if one.value_nm is None:
        return (one.low_nm or 0.0) <= truth_nm <= (one.high_nm or np.inf)
    return truth_nm < one.value_nm if one.relation == "<" else truth_nm > one.value_nm


def run(files: int, seed: int) -> Outcomes:
    """Outcomes by disguise, and failures; a wrong number is one."""
    with TemporaryDirectory() as folder:

        def attempt(random: np.random.Generator) -> tuple[str, Callable[[], Iterable[str]]]:
            table = drawn(random, lanes=bool(random.random() < 0.3))
            kind = "" if random.random() < 0.25 else str(random.choice([*DISGUISES]))
            changed = DISGUISES[kind](table) if kind else table

            def read() -> list[str]:
                found = outcome(changed, Path(folder))
                if found == "wrong" or (not kind and found.startswith("refused")):
                    raise AssertionError(f"{kind or 'honest'}: {found}\n{changed.written()}")
                return [f"{kind or 'honest'}: {found}"]

            return kind or "honest", read

        return attempts(files, seed, attempt)


def main() -> None:
    options = arguments(__doc__, 2000).parse_args()
    conduct(options, lambda: run(options.files, options.seed))


if __name__ == "__main__":
    main()
