"""`glueprint synthesis`: routes that are run, checked, measured and planned."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from glueprint import chemistry
from glueprint.chemistry import (
    checks,
    groups,
    metrics,
    routes,
)
from glueprint.chemistry.scheme import draw_scheme
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError

app = typer.Typer(no_args_is_help=True)

RouteName = Annotated[str, typer.Argument(help="Name of a route (see list), or your own .toml file.")]
Drawing = Annotated[Path | None, typer.Option(help="SVG or PNG file to write.")]


def _routes(name: str) -> tuple[routes.Route, ...]:
    return routes.read(name) if name.endswith(".toml") else (routes.load(name),)


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
    route: Annotated[
        str | None, typer.Argument(help="A route or .toml file; all routes if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run every route, and every reagent that the evidence prints for it; exit 1 on a finding."""
    chosen = _routes(route) if route else tuple(routes.load(name) for name in routes.available())
    problems = {one.name: routes.check(one).problems for one in chosen}
    findings = [] if route and route.endswith(".toml") else checks.route_products()
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
        print_table("Routes run", ("route", "code", "place", "result", "remedy"), rows)
        if findings:
            said_rows = [(f.code, ", ".join(f.claim_ids), f.what, f.remedy) for f in findings]
            print_table("Reagents as printed", ("code", "evidence", "what", "remedy"), said_rows)
    if findings or any(problems.values()):
        raise typer.Exit(1)


@app.command()
def plan(
    route: RouteName,
    grams: Annotated[float, typer.Option(help="Amount of pure target, g.")] = 10.0,
    step_yield: Annotated[
        float | None, typer.Option(help="Yield of steps without a stated one, percent.")
    ] = None,
    purity: Annotated[
        list[str] | None,
        typer.Option(help="Purity in percent of what is bought: 98, or NAME=98; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the bill of materials: equivalents, moles, grams, and what of it is assumed."""
    found = chemistry.plan(
        _route(route), grams, step_yield_percent=step_yield, purity_percent=_purity(purity)
    )
    if as_json:
        print_json(
            {
                "route": found.route,
                "target": found.target,
                "grams": found.grams,
                "yields_percent": found.step_yields_percent,
                "yields_are": found.yields_are,
                "assumptions": found.assumptions,
                "materials": found.table.to_dicts(),
            }
        )
        return
    rows = [
        (r["step"], r["material"], r["role"], f"{r['equivalents']:g}", f"{r['mmol']:.2f}",
         f"{r['grams']:.3f}", f"{r['weigh_g']:.3f}", r["assumption"])
        for r in found.table.to_dicts()
    ]  # fmt: skip
    head = ("step", "material", "role", "equivalents", "mmol", "g, pure", "g to weigh", "assumption")
    print_table(f"{grams:g} g {found.target} by route {found.route}; yields {found.yields_are}", head, rows)
    for text in found.assumptions:
        console.print(f"Assumed: {text}.", markup=False)
    if note := groups.safety_note(_route(route).material(found.target)):
        console.print(f"Safety: {note}", markup=False)


def _purity(given: list[str] | None) -> float | dict[str, float] | None:
    if not given:
        return None
    named: dict[str, float] = {}
    for text in given:
        name, separator, number = text.rpartition("=")
        try:
            percent = float(number)
        except ValueError:
            raise InputError(
                "GP-H006",
                f'cannot read "{text}" as a purity',
                where="--purity",
                expected='a number in percent, or a name and a number such as "hydrogen=99.9"',
                next_step="correct the option",
            ) from None
        if not separator:
            return percent
        named[name] = percent
    return named
