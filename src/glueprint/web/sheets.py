"""How an assay's file is read where the file leaves it open: which of its sheets, the unit of its doses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.assays.intake import door, sheets
from glueprint.boundary import read_plain
from glueprint.errors import GlueprintError, InputError
from glueprint.study import glue
from glueprint.web import edits
from glueprint.web.context import of
from glueprint.web.fit_page import assay_of
from glueprint.web.refusals import refused
from glueprint.web.requests import Form

__all__ = ["UNITS", "Way", "chosen", "readable", "way"]

UNITS = ("nM", "uM", "mM", "M", "ug/mL")
KINDS = ("fp", "elisa", "growth", "degradation")
# A choice is made by looking; a file of more sheets has its sheet named in glue.toml.
MOST_SHEETS = 50


@dataclass(frozen=True)
class Way:
    """How a file is read.

    line: what a table was read as, "" for a plate, which says it itself.   trouble: why it was not read.
    sheets: names of all, () where there is no choice.   sheet: the one that is read, "" where none was found.
    asks_unit: whether doses have no unit in the file.   table: whether it is one, and no plate.
    """

    line: str
    trouble: GlueprintError | None
    sheets: tuple[str, ...]
    sheet: str
    asks_unit: bool
    table: bool

    @property
    def others(self) -> tuple[str, ...]:
        """Sheets that are not read."""
        return tuple(name for name in self.sheets if name != self.sheet)


def way(folder: Path, one: glue.Assay) -> Way | None:
    """How the file of an assay is read; None for pictures, and for several files at once."""
    if one.kind not in KINDS or len(one.files) != 1:
        return None
    names, sheet, kept = _names(folder / one.files[0]), one.sheet or "", bool(one.dose_unit)
    try:
        sheet = sheet or _first(folder / one.files[0], names)
        line, table = _understood(folder, one)
    except GlueprintError as error:
        return Way("", error, names, sheet, kept, False)
    if table is None:
        return Way("", None, names, sheet, kept, False)
    line = f"{line}; doses without a unit are taken as {one.dose_unit}, as chosen" if one.dose_unit else line
    bare = one.kind == "growth" and _without_unit(table)
    return Way(line, None, names, sheet, kept or bare, True)


def _understood(folder: Path, one: glue.Assay) -> tuple[str, pl.DataFrame | None]:
    """What a table was read as, and the table, as the analysis of its kind reads it; None for a plate."""
    path = folder / one.files[0]
    layout = folder / one.layout if one.layout else None
    if one.kind == "degradation":
        found = door.table(path, sheet=one.sheet)
        return found.line, found.table
    if one.kind == "growth":
        read = door.read(path, layout=layout, sheet=one.sheet)
        return read.line, read.tidy if read.plate is None else None
    return door.wells(path, layout=layout, sheet=one.sheet).line, None


def readable(path: Path, layout: Path | None) -> None:
    """Raise what `door.read` raises for a file of which nobody can read any sheet."""
    try:
        door.read(path, layout=layout)
    except InputError:
        if not any(_reads(path, layout, name) for name in _names(path)):
            raise


def chosen(request: Request, form: Form) -> Response:
    """Keep in the project's file which sheet is read and in which unit its doses are."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = assay_of(glue.load(folder), assay)
    edits.check_same(folder / edits.FILE, form.text("seen"))
    sheet, unit = form.text("sheet"), form.text("dose_unit")
    names = _names(folder / one.files[0])
    _check(sheet, ("", *names, *filter(None, [one.sheet])), "sheet")
    units = UNITS if one.kind == "growth" else ()
    _check(unit, ("", *units, *filter(None, [one.dose_unit])), "dose_unit")
    if sheet != (one.sheet or "") and one.exclude:
        raise refused(
            "GP-B014",
            "wells or rows of the sheet that is read now are left out",
            "nothing left out, as it would be left out of another sheet",
            "take all of it in again, then choose the sheet",
            where="sheet",
        )
    # What nobody can read is refused before it is written.
    said = {"sheet": sheet or None, "dose_unit": unit or None}
    _understood(folder, one.model_copy(update=said))
    edits.say_reading(folder, assay, sheet, unit)
    return RedirectResponse(f"/p/{name}/plates/{assay}", 303)


def _check(text: str, known: tuple[str, ...], where: str) -> None:
    if text not in known:
        raise refused(
            "GP-B023", f'"{text[:60]}"', "one of " + ", ".join(filter(None, known)), "choose one", where=where
        )


def _first(path: Path, names: tuple[str, ...]) -> str:
    """The sheet of several that is read where none is chosen."""
    return sheets.of_bytes(_content(path), path.name).name if names else ""


def _names(path: Path) -> tuple[str, ...]:
    """Names of the sheets of a file, where there are several; a file that cannot be opened has none."""
    try:
        found = sheets.names(_content(path), path.name)
    except (InputError, OSError):
        return ()
    return found if 1 < len(found) <= MOST_SHEETS else ()


def _content(path: Path) -> bytes:
    return read_plain(path, door.MOST_BYTES)


def _reads(path: Path, layout: Path | None, sheet: str) -> bool:
    try:
        door.read(path, layout=layout, sheet=sheet)
    except InputError:
        return False
    return True


def _without_unit(table: pl.DataFrame) -> bool:
    """Whether a dose above zero of a table of curves has no unit."""
    if "dose" not in table.columns:
        return False
    bare = pl.col("dose_unit").cast(pl.String).fill_null("") == "" if "dose_unit" in table.columns else True
    return table.filter(pl.col("dose").cast(pl.Float64, strict=False) > 0.0, bare).height > 0
