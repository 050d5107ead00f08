"""`glueprint synthesis`: routes that are run, checked, measured and planned."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint import chemistry, evidence
from glueprint.chemistry import (
    checks,
    exchange,
    groups,
    metrics,
    routes,
)
from glueprint.chemistry.bench import BenchStep
from glueprint.chemistry.scheme import draw_scheme
from glueprint.cli.choices import completed
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.documents import write_new
from glueprint.errors import InputError
from glueprint.report.bench_page import bench_page, summary

app = typer.Typer(no_args_is_help=True)

ROUTE = (
    "Name of a route (see list), your own .toml file, a reaction SMILES, or a file of reactions: .rsmi, "
    ".rxn, .rdf, or .json as AiZynthFinder writes it."
)
RouteName = Annotated[str, typer.Argument(help=ROUTE, autocompletion=completed(routes.available))]
# Columns of amounts in a printed plan, each with its form.
AMOUNTS = {"equivalents": "g", "mmol": ".2f", "grams": ".3f", "weigh_g": ".3f", "volume_ml": ".0f"}
CONDITIONS = {
    "solvent": "solvent",
    "temperature": "temperature",
    "time": "time",
    "work-up": "work_up",
    "purification": "purification",
}
Drawing = Annotated[Path | None, typer.Option(help="SVG or PNG file to write.")]


def _routes(name: str) -> tuple[routes.Route, ...]:
    if name.endswith(".toml"):
        return routes.read(name)
    return exchange.read(name) if exchange.is_route_text(name) else (routes.load(name),)


def _route(name: str) -> routes.Route:
    found = _routes(name)
    if len(found) > 1:
        raise InputError(
            "GP-H014",
            f"the file holds {len(found)} routes",
            where=name,
            expected="one route",
            next_step=f"keep one of {', '.join(route.name for route in found)} in the file",
        )
    return found[0]


@app.command("list")
def list_routes(as_json: Json = False) -> None:
    """List the routes with their steps, yield and atom economy."""
    found = [routes.load(name) for name in routes.available()]
    measured = [metrics.measure(route) for route in found]
    if as_json:
        print_json(
            [
                {
                    "name": route.name,
                    "title": route.title,
                    "target": route.target,
                    "steps": len(route.step),
                    "longest_linear_sequence": m.longest_linear_sequence,
                    "overall_yield": m.overall_yield_words,
                    "atom_economy_percent": m.atom_economy_percent,
                    "claims": list(route.claims),
                }
                for route, m in zip(found, measured, strict=True)
            ]
        )
        return
    rows = [
        (route.name, route.title, route.target, m.longest_linear_sequence, m.overall_yield_words,
         f"{m.atom_economy_percent:.1f}")
        for route, m in zip(found, measured, strict=True)
    ]  # fmt: skip
    head = ("name", "title", "target", "longest linear sequence", "overall yield", "atom economy, %")
    print_table("Routes", head, rows)


@app.command("show")
def show_route(route: RouteName, scheme: Drawing = None, as_json: Json = False) -> None:
    """Show the steps of a route as they come out when they are run; --scheme draws them."""
    found = _route(route)
    outcome, measured = routes.run(found), metrics.measure(found)
    if scheme is not None:
        chemistry.save(draw_scheme(found), scheme)
    if as_json:
        print_json({**found.model_dump(mode="json"), "metrics": asdict(measured)})
        return
    rows = [
        (
            step.name,
            " + ".join([*step.reactants, *(f"{n:g} {name}" for name, n in step.consumes.items())]),
            " or ".join(product.name for product in made.products),
            ", ".join(f"{n:g} {name}" for name, n in step.releases.items()),
            ", ".join(step.reagents) or "not stated",
            "; ".join((step.solvent, step.temperature, step.time)),
            numbers.yield_words,
            f"{numbers.atom_economy_percent:.1f}",
            "; ".join(text for text in (step.note, step.assumed and f"assumed: {step.assumed}") if text),
        )
        for step, made, numbers in zip(found.step, outcome.steps, measured.steps, strict=True)
    ]
    head = ("step", "from", "gives", "releases", "reagents", "solvent; temperature; time", "yield",
            "atom economy, %", "note")  # fmt: skip
    print_table(f"Route {found.name}: {found.title}", head, rows)
    for line in _measured(found, measured):
        console.print(line, markup=False)
    if note := groups.safety_note(outcome.target):
        console.print(f"Safety: {note}", markup=False)


def _measured(route: routes.Route, measured: metrics.RouteMetrics) -> list[str]:
    bound = "at least " if measured.is_lower_bound else ""
    plain = {"stated": "", "shared": "about ", "at least": "at least "}[measured.intensity_is]
    intensity = measured.process_mass_intensity
    solvents = f"{bound}{intensity:.1f} g/g" if intensity is not None else "no solvent amount is stated"
    return [
        f"Overall yield {measured.overall_yield_words}; longest linear sequence "
        f"{measured.longest_linear_sequence}; atom economy {measured.atom_economy_percent:.1f} %.",
        f"Mass intensity without solvents {plain}{measured.mass_intensity:.2f} g/g; "
        f"process mass intensity: {solvents}.",
        *([f"Assumed: {route.assumed}."] if route.assumed else []),
        f"Source: {route.source}. Evidence: {', '.join(route.claims) or 'none named'}.",
    ]


@app.command()
def check(
    route: Annotated[str | None, typer.Argument(help=f"All routes if left out. {ROUTE}")] = None,
    as_json: Json = False,
) -> None:
    """Run every route, and every reagent that the evidence prints for it; exit 1 on a finding that is new."""
    chosen = _routes(route) if route else tuple(routes.load(name) for name in routes.available())
    problems = {one.name: routes.check(one).problems for one in chosen}
    built_in = route is None or route in routes.available()
    findings = checks.route_products() if built_in else []
    if route:
        findings = [f for f in findings if f"route {chosen[0].name} " in f.what]
    if as_json:
        said = {name: [asdict(problem) for problem in found] for name, found in problems.items()}
        print_json({"routes": said, "findings": [vars(finding) for finding in findings]})
    else:
        rows = [
            row
            for name, found in problems.items()
            for row in (
                [(name, p.code, p.where, p.what, p.remedy) for p in found]
                or [(name, "", "", "every step gives its product in balance", "")]
            )
        ]
        rows += [
            (one.name, "", step.name, f"assumed: {step.assumed}", "")
            for one in chosen
            if not built_in
            for step in one.step
            if step.assumed
        ]
        print_table("Routes run", ("route", "code", "place", "result", "remedy"), rows)
        if findings:
            said_rows = [(f.code, ", ".join(f.claim_ids), f.what, f.remedy) for f in findings]
            print_table("Reagents as printed", ("code", "evidence", "what", "remedy"), said_rows)
    if evidence.not_accepted(findings, evidence.builtin_accepted()) or any(problems.values()):
        raise typer.Exit(1)


class RouteFormat(StrEnum):
    """How `export` writes a route."""

    smiles = "smiles"
    rxn = "rxn"
    tree = "tree"


@app.command("export")
def export_route(
    route: RouteName,
    form: Annotated[
        RouteFormat,
        typer.Option(
            "--format", help="Reaction SMILES, RXN (RDfile for many steps), or an AiZynthFinder tree."
        ),
    ] = RouteFormat.smiles,
    out: Annotated[Path | None, typer.Option(help="A new file; standard output if left out.")] = None,
) -> None:
    """Write a route for another program: reaction SMILES, RXN or RDfile, or a tree as JSON."""
    found = _route(route)
    if form is RouteFormat.smiles:
        text = "\n".join(exchange.reaction_smiles(found)) + "\n"
    elif form is RouteFormat.rxn:
        text = exchange.rxn(found)
    else:
        text = json.dumps(exchange.tree(found), indent=2) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    write_new(out, text, exists="GP-H023", unwritable="GP-H008")
    progress_console.print(f"wrote {out}")


class PlanFormat(StrEnum):
    """How `plan` writes the bill of materials."""

    table = "table"
    csv = "csv"


@app.command()
def plan(
    route: RouteName,
    grams: Annotated[float | None, typer.Option(help="Amount of pure target, g.", show_default="10")] = None,
    step_yield: Annotated[
        float | None, typer.Option(help="Yield of steps without a stated one, percent.")
    ] = None,
    purity: Annotated[
        list[str] | None,
        typer.Option(help="Purity in percent of what is bought: 98, or NAME=98; may be repeated."),
    ] = None,
    have: Annotated[
        list[str] | None,
        typer.Option(help="What is at hand, NAME=GRAMS; may be repeated. Sets the amount of target."),
    ] = None,
    page: Annotated[Path | None, typer.Option(help="HTML file to print, with scheme and boxes.")] = None,
    form: Annotated[
        PlanFormat, typer.Option("--format", help="A table for people, or CSV on standard output.")
    ] = PlanFormat.table,
    as_json: Json = False,
) -> None:
    """Plan a route for the bench: what to weigh, conditions, balance, checks, hazards, assumptions."""
    chosen, short = _route(route), ""
    if have and grams is not None:
        raise InputError(
            "GP-H006",
            f"--grams {grams:g} beside --have, which sets the amount",
            expected="one of the two",
            next_step="leave --grams out for all that can be made of what is at hand",
        )
    amount = 10.0 if grams is None else grams
    if have:
        amount, short = chemistry.at_hand(chosen, _amounts(have), step_yield_percent=step_yield)
    found = chemistry.bench(chosen, amount, step_yield_percent=step_yield, purity_percent=_purity(purity))
    if page is not None:
        write_new(page, bench_page(found), exists="GP-H023", unwritable="GP-H008")
        progress_console.print(f"wrote {page}")
    if as_json:
        print_json({**_bench_json(found), "limited_by": short})
    elif form is PlanFormat.csv:
        sys.stdout.write(found.plan.table.write_csv())
    else:
        _print_plan(found, short)


def _bench_json(found: chemistry.BenchPlan) -> dict[str, Any]:
    return {
        "route": found.plan.route,
        "target": found.plan.target,
        "grams": found.plan.grams,
        "yields_percent": found.plan.step_yields_percent,
        "yields_are": found.plan.yields_are,
        "assumptions": found.plan.assumptions,
        "materials": found.plan.table.to_dicts(),
        "steps": [{**asdict(step), "out_g": step.out_g} for step in found.steps],
        "expected_g": found.expected_g,
        "range_is": found.range_is,
        "mass_intensity": found.mass_intensity,
        "not_counted": found.not_counted,
        "hazards": [asdict(one) for one in found.hazards],
        "solvents": [asdict(one) for one in found.solvents],
    }


def _print_plan(found: chemistry.BenchPlan, short: str) -> None:
    plan = found.plan
    head = ("step", "material", "role", "equivalents", "mmol", "g, pure", "g to weigh", "mL", "assumption")
    title = f"{plan.grams:g} g {plan.target} by route {plan.route}; yields {plan.yields_are}"
    print_table(title, head, [_material(row) for row in plan.table.to_dicts()])
    columns = ("step", *CONDITIONS, "limiting", "yield, %", "product, g", "mass in, g", "mass out, g")
    print_table(
        "Steps, solvent and catalyst apart from the balance",
        columns,
        [_conditions(step) for step in found.steps],
    )
    for step in found.steps:
        for check in step.checks:
            console.print(f"{step.name}: {check}", markup=False)
    hazards = [
        (h.name, "; ".join(f"{c} {words}" for c, words in h.statements), h.source) for h in found.hazards
    ]
    print_table("Hazards", ("material", "GHS statements", "source"), hazards)
    solvents = [(s.name, s.rank, s.advice, s.source) for s in found.solvents]
    print_table("Solvents", ("solvent", "rank", "remark", "source"), solvents)
    if short:
        console.print(f"Limited by what is at hand of {short}.", markup=False)
    console.print(summary(found), markup=False)
    for text in plan.assumptions:
        console.print(f"Assumed: {text}.", markup=False)
    if note := groups.safety_note(found.route.material(plan.target)):
        console.print(f"Safety: {note}", markup=False)


def _material(row: dict[str, Any]) -> tuple[str, ...]:
    amounts = (_cell(row[column], form) for column, form in AMOUNTS.items())
    return row["step"], row["material"], row["role"], *amounts, row["assumption"]


def _conditions(step: BenchStep) -> tuple[str, ...]:
    stated = (str(getattr(step, field)) for field in CONDITIONS.values())
    masses = (f"{grams:.3f}" for grams in (step.made_g, step.in_g, step.out_g))
    return step.name, *stated, step.limiting, f"{step.yield_percent:.1f}", *masses


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _amounts(given: list[str]) -> dict[str, float]:
    """What is at hand, in grams by name."""
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        grams = _number(number)
        if grams is None or name in found:
            raise InputError(
                "GP-H006",
                f'cannot read "{text}" as an amount',
                where="--have",
                expected='a name and grams such as "3-nitrophthalic anhydride=25", each name once',
                next_step="correct the option",
            )
        found[name] = grams
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _purity(given: list[str] | None) -> float | dict[str, float] | None:
    if not given:
        return None
    named: dict[str, float] = {}
    for text in given:
        name, separator, number = text.rpartition("=")
        percent = _number(number)
        if percent is None or name in named or (not separator and len(given) > 1):
            raise InputError(
                "GP-H006",
                f'cannot read "{text}" as a purity',
                where="--purity",
                expected='one number in percent for all, or a name and a number such as "hydrogen=99.9"',
                next_step="correct the option",
            )
        if not separator:
            return percent
        named[name] = percent
    return named
