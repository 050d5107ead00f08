"""`glueprint synthesis` and `glueprint compound`: routes that are run, structures that are computed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from glueprint import chemistry
from glueprint.chemistry import (
    binder,
    checks,
    descriptors,
    groups,
    metrics,
    pairs,
    routes,
    stability,
    structures,
)
from glueprint.chemistry.scheme import draw_scheme
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError

synthesis_app = typer.Typer(
    help="Synthesis routes: list, show, check, plan. ROUTE: a name, or your own .toml file.",
    no_args_is_help=True,
)
compound_app = typer.Typer(
    help="Compounds and intermediates: list, show, compare, check, stability, draw.", no_args_is_help=True
)

RouteName = Annotated[str, typer.Argument(help="Name of a route (see list), or your own .toml file.")]
CompoundName = Annotated[str, typer.Argument(help="Name of a structure (see list), also (S)- or (R)-.")]
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


@synthesis_app.command("list")
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


@synthesis_app.command("show")
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


@synthesis_app.command()
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


@synthesis_app.command()
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
    """Show one structure: identity, descriptors beside published values, groups, safety."""
    found = structures.load(name)
    compared, safety = descriptors.compare(found), groups.safety_note(found)
    named = groups.recognise(found)
    if as_json:
        print_json(
            {
                **asdict(found),
                "groups": named,
                "descriptors": [asdict(row) for row in compared],
                "evidence": [asdict(claim) for claim in descriptors.published_only(found)],
                "safety": safety,
            }
        )
        return
    if safety:
        console.print(f"Safety: {safety}", markup=False)
    fields = [(key, ", ".join(v) if isinstance(v, tuple) else v) for key, v in asdict(found).items() if v]
    print_table(found.name, ("field", "value"), [*fields, ("groups", ", ".join(named))])
    rows = [
        (r.name, f"{r.computed:.4g}" if r.name != "molar mass" else f"{r.computed:.3f}", r.unit,
         "" if r.published is None else f"{r.published:g}", r.claim_id, r.remark)
        for r in compared
    ]  # fmt: skip
    print_table("Descriptors", ("descriptor", "computed", "unit", "published", "evidence", "remark"), rows)
    published = [
        (c.id, c.quantity, _number(c.value, c.low, c.high), c.unit, c.system, c.conditions)
        for c in descriptors.published_only(found)
    ]
    if published:
        head = ("evidence", "quantity", "published", "unit", "system", "conditions")
        print_table("Published, not computed", head, published)


def _number(value: float | None, low: float | None, high: float | None) -> str:
    if value is not None:
        return f"{value:g}"
    ends = [f"{end:g}" for end in (low, high) if end is not None]
    return " to ".join(dict.fromkeys(ends))


@compound_app.command()
def compare(
    before: Annotated[str, typer.Argument(help="The structure to start from.")] = "thalidomide",
    after: Annotated[str, typer.Argument(help="The structure to end with.")] = "pomalidomide",
    as_json: Json = False,
) -> None:
    """Compare two structures: what changed, and what the evidence says it did."""
    pair = pairs.compare(structures.load(before), structures.load(after))
    if as_json:
        print_json(asdict(pair))
        return
    title = f"{pair.before.name} to {pair.after.name}: {pair.common_atoms} heavy atoms shared"
    changes = [(change.on, change.lost, change.gained) for change in pair.changes]
    print_table(title, ("on atom", "lost", "gained"), changes)
    numbers = [(name, f"{old:.4g}", f"{new:.4g}") for name, (old, new) in pair.descriptors.items()]
    masses = (f"{one.average_mass_g_per_mol:.3f}" for one in (pair.before, pair.after))
    print_table("Descriptors", ("", before, after), [("molar mass, g/mol", *masses), *numbers])
    effects = [(e.what, e.before, e.after, ", ".join(e.claim_ids), e.remark) for e in pair.effects]
    print_table("What it did", ("property", before, after, "evidence", "remark"), effects)
    for one in (pair.before, pair.after):
        if note := groups.safety_note(one):
            console.print(f"Safety: {note}", markup=False)
            break


def _structure(text: str) -> structures.Structure:
    """A built-in structure by name, or what the text says as SMILES."""
    try:
        return structures.load(text)
    except InputError:
        return structures.from_smiles(text, where="name or SMILES")


@compound_app.command("check")
def check_compound(
    smiles: Annotated[str, typer.Argument(help="A SMILES of your own, or the name of a structure.")],
    as_json: Json = False,
) -> None:
    """Check whether a structure can sit in the cereblon pocket, with reasons; exit 1 if it is unlikely."""
    found = _structure(smiles)
    result, safety = binder.check_binder(found), groups.safety_note(found)
    if as_json:
        print_json({**asdict(result), "safety": safety})
    else:
        words = {True: "yes", False: "no", None: "cannot be said"}
        rows = [(words[reason.holds], reason.what, reason.source) for reason in result.reasons]
        print_table(f"Cereblon binder: {result.verdict} ({found.smiles})", ("holds", "what", "source"), rows)
        console.print(
            "Rules, not an affinity: a verdict of likely says that nothing known speaks against it."
        )
        if safety:
            console.print(f"Safety: {safety}", markup=False)
    if result.verdict == "unlikely":
        raise typer.Exit(1)


@compound_app.command("stability")
def show_stability(
    name: Annotated[str | None, typer.Argument(help="thalidomide, lenalidomide or pomalidomide.")] = None,
    medium: Annotated[
        str | None, typer.Option(help="blood, serum, plasma or buffer; left out: the first there is.")
    ] = None,
    hours: Annotated[float, typer.Option(help="How long, h.")] = 24.0,
    s_share: Annotated[float, typer.Option(help="Share of (S) at the start, 0 to 1.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Show racemisation and hydrolysis: all rate constants, or the course of one compound."""
    if name is None:
        found = stability.table()
        if as_json:
            print_json([asdict(one) for one in found])
            return
        constants = [
            (one.compound, one.medium, step, f"{c.per_h:.3g}", c.role, ", ".join(c.claim_ids), c.why)
            for one in found
            for step in stability.STEPS
            for c in (getattr(one, step),)
        ]
        head = ("compound", "medium", "step", "1/h", "role", "evidence", "why")
        print_table("Rate constants", head, constants)
        return
    first = next((one for compound, one in stability.available() if compound == name), "blood")
    given = stability.rates(name, medium or first)
    time_h = [hours * part / 8 for part in range(9)]
    course = {
        key: values.tolist() for key, values in stability.course(given, time_h, s_share=s_share).items()
    }
    if as_json:
        print_json({"rates": asdict(given), "time_h": time_h, **course})
        return
    rows = [
        (f"{t:g}", *(f"{100 * course[key][i]:.1f}" for key in ("s", "r", "hydrolysed")))
        for i, t in enumerate(time_h)
    ]
    print_table(f"{name}, {given.what}", ("h", "(S), %", "(R), %", "hydrolysed, %"), rows)
    for why in dict.fromkeys(getattr(given, step).why for step in stability.STEPS):
        if why:
            console.print(why[0].upper() + why[1:] + ".", markup=False)
    console.print(f"Safety: {groups.SAFETY_NOTE}", markup=False)


@compound_app.command()
def draw(
    name: CompoundName,
    out: Annotated[
        Path | None, typer.Option(help="SVG or PNG file; SVG on standard output if left out.")
    ] = None,
) -> None:
    """Draw a structure on the family's common scaffold."""
    structure = structures.load(name)
    if out is None:
        sys.stdout.write(chemistry.draw(structure))
    else:
        chemistry.save(structure, out)
