"""A layout drawn in characters: one letter a well, and what each letter stands for."""

from __future__ import annotations

import polars as pl

from glueprint.assays.plate import SIZES, plate_shape, row_letters, well_place
from glueprint.assays.wells import Layout

__all__ = ["SIGNS", "draw"]

# One sign a role; figures use the same. None looks like another in a small square: one case, no digits, none
# of O, Q, G beside C, E beside F, I beside L, U and Y beside V.
SIGNS = {
    "blank": "B",
    "standard": "S",
    "control": "K",
    "sample": "X",
    "empty": "/",
    "competitor": "C",
    "tracer_only": "F",
    "tracer_protein": "T",
    "protein_only": "P",
    "free_dye": "A",
    "vehicle": "V",
    "compound": "D",
    "time0": "Z",
    "stimulated": "L",
    "unstimulated": "N",
    "positive": "+",
    "negative": "-",
    "": "?",
}


def draw(layout: Layout) -> str:
    """The layout as lines of text, one drawing a plate, with what the signs stand for and the contents."""
    parts = []
    for plate in layout.table["plate"].unique(maintain_order=True):
        here = layout.table.filter(pl.col("plate") == plate)
        title = f'plate "{plate}"' if plate else "every plate"
        parts.append(f"{title}\n{_grid(here, layout.size)}\n\n{_contents(here)}")
    return "\n\n".join(parts)


def _grid(table: pl.DataFrame, size: int | None) -> str:
    places = {well_place(well): role for well, role in table.select("well", "role").rows()}
    rows, columns = SIZES[size] if size else plate_shape(list(places))
    width = 2 if columns < 10 else 3
    lines = ["   " + "".join(f"{column + 1:>{width}}" for column in range(columns))]
    for row in range(rows):
        signs = (SIGNS.get(places[row, c], "?") if (row, c) in places else "." for c in range(columns))
        lines.append(f"{row_letters(row):>3}" + "".join(f"{sign:>{width}}" for sign in signs))
    return "\n".join(lines)


def _contents(table: pl.DataFrame) -> str:
    """One line for each role and sample: how many wells, which concentrations and dilutions."""
    lines = []
    for (role, sample), part in table.group_by("role", "sample", maintain_order=True):
        doses = part["concentration"].drop_nulls().unique().sort(descending=True)
        unit = next(iter(part["concentration_unit"].unique()), "")
        said = [f"{part.height} wells"]
        if doses.len():
            said.append(f"{', '.join(f'{dose:.4g}' for dose in doses)} {unit}".strip())
        dilutions = part["dilution"].unique().sort()
        if dilutions.to_list() != [1.0]:
            said.append(f"diluted {', '.join(f'{dilution:.4g}' for dilution in dilutions)}")
        donors = [donor for donor in part["donor"].unique(maintain_order=True) if donor]
        said += donors
        name = f"{role or 'no role'}{f' {sample}' if sample else ''}"
        lines.append(f"  {SIGNS.get(str(role), '?')}  {name}: {'; '.join(said)}")
    return "\n".join(lines)
