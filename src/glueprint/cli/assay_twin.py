"""`glueprint assay twin`: raw files of a simulated experiment, from a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint.assays import twins
from glueprint.cli.output import Json, console, print_json

__all__ = ["command"]

PROTOCOLS = ", ".join(twins.PROTOCOLS)


def command(
    protocol: Annotated[str, typer.Argument(help=f"Which one: {PROTOCOLS}.")],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    seed: Annotated[int | None, typer.Option(help="Same seed, same bytes; default 1.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as g_factor=1.2 or ki_nm.glue=30; repeat for more."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Settings in TOML, such as the truth.toml of a twin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate an experiment: raw files as an instrument writes them, the layout, and the truth behind."""
    twin = twins.simulate(protocol, seed=seed, truth=truth, changes=changes or ())
    paths = twins.write(twin, out)
    if as_json:
        print_json(twin.as_dict() | {"folder": str(out)})
        return
    console.print(f"Simulated, not measured: {twins.PROTOCOLS[protocol].title}.", markup=False)
    for path in paths:
        console.print(str(path), markup=False)
    console.print(f"Analyse in {out}:", markup=False)
    for line in twin.commands:
        console.print(f"  {line}", markup=False)
