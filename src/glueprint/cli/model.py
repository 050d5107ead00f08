"""`glueprint model`: look at a model, run a model."""

from __future__ import annotations

import typer

app = typer.Typer(help="Look at a model and simulate it.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass
