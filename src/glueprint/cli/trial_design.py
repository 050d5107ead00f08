"""`glueprint trial design`: events, patients, boundaries and behaviour of a trial with stated hazards."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from glueprint import survival
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import shown
from glueprint.errors import InputError

__all__ = ["command"]

LOOKS = (
    "look",
    "information",
    "events",
    "month",
    "z",
    "p_one_sided",
    "hazard_ratio",
    "futility_z",
    "stops_percent",
)


def command(
    hazard_ratio: Annotated[float, typer.Option(help="New arm against control, below 1.")],
    median_months: Annotated[float, typer.Option(help="Median time to the event in the control arm.")],
    ratio: Annotated[float, typer.Option(help="Patients of the new arm for one of control.")] = 1.0,
    accrual_months: Annotated[float, typer.Option(help="Time over which patients come, evenly.")] = 12.0,
    follow_up_months: Annotated[float, typer.Option(help="Of the last patient, at the last look.")] = 12.0,
    dropout_percent_per_year: Annotated[float, typer.Option(help="Leave without the event.")] = 0.0,
    power: Annotated[float, typer.Option(help="To show a benefit, if the ratio is as said.")] = 0.9,
    alpha: Annotated[float, typer.Option(help="One-sided.")] = 0.025,
    looks: Annotated[str, typer.Option(help="Shares of the events, as 0.5,0.75,1.")] = "1",
    spending: Annotated[
        str | None,
        typer.Option(
            help="Of alpha over several looks: obrien-fleming, pocock or linear.",
            show_default="obrien-fleming",
        ),
    ] = None,
    futility: Annotated[
        str | None, typer.Option(help="Stop for futility before the last look, by the same names.")
    ] = None,
    simulate: Annotated[int, typer.Option(help="Also simulate so many trials, with and without effect.")] = 0,
    seed: Annotated[
        int | None, typer.Option(help="Of --simulate: same seed, same numbers.", show_default="1")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan a trial: events, patients and boundaries for stated hazards, with several looks."""
    if not 0.0 <= dropout_percent_per_year < 100.0:
        raise _refused(f"{dropout_percent_per_year:g}", "--dropout-percent-per-year", "0 to less than 100")
    assumptions = survival.Assumptions(
        hazard_ratio,
        median_months,
        ratio,
        accrual_months,
        follow_up_months,
        dropout=-math.log1p(-dropout_percent_per_year / 100.0) / 12.0,
    )
    shares = _fractions(looks)
    if seed is not None and not simulate:
        raise _refused(f"{seed}", "--seed", "--simulate as well: nothing else is left to chance")
    for option, name in (("--spending", spending), ("--futility", futility)):
        if name is not None and len(shares) == 1:
            raise _refused(name, option, "several --looks, as 0.5,1: with one it acts on nothing")
    kind = "obrien-fleming" if spending is None else spending
    plan = survival.plan(assumptions, shares, alpha=alpha, power=power, spending=kind, futility=futility)
    ratios = (hazard_ratio, 1.0) if simulate else ()
    chance = 1 if seed is None else seed
    seen = [survival.behaviour(plan, true, trials=simulate, seed=chance) for true in ratios]
    if as_json:
        print_json({**_about(plan), "looks": _looks(plan), "simulated": [_simulated(b) for b in seen]})
        return
    about = _about(plan)
    console.print(
        f"{about['events']} events in {about['patients']} patients ({plan.patients_new} in the new arm); "
        f"{about['expected_events']:.0f} events expected if the hazard ratio is {hazard_ratio:g}."
    )
    rows = [[shown(row[name]) for name in LOOKS] for row in _looks(plan)]
    print_table("Looks", LOOKS, rows)
    if seen:
        simulated = [_simulated(b) for b in seen]
        print_table("Simulated", tuple(simulated[0]), ([shown(v) for v in row.values()] for row in simulated))


def _fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(item) for item in text.split(","))
    except ValueError as error:
        raise _refused(text, "--looks", "shares of the events by comma, as 0.5,0.75,1") from error


def _refused(text: str, option: str, expected: str) -> InputError:
    next_step = "see docs/survival.md, Several looks"
    return InputError("GP-V036", f'"{text}"', where=option, expected=expected, next_step=next_step)


def _about(plan: survival.Plan) -> dict[str, Any]:
    bounds = plan.boundaries
    return {
        "events": plan.events,
        "patients": plan.patients,
        "patients_new": plan.patients_new,
        "alpha": bounds.alpha,
        "power": bounds.power,
        "inflation": bounds.inflation,
        "expected_events": bounds.expected_information * plan.events,
    }


def _looks(plan: survival.Plan) -> list[dict[str, Any]]:
    bounds = plan.boundaries
    columns = (
        range(1, bounds.information.size + 1),
        bounds.information.tolist(),
        plan.look_events,
        plan.look_times,
        bounds.efficacy.tolist(),
        bounds.nominal_p.tolist(),
        plan.critical_ratios,
        [z if math.isfinite(z) else None for z in bounds.futility.tolist()],
        (100.0 * (bounds.stop_for_benefit + bounds.stop_for_futility)).tolist(),
    )
    return [dict(zip(LOOKS, row, strict=True)) for row in zip(*columns, strict=True)]


def _simulated(seen: survival.Behaviour) -> dict[str, Any]:
    return {
        "true_ratio": seen.hazard_ratio,
        "trials": seen.trials,
        "benefit_percent": 100.0 * seen.power,
        "futility_percent": 100.0 * float(seen.stop_for_futility.sum()),
        "mean_events": seen.events,
        "mean_patients": seen.patients,
        "mean_months": seen.time,
        "short_of_events": seen.without_look,
    }
