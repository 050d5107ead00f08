"""`glueprint assay binding`: a fluorescence polarisation plate to tracer Kd, Ki and IC50."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from glueprint.assays import polarization
from glueprint.assays.polarization import Amount, Conditions, Optics
from glueprint.cli.output import Json, print_json, print_table
from glueprint.cli.plates import (
    Exclude,
    FigureFile,
    LayoutFile,
    PlateFile,
    ReaderName,
    SheetName,
    print_findings,
    print_reading,
    shown,
    wells_of,
    write_tables,
)
from glueprint.errors import InputError, nearest
from glueprint.report import figures
from glueprint.report.figures.binding import binding_curves

__all__ = ["command"]

Number = float | None
Cv = typer.Option(help="Its coefficient of variation: 0.2 is 20 %, 0 is exact.")

CONVERSIONS = ("sample", "method", "ic50_nm", "ki_nm", "factor")
BUDGET = ("sample", "share_wells", "share_protein", "share_tracer_kd", "ki_floor_nm", "noise_anisotropy")
TITRATIONS = ("model", "kd_nm", "kd_low_nm", "kd_high_nm", "brightness_ratio", "factor")
LIGHT = ("g_factor", "free_dye_mp", "brightness_ratio")
QUALITY = ("plate", "name", "value", "unit", "limit", "verdict")


def command(
    plate: PlateFile,
    layout_file: LayoutFile = None,
    reader: ReaderName = None,
    sheet: SheetName = None,
    protein_nm: Annotated[Number, typer.Option(help="Total active protein, nM.")] = None,
    protein_cv: Annotated[Number, Cv] = None,
    protein_low: Annotated[Number, typer.Option(help="95 % interval of it, nM: lower end.")] = None,
    protein_high: Annotated[Number, typer.Option(help="95 % interval of it, nM: upper end.")] = None,
    tracer_nm: Annotated[Number, typer.Option(help="Total tracer, nM.")] = None,
    tracer_cv: Annotated[Number, Cv] = None,
    tracer_kd_nm: Annotated[Number, typer.Option(help="Kd of the tracer, nM.")] = None,
    tracer_kd_cv: Annotated[Number, Cv] = None,
    tracer_kd_low: Annotated[Number, typer.Option(help="95 % interval of it, nM: lower end.")] = None,
    tracer_kd_high: Annotated[Number, typer.Option(help="95 % interval of it, nM: upper end.")] = None,
    g_factor: Annotated[Number, typer.Option(help="G factor of the reader.")] = None,
    free_dye_mp: Annotated[Number, typer.Option(help="Known mP of the wells free_dye.")] = None,
    brightness_ratio: Annotated[Number, typer.Option(help="Q: brightness bound over free.")] = None,
    parallel: Annotated[str, typer.Option(help="Name of the parallel channel.")] = "parallel",
    perpendicular: Annotated[str, typer.Option(help="Name of the other channel.")] = "perpendicular",
    mp_channel: Annotated[str, typer.Option(help="Name of the stored mP.")] = "mP",
    exclude: Exclude = None,
    figure: FigureFile = None,
    out: Annotated[Path | None, typer.Option(help="Folder for all tables as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """Fit tracer titrations and competition curves exactly; a Ki needs protein, tracer and tracer Kd."""
    read, wells = wells_of(plate, layout_file, reader, sheet)
    print_reading(read, wells, as_json=as_json)
    given = {
        "protein": Stated(protein_nm, protein_cv, protein_low, protein_high),
        "tracer": Stated(tracer_nm, tracer_cv),
        "tracer_kd": Stated(tracer_kd_nm, tracer_kd_cv, tracer_kd_low, tracer_kd_high),
    }
    light = dict(zip(LIGHT, (g_factor, free_dye_mp, brightness_ratio), strict=True))
    conditions, light = _completed(given, light, wells.assay, str(layout_file or plate))
    optics = Optics(**light, parallel=parallel, perpendicular=perpendicular, polarization=mp_channel)
    result = polarization.analyse(wells.table, conditions, optics=optics, exclude=tuple(exclude or ()))
    findings = (*wells.findings, *result.findings)
    if figure is not None:
        figures.save(binding_curves(result.tables), figure)
    if out is not None:
        write_tables(out, {**result.tables, "quality": result.quality})
    if as_json:
        print_json(result.as_dict() | {"findings": [finding.as_dict() for finding in findings]})
    else:
        _print(result)
        print_findings(findings)
    if any(finding.severity == "refusal" for finding in findings):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Stated:
    """What the command line says about one amount."""

    value: Number = None
    cv: Number = None
    low: Number = None
    high: Number = None


def _completed(
    given: Mapping[str, Stated], light: Mapping[str, Number], assay: Mapping[str, float], source: str
) -> tuple[Conditions, dict[str, Number]]:
    """Conditions and optics, with the layout's `[assay]` where the command line is silent.

    An amount named on the command line is taken from there whole, with its uncertainty.
    Raises InputError GP-A062 for a name that the layout should not have, and as `_amount`.
    """
    parts = {name: ("nm", "cv") if name == "tracer" else ("nm", "cv", "low", "high") for name in given}
    known = [f"{name}_{part}" for name, ends in parts.items() for part in ends] + list(LIGHT)
    for name in assay:
        if name not in known:
            raise InputError(
                "GP-A062",
                f'no setting "{name}" of a binding assay{nearest(name, known)}',
                where=f"{source}, [assay]",
                expected=f"one of {', '.join(known)}",
                next_step="correct the name, or leave it out",
            )
    amounts = []
    for name, said in given.items():
        chosen = said if said != Stated() else Stated(*(assay.get(f"{name}_{end}") for end in parts[name]))
        amounts.append(_amount(name.replace("_", "-"), chosen))
    optics = {name: assay.get(name) if value is None else value for name, value in light.items()}
    return Conditions(*amounts), optics


def _amount(name: str, said: Stated) -> Amount | None:
    """An amount with its uncertainty from a CV or from an interval, None where nothing is said.

    Raises InputError GP-A062 for an uncertainty without value, half an interval, or two uncertainties.
    """
    uncertain = [part for part in (said.cv, said.low, said.high) if part is not None]
    interval = said.low is not None and said.high is not None
    if said.value is None and not uncertain:
        return None
    if (
        said.value is None
        or ((said.low is None) != (said.high is None))
        or (interval and said.cv is not None)
    ):
        raise InputError(
            "GP-A062",
            f"--{name}: a value with either a CV or both ends of an interval is wanted",
            where=f"--{name}-nm, --{name}-cv, --{name}-low, --{name}-high",
            expected=f"--{name}-nm 50 --{name}-cv 0.2, or --{name}-nm 50 --{name}-low 35 --{name}-high 70",
            next_step="complete the option, or leave one out",
        )
    if said.low is not None and said.high is not None:
        return Amount.between(said.value, said.low, said.high)
    return Amount(said.value, said.cv)


def _print(result: polarization.Result) -> None:
    named = zip(result.tables["potencies"].select("plate", "sample").rows(), result.potencies, strict=True)
    rows = [(plate, sample, potency.text()) for (plate, sample), potency in named]
    print_table("Potencies", ("plate", "sample", "potency"), rows)
    fits = result.tables["fits"].drop_nulls("ki_nm")
    for title, table, columns in (
        ("Ki by other formulas from the exact IC50", result.tables["conversions"], CONVERSIONS),
        ("Where the uncertainty of the Ki comes from", fits, BUDGET),
        ("Titration of the tracer", result.tables["titrations"], TITRATIONS),
        ("Quality", result.quality, QUALITY),
    ):
        if not table.is_empty():
            print_table(title, columns, _rows(table, columns))


def _rows(table: pl.DataFrame, columns: Iterable[str]) -> list[tuple[Any, ...]]:
    return [tuple(shown(row[name]) for name in columns) for row in table.to_dicts()]
