"""`glueprint synthesis` and `glueprint compound`: routes that are run, structures that are computed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from glueprint import chemistry
from glueprint.chemistry import checks, routes, structures
from glueprint.cli.output import Json, console, print_json, print_table

synthesis_app = typer.Typer(help="Synthesis routes: list, show, check, plan.", no_args_is_help=True)
compound_app = typer.Typer(help="Compounds and intermediates: list, show, draw.", no_args_is_help=True)

RouteName = Annotated[str, typer.Argument(help="Name of a route (see list).")]
CompoundName = Annotated[str, typer.Argument(help="Name of a structure (see list), also (S)- or (R)-.")]
TERATOGEN = "Teratogenic class: given only within a risk-management (REMS) programme; handle as a teratogen."


@synthesis_app.command("list")
def list_routes(as_json: Json = False) -> None:
    """List the routes."""
    found = [routes.load(name) for name in routes.available()]
    if as_json:
        print_json(
            [{"name": r.name, "title": r.title, "target": r.target, "steps": len(r.step)} for r in found]
        )
        return
    print_table(
        "Routes",
        ("name", "title", "target", "steps"),
        [(r.name, r.title, r.target, len(r.step)) for r in found],
    )


@synthesis_app.command("show")
def show_route(route: RouteName, as_json: Json = False) -> None:
    """Show the steps of a route as they come out when they are run."""
    found = routes.load(route)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    outcome = routes.run(found)
    rows = [
        (
            step.name,
            " + ".join([*step.reactants, *(f"{n:g} {name}" for name, n in step.consumes.items())]),
            " or ".join(product.name for product in made.products),
            ", ".join(f"{n:g} {name}" for name, n in step.releases.items()),
            step.note,
        )
        for step, made in zip(found.step, outcome.steps, strict=True)
    ]
    print_table(f"Route {found.name}: {found.title}", ("step", "from", "gives", "releases", "note"), rows)


@synthesis_app.command()
def check(as_json: Json = False) -> None:
    """Run every route, and every reagent that the evidence prints for it; exit 1 on a finding."""
    problems = {name: routes.check(routes.load(name)).problems for name in routes.available()}
    findings = checks.route_products()
    if as_json:
        print_json({"routes": problems, "findings": [vars(finding) for finding in findings]})
    else:
        rows = [
            (name, "; ".join(said) or "every step gives its product in balance")
            for name, said in problems.items()
        ]
        print_table("Routes as shipped", ("route", "result"), rows)
        said = [(f.code, ", ".join(f.claim_ids), f.what, f.remedy) for f in findings]
        print_table("Reagents as printed", ("code", "evidence", "what", "remedy"), said)
    if findings or any(problems.values()):
        raise typer.Exit(1)


@synthesis_app.command()
def plan(
    route: RouteName,
    grams: Annotated[float, typer.Option(help="Amount of the target, g.")] = 10.0,
    step_yield: Annotated[
        float | None, typer.Option(help="Yield of steps without a stated one, percent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the bill of materials."""
    found = chemistry.plan(routes.load(route), grams, step_yield_percent=step_yield)
    if as_json:
        print_json({"route": found.route, "grams": found.grams, "yields_percent": found.step_yields_percent,
                    "yields_are": found.yields_are, "materials": found.table.to_dicts()})  # fmt: skip
        return
    rows = [
        (
            r["step"],
            r["material"],
            r["role"],
            f"{r['equivalents']:g}",
            f"{r['mmol']:.2f}",
            f"{r['grams']:.3f}",
            r["assumption"],
        )
        for r in found.table.to_dicts()
    ]
    head = ("step", "material", "role", "equivalents", "mmol", "g", "assumption")
    print_table(f"{grams:g} g {found.target} by route {found.route}; yields {found.yields_are}", head, rows)


@compound_app.command("list")
def list_structures(as_json: Json = False) -> None:
    """List structures with formula, mass and InChIKey."""
    table = structures.table()
    if as_json:
        print_json(table.to_dicts())
        return
    columns = ("name", "role", "formula", "average_mass_g_per_mol", "inchikey", "stereo")
    rows = [
        tuple(round(v, 3) if isinstance(v, float) else v for v in row) for row in table.select(columns).rows()
    ]
    print_table("Structures", columns, rows)


@compound_app.command("show")
def show_structure(name: CompoundName, as_json: Json = False) -> None:
    """Show one structure."""
    found = structures.load(name)
    if as_json:
        print_json(vars(found))
        return
    print_table(found.name, ("field", "value"), [(key, value) for key, value in vars(found).items() if value])
    if found.role == "drug":
        console.print(TERATOGEN)


@compound_app.command()
def draw(
    name: CompoundName,
    out: Annotated[Path | None, typer.Option(help="SVG file to write; standard output if left out.")] = None,
) -> None:
    """Draw a structure as SVG on the family's common scaffold."""
    structure = structures.load(name)
    if out is None:
        sys.stdout.write(chemistry.draw(structure))
    else:
        chemistry.save(structure, out)
