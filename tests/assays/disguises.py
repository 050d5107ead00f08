"""A culture whose potency is known, written as a table and read again."""

from __future__ import annotations

from glueprint.assays import growth
from glueprint.assays.growth import plates
from glueprint.assays.intake import door

# Half of the control is left at 0.526/0.474 of the half-way dose of 0.5 uM.
TRUTH_NM, NEAR = 556.0, 0.15


def left(dose, ic50=0.5):
    return 1.0 - 0.95 * dose / (dose + ic50)


def text(header, rows, separator=","):
    cells = ((one if isinstance(one, str) else f"{one:.6g}" for one in row) for row in rows)
    return "\n".join([header, *map(separator.join, cells)]) + "\n"


def analysed(content, tmp_path, name="wells.csv"):
    """Absolute IC50s in nM by line, compound and time, and the findings."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = door.read(path)
    table = found.given
    if found.wells is not None:
        table, _ = plates.cultures_table(found.wells.table, found.wells.assay)
    result = growth.analyse(table)
    ic50s = {
        (one.line, one.compound, one.potency.time_h): one.potency.value_nm
        for one in result.named
        if one.definition == "absolute IC50" and one.experiment == ""
    }
    return ic50s, result.findings
