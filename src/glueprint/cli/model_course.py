"""`glueprint model course`: one typical patient on a glue through a few cycles."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from glueprint.cli import model_options as options
from glueprint.cli import model_tables as tables
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.mechanism import compounds
from glueprint.study import course as courses

__all__ = ["course"]

# Rows that are shown; --out writes all.
EVERY = 56


def course(
    compound: Annotated[
        str, typer.Option(help="A compound's name, or the path of its file.")
    ] = compounds.REFERENCE,
    dose: Annotated[float, typer.Option(help="Of the glue on each of its days, mg.")] = 4.0,
    days: Annotated[str, typer.Option(help="Of the cycle, such as 1-21 or 1-14,22-28.")] = "1-21",
    cycle_days: Annotated[int, typer.Option(help="Length of a cycle.")] = 28,
    cycles: Annotated[int, typer.Option(help="How many.")] = 3,
    partner: Annotated[float, typer.Option(help="Of the partner drug, on days 1, 8, 15 and 22, mg.")] = 0.0,
    kd_fold: Annotated[float, typer.Option(help="On the Kd of the compound's file.")] = 1.0,
    efficacy_fold: Annotated[float, typer.Option(help="On its efficacies.")] = 1.0,
    clearance_fold: Annotated[float, typer.Option(help="On its clearance.")] = 1.0,
    female: Annotated[bool, typer.Option("--female", help="The patient is a woman.")] = False,
    age: Annotated[float, typer.Option(help="Years.")] = 64.0,
    weight: Annotated[float, typer.Option(help="kg.")] = 75.0,
    total_protein: Annotated[float, typer.Option(help="g/L.")] = 75.0,
    anc: Annotated[float, typer.Option(help="Neutrophils before treatment, 1e9/L.")] = 3.4,
    platelets: Annotated[float, typer.Option(help="Before treatment, 1e9/L.")] = 180.0,
    haemoglobin: Annotated[float, typer.Option(help="Before treatment, g/dL.")] = 10.5,
    m_protein: Annotated[float, typer.Option(help="Before treatment, g/L.")] = 20.0,
    day: Annotated[
        int | None, typer.Option(help="Of the pathway; the last day of dosing of the first cycle.")
    ] = None,
    out: options.Out = None,
    as_json: Json = False,
) -> None:
    """Follow one typical patient: concentration, degradation, counts, M-protein; no chance, no interval."""
    person = courses.Patient(female, age, weight, total_protein, anc, platelets, haemoglobin, m_protein)
    plan = courses.Plan(
        compounds.load(compound),
        dose,
        days,
        cycle_days,
        cycles,
        partner_mg=partner,
        kd_fold=kd_fold,
        efficacy_fold=efficacy_fold,
        clearance_fold=clearance_fold,
        patient=person,
        day=day,
    )
    found = courses.follow(plan)
    if out is not None:
        tables.write_table(found.table, out)
    lowest = {name: {"value": value, "day": day} for name, (value, day) in found.lowest.items()}
    if as_json:
        print_json(
            {
                "compound": plan.compound.name,
                "patient": asdict(person),
                "peak_ng_per_ml": found.peak_ng_per_ml,
                "trough_ng_per_ml": found.trough_ng_per_ml,
                "lowest": lowest,
                "m_protein_change_percent": found.m_protein_change_percent,
                "pathway_day": plan.shown_day,
                "pathway": found.pathway.to_dicts(),
                "table": found.table.to_dict(as_series=False),
                "outside": [finding.as_dict() for finding in found.outside],
            }
        )
        return
    console.print(
        f"{plan.compound.name}: peak {found.peak_ng_per_ml:.3g}, trough {found.trough_ng_per_ml:.3g} ng/mL"
    )
    rows = [
        (name, f"{one['value']:.3g}", f"{one['day']:.0f}") for name, one in lowest.items() if name != "glue"
    ]
    print_table("Lowest", ("what", "value", "day"), rows)
    steps = [
        (row["node"], row["cells"], f"{row['before']:.3g}", _said(row), row["unit"], row["model"])
        for row in found.pathway.to_dicts()
    ]
    heads = ("what", "in", "before", f"day {plan.shown_day}", "unit", "model")
    print_table("The pathway, means over the day", heads, steps)
    console.print(f"M-protein at the end: {found.m_protein_change_percent:+.3g} %")
    for finding in found.outside:
        progress_console.print(f"outside of what was fitted: {finding}", markup=False)


def _said(row: dict[str, object]) -> str:
    """The value of a step, or why there is none."""
    return str(row["reason"]) if row["value"] is None else f"{row['value']:.3g}"
