"""Layout files to begin with: each is commented, loads as it is, and shows one assay's usual plate."""

from __future__ import annotations

from glueprint.assays.plate import SIZES, row_letters
from glueprint.errors import InputError, nearest

__all__ = ["TEMPLATES", "template"]

HEAD = """\
# {title}
# Every [[well]] block names wells and says what is in them. Wells that no block names stay without a role.
#   wells         "A1:B6" (a rectangle), "C3", "A:C" (rows), "1:2" (columns), "all", or several with commas
#   one value     for all wells of the block
#   a list        runs along `direction` ("down", "up", "right", "left"); `each` wells in a row and
#                 `replicates` wells side by side get one value; at the end of the rectangle the list goes
#                 on beside it, and a list as long as the rectangle is the same in every strip
#   a series      {{ start = 100, factor = 2 }}: each step `factor` times lower; `zero = true` ends it with 0
#   own fields    extra = {{ batch = "7" }}
# A block may add fields to wells of another block. Roles are in docs/assays.md.
kind = "glueprint-layout"
version = 1
name = "{name}"
plate_wells = {wells}
concentration_unit = "{unit}"
"""

ELISA = """
# Standard curve in duplicate, highest first, zero standard last.
[[well]]
wells = "A1:{last_row}2"
role = "standard"
concentration = {{ start = 1000, factor = 2, zero = true }}

# Plate blank: no sample, no detection antibody.
[[well]]
wells = "A3:B3"
role = "blank"

# A control with the range in which its result must lie, in the unit of the standards.
[[well]]
wells = "C3:D3"
role = "control"
sample = "control 1"
expected_low = 80
expected_high = 120

# Samples in duplicate, going down two columns at a time.
[[well]]
wells = "A4:B5"
role = "sample"
replicates = 2
sample = ["sample 1", "sample 2"]
dilution = [10, 100]
"""

FP = """
# What a Ki needs: total active protein, tracer and the tracer's Kd in nM, each with its CV (0.2 is 20 %) or
# the ends of its 95 % interval. Options of `glueprint assay binding` win. Take away the marks and correct.
# [assay]
# protein_nm = 50
# protein_cv = 0.2
# tracer_nm = 5
# tracer_kd_nm = 120
# tracer_kd_low = 90
# tracer_kd_high = 160
# g_factor = 1.0

# Buffer alone: subtracted from each channel.
[[well]]
wells = "A1:D1"
role = "blank"

# Tracer without protein: the lower plateau.
[[well]]
wells = "E1:{last_row}1"
role = "tracer_only"

# Tracer with protein, no compound: the upper plateau.
[[well]]
wells = "A2:{last_row}2"
role = "tracer_protein"

# Two compounds, threefold dilution from 30 000 nM to the right, in duplicate rows.
[[well]]
wells = "A3:D{last_column}"
role = "competitor"
concentration = {{ start = 30000, factor = 3, direction = "right" }}
sample = ["pomalidomide", "pomalidomide", "lenalidomide", "lenalidomide"]
"""

SATURATION = """
[[well]]
wells = "A1:D1"
role = "blank"

[[well]]
wells = "E1:{last_row}1"
role = "tracer_only"

# Protein from 4000 nM, twofold, to the right; the tracer is the same everywhere. Four replicates.
[[well]]
wells = "A2:D{last_column}"
role = "tracer_protein"
concentration = {{ start = 4000, factor = 2, direction = "right" }}
"""

TNF = """
# TNF standard curve in duplicate, pg/mL.
[[well]]
wells = "A1:{last_row}2"
role = "standard"
concentration = {{ start = 1000, factor = 2, zero = true }}
concentration_unit = "pg/mL"

# One donor: unstimulated cells (100 % inhibition), LPS with solvent (0 %), LPS with compound.
[[well]]
wells = "A3:B3"
role = "unstimulated"

[[well]]
wells = "C3:{last_row}3"
role = "stimulated"

[[well]]
wells = "A4:C{last_column}"
role = "compound"
sample = "pomalidomide"
concentration = {{ start = 10000, factor = 3, direction = "right" }}

# What all these wells share: the donor, and how far the supernatants were diluted.
[[well]]
wells = "A3:{last_row}3, A4:C{last_column}"
donor = "donor 1"
experiment = "1"
dilution = 5
"""

DOSE_RESPONSE = """
# Solvent alone: no effect.
[[well]]
wells = "A1:{last_row}1"
role = "vehicle"

# Full effect.
[[well]]
wells = "A2:{last_row}2"
role = "positive"

# Two compounds, half-logarithmic dilution from 10 000 nM to the right, in triplicate rows.
[[well]]
wells = "A3:F{last_column}"
role = "compound"
concentration = {{ start = 10000, factor = 3.1623, direction = "right" }}
sample = {{ values = ["compound 1", "compound 2"], each = 3 }}
"""

GROWTH = """
# How long the compound was on the cells. Without wells of time zero, also how fast untreated cells double.
[assay]
time_h = 72
# doubling_time_h = 30

# Medium alone: subtracted on its own plate.
[[well]]
wells = "A1:{last_row}1"
role = "blank"

# Cells with solvent alone.
[[well]]
wells = "A2:{last_row}2"
role = "vehicle"

# Cells read when the compound was added; on a plate of their own, say plate = "its name in the file".
[[well]]
wells = "A3:{last_row}3"
role = "time0"

# One compound, threefold dilution from 10 000 nM to the right, in quadruplicate rows.
[[well]]
wells = "A4:D{last_column}"
role = "compound"
sample = "pomalidomide"
concentration = {{ start = 10000, factor = 3, direction = "right" }}

# What all wells share: the cell line and the experiment.
[[well]]
wells = "A1:{last_row}3, A4:D{last_column}"
experiment = "1"
extra = {{ line = "MM.1S" }}
"""

TEMPLATES = {
    "elisa": ("ELISA: standards, blank, control, samples with dilutions", "ng/mL", ELISA),
    "fp": ("Fluorescence polarisation: two compounds compete with a tracer", "nM", FP),
    "saturation": ("Fluorescence polarisation: protein titrated on a tracer", "nM", SATURATION),
    "tnf": ("TNF-alpha ELISA of stimulated cells: inhibition by a compound in one donor", "nM", TNF),
    "growth": ("Growth of a line under a compound, with time zero", "nM", GROWTH),
    "dose-response": ("Cells or a reaction with two compounds over doses", "nM", DOSE_RESPONSE),
}
SUPPORTED = (96, 384)


def template(kind: str, wells: int = 96) -> str:
    """The text of a commented layout file for one kind of assay on a plate of 96 or 384 wells.

    Raises InputError GP-A040 for another kind or plate.
    """
    if kind not in TEMPLATES or wells not in SUPPORTED:
        known = kind in TEMPLATES
        raise InputError(
            "GP-A040",
            f"no template for {wells} wells"
            if known
            else f'no template "{kind[:40]}"{nearest(kind, TEMPLATES)}',
            where="--wells" if known else "--template",
            expected=" or ".join(map(str, SUPPORTED)) if known else f"one of {', '.join(TEMPLATES)}",
            next_step="take the nearest one and change its wells",
        )
    title, unit, body = TEMPLATES[kind]
    rows, columns = SIZES[wells]
    corner = {"last_row": row_letters(rows - 1), "last_column": columns}
    return HEAD.format(title=title, name=kind, wells=wells, unit=unit) + body.format(**corner)
