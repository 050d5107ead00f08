"""`glueprint trial sweep`: doses, schedules and conditions compared in the same patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from glueprint import trials
from glueprint.cli.output import Json, print_json, print_table, progress_console
from glueprint.cli.trial_draws import (
    Posterior,
    PosteriorFolder,
    Seed,
    TrialName,
    Workers,
    between,
    draws_for,
    heading,
    progress_bar,
)
from glueprint.errors import InputError
from glueprint.runs.store import write_tables
from glueprint.trials import SWEPT, Sweep, SweepSettings, Variant, arm_of, grid, sweep

__all__ = ["command", "dose_of", "listed_in"]

Many = list[str] | None
DECIMALS = 6


def command(
    trial: TrialName,
    arm: Annotated[str | None, typer.Option(help="Arm to vary; the first if not said.")] = None,
    compound: Annotated[str | None, typer.Option(help="Whose dose and days vary; the arm's glue.")] = None,
    dose_mg: Annotated[str | None, typer.Option(help="Doses, such as 1,2,3,4.")] = None,
    days: Annotated[Many, typer.Option(help="Days, such as 1-21 or 1-28/2; once for each schedule.")] = None,
    rules: Annotated[
        Many, typer.Option(help="Dose rules: a name, the path of a file, none; once for each.")
    ] = None,
    gcsf: Annotated[str | None, typer.Option(help="none, secondary, primary.")] = None,
    gcsf_fold: Annotated[
        float | None, typer.Option(help="G-CSF over its endogenous level, as in the protocol's gcsf_fold.")
    ] = None,
    gcsf_below: Annotated[
        float | None, typer.Option(help="Neutrophils that start a secondary course, 1e9/L; the protocol's.")
    ] = None,
    condition: Annotated[
        str | None, typer.Option(help="Of all patients: none, fluvoxamine, dialysis.")
    ] = None,
    crcl: Annotated[
        Many, typer.Option(metavar="LOW:HIGH", help="Creatinine clearance, mL/min; once for each range.")
    ] = None,
    patients: Annotated[int | None, typer.Option(help="Of each variant; those of the arm.")] = None,
    replicates: Annotated[int, typer.Option(help="Virtual trials of each variant.")] = 20,
    seed: Seed = 1,
    workers: Workers = 1,
    posterior: Posterior = None,
    posterior_from: PosteriorFolder = None,
    figure: Annotated[Path | None, typer.Option(help="Write the figure: .svg, .png, .pdf, .html.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the table.")] = None,
    as_json: Json = False,
) -> None:
    """Compare doses, schedules and patients: every combination of what is given, against the arm as
    written."""
    protocol = trials.load_protocol(trial)
    name = arm_of(protocol, arm).name if arm is not None else protocol.arms[0].name
    variants = _variants((dose_mg, gcsf, condition), days, crcl, rules)
    draws = draws_for(protocol, posterior, posterior_from, replicates, seed)
    settings = SweepSettings(replicates, seed, patients, gcsf_fold, gcsf_below, draws, workers)
    if out is not None:
        write_tables(out, {})
    with progress_bar(f"{protocol.name}, {len(variants)} variant(s)") as told:
        found = sweep(protocol, variants, arm=name, compound=compound, settings=settings, progress=told)
    if out is not None:
        write_tables(out, {"sweep": found.table})
    if figure is not None:
        # Drawing costs an import that a look at numbers need not pay.
        from glueprint.report import figures

        figures.save(figures.variants(found.table), figure)
    if as_json:
        print_json(
            {
                "trial": protocol.name, "arm": found.arm, "compound": found.compound, "seed": seed,
                "replicates": replicates, "rows": found.table.to_dicts(),
            }
        )  # fmt: skip
        return
    _print(found)


def _variants(
    listed: tuple[str | None, str | None, str | None], days: Many, crcl: Many, rules: Many
) -> tuple[Variant, ...]:
    dose_mg, gcsf, condition = (listed_in(text) for text in listed)
    return grid(
        dose_mg=[dose_of(text) for text in dose_mg],
        days=days or (),
        gcsf=gcsf,
        condition=condition,
        creatinine_clearance_ml_per_min=[_range(text) for text in crcl or ()],
        rules=rules or (),
    )


def listed_in(text: str | None) -> list[str]:
    """The parts of an option with commas."""
    return [] if text is None else [part.strip() for part in text.split(",")]


def dose_of(text: str) -> float:
    """A dose of --dose-mg; raises InputError GP-T072 for none."""
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            "GP-T072",
            f'dose "{text}"',
            where="--dose-mg",
            expected="numbers of mg, with commas between them; 0 for none",
            next_step="give doses such as 1,2,3,4",
        ) from error


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(":"))
    except ValueError as error:
        raise InputError(
            "GP-T075",
            f'creatinine clearance "{text}"',
            where="--crcl",
            expected="LOW:HIGH in mL/min, such as 15:30",
            next_step="write the two limits with a colon between them",
        ) from error
    return low, high


def _print(found: Sweep) -> None:
    """One table of what each variant gives, efficacy beside neutropenia; one of differences."""
    heads = ("variant", *(heading(endpoint) for endpoint in SWEPT))
    about = f"{found.protocol.name}, {found.arm}, {found.compound}"
    count = f"{found.settings.replicates} trials a variant"
    print_table(f"{about}: {count}, median (95 %)", heads, _cells(found, ("value", "low", "high")))
    reference = found.table.filter(pl.col("reference")).get_column("variant")[0]
    apart = _cells(found, ("difference", "difference_low", "difference_high"), others_only=True)
    print_table(f'Difference to "{reference}" in the same patients', heads, apart)
    labels = found.table.unique("variant", maintain_order=True).group_by("label", maintain_order=True)
    told = [f"{label} ({', '.join(part.get_column('variant'))})" for (label,), part in labels]
    progress_console.print(f"These numbers are {'; '.join(told)}. See docs/trials.md.", markup=False)


def _cells(
    found: Sweep, columns: tuple[str, str, str], *, others_only: bool = False
) -> list[tuple[str, ...]]:
    rows = []
    for part in found.table.partition_by("variant", maintain_order=True):
        if others_only and part.get_column("reference")[0]:
            continue
        # Two times that should be equal differ by what integration leaves; 0.0 takes the sign off a zero.
        rounded = part.select(pl.col(columns).round(DECIMALS) + 0.0)
        cells = [
            # A difference of two medians that were not reached is not known.
            "" if others_only and numbers == (None, None, None) else between(*numbers)
            for numbers in rounded.iter_rows()
        ]
        rows.append((str(part.get_column("variant")[0]), *cells))
    return rows
