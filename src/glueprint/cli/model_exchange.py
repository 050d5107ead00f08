"""`glueprint model export`, `import` and `diff`: models and simulations in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from glueprint import engine, workshop
from glueprint.cli import model_options as options
from glueprint.cli.model_doses import doses
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, models
from glueprint.runs.store import write_file
from glueprint.workshop import exchange

__all__ = ["bring", "diff", "export"]

MOST_SHOWN = 20
Name = Annotated[
    str, typer.Argument(help="Antimony or SBML file, or a model of Glueprint's.", show_default=False)
]
Compound = Annotated[str, typer.Option(help="Of a model of Glueprint's: a name, or a file.")]


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="Antimony or SBML file, a model of Glueprint's, or, for petab, a problem of model fit.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Literal["sbml", "antimony", "sedml", "omex", "petab", "c"],
        typer.Option(help="SBML L3V2, Antimony, SED-ML, COMBINE archive, PEtab 2, C99."),
    ],
    out: Annotated[Path, typer.Option(help="File to write; a folder for petab.")],
    until: Annotated[
        float | None, typer.Option(help="Last time of the simulation of sedml and omex.")
    ] = None,
    points: Annotated[int, typer.Option(help="Intervals of that simulation.")] = 100,
    output: Annotated[list[str] | None, typer.Option(help="A name to report; default all species.")] = None,
    assign: options.Assign = None,
    dose: Annotated[
        list[str] | None, typer.Option(help="As of model simulate; written as events. Repeatable.")
    ] = None,
    compound: Compound = compounds.REFERENCE,
    as_json: Json = False,
) -> None:
    """Write a model for other programs: SBML with its units checked, Antimony, SED-ML, OMEX, PEtab, C."""
    if to == "petab":
        names = exchange.write_petab(workshop.read(model), out)
        _said({"format": to, "files": [str(out / name) for name in names]}, as_json=as_json)
        return
    source = _source(model, compound)
    compiled = engine.compile(source)
    given = options.assignments(assign, "--set")
    wanted = doses(dose, compiled, until or float("inf"), 1.0)
    if to == "c":
        write_file(out, engine.c_source(compiled))
        _said({"format": to, "files": [str(out)]}, as_json=as_json)
        return
    if to in ("sbml", "antimony"):
        written = exchange.sbml(source, given, wanted)
        text = written.text if to == "sbml" else exchange.antimony(written.text, written.name)
        write_file(out, text)
    else:
        course = exchange.Course(_last(until), points, tuple(output or ()), given, wanted)
        package = exchange.pack(source, course)
        written = package.sbml
        write_file(out, package.data if to == "omex" else package.simulation)
        if to == "sedml":
            write_file(out.with_name(exchange.MODEL), written.text)
    files = [str(out), *([str(out.with_name(exchange.MODEL))] if to == "sedml" else [])]
    kinds = {kind: written.count(kind) for kind in ("error", "unit", "undeclared unit")}
    found = [
        {"kind": one.kind, "line": one.line, "message": one.message}
        for one in written.findings
        if one.kind != "undeclared unit"
    ]
    _said({"format": to, "files": files, "sbml_checks": kinds, "findings": found}, as_json=as_json)


def bring(
    archive: Annotated[Path, typer.Argument(help="COMBINE archive, .omex.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for its files and results; empty, or not there yet.")],
    as_json: Json = False,
) -> None:
    """Unpack a COMBINE archive and run what its SED-ML files ask for."""
    found = exchange.import_archive(archive, out)
    if as_json:
        results = [
            {"simulation": one.name, "task": one.run, "rows": one.table.height, "columns": one.table.columns}
            for one in found.results
        ]
        print_json({"files": list(found.files), "results": results, "notes": list(found.notes)})
        return
    rows = [(one.name, one.run, one.table.height, ", ".join(one.table.columns)) for one in found.results]
    print_table(f"{archive.name}: {len(found.files)} files", ("simulation", "task", "rows", "columns"), rows)
    for note in found.notes:
        console.print(f"{note}.")


def diff(
    a: Name,
    b: Name,
    compound: Compound = compounds.REFERENCE,
    as_json: Json = False,
) -> None:
    """What two models differ by: species, reactions, parameters, rules, events, units; exit 1 if anything."""
    table = exchange.difference(_source(a, compound), _source(b, compound))
    if as_json:
        print_json({"a": a, "b": b, "differences": table.height, "table": table.to_dicts()})
    else:
        heads = ("kind", "name", "what", a, b)
        print_table("Differences", heads, [tuple(row.values()) for row in table.to_dicts()])
        console.print(f"{table.height} differences.")
    if table.height:
        raise typer.Exit(1)


def _source(name: str, compound: str) -> str | Path:
    """A file, or the SBML of a model of ours."""
    if name in models.names() and not Path(name).exists():
        return models.sbml(name, Scenario.of(compound))
    return Path(name)


def _last(until: float | None) -> float:
    if until is None:
        raise InputError(
            "GP-W029",
            "no --until",
            where="--until",
            expected="the last time of the simulation, in the model's unit",
            next_step="--until 24, say",
        )
    return until


def _said(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    console.print("Wrote " + ", ".join(map(str, facts["files"])) + ".")  # type: ignore[call-overload]
    checks = facts.get("sbml_checks")
    if isinstance(checks, dict):
        console.print(
            f"libsbml: {checks['error']} errors, {checks['unit']} findings about units, "
            f"{checks['undeclared unit']} places without units that it cannot check."
        )
    found = facts.get("findings", [])
    assert isinstance(found, list)
    for one in found[:MOST_SHOWN]:
        console.print(f"line {one['line']}: {one['message']}")
