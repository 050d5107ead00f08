"""`glueprint serve`: the workbench in a browser, on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from glueprint.cli.output import console
from glueprint.errors import EnvironmentProblemError

__all__ = ["app"]

app = typer.Typer(add_completion=False)

NEEDED = ("starlette", "uvicorn", "python_multipart")


@app.command(name="serve")
def command(
    folder: Annotated[
        Path, typer.Argument(help="Folder of your projects; it is made if it is not there.")
    ] = Path("glueprint-projects"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than loopback needs --i-know.")
    ] = "127.0.0.1",
    public: Annotated[
        str, typer.Option(help="Host under which a proxy with TLS is known, such as bench.example.org.")
    ] = "",
    workers: Annotated[int, typer.Option(min=0, help="Jobs at once; 0 is one a core.")] = 0,
    knows: Annotated[
        bool, typer.Option("--i-know", help="Everybody who reaches the host may try; nothing is encrypted.")
    ] = False,
) -> None:
    """Plates, fits, the mechanism, trials and reports as pages in your browser, until Ctrl-C."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise EnvironmentProblemError(
            "GP-B001",
            f"the workbench needs {', '.join(missing)}, which is not installed",
            expected="the extra workbench",
            next_step='python -m pip install "glueprint[workbench]"',
        )
    from glueprint.web import Choices, serve

    def said(address: str) -> None:
        console.print(f"Projects in {folder.resolve()}", soft_wrap=True)
        if knows:
            console.print(
                "Not only this machine: whoever has this address reads, changes and runs all of it."
            )
        console.print(f"Open {address}", soft_wrap=True)
        console.print("Ctrl-C ends the server; jobs that run go on.")

    serve(Choices(folder, host, port, public, workers, knows), said)
