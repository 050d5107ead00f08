"""`glueprint sign`: vouch for a folder with a key of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.output import Json, console, print_json
from glueprint.errors import InputError, nearest

if TYPE_CHECKING:
    from glueprint.runs.signatures import Meaning

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command(name="sign")
def command(
    folder: Annotated[Path, typer.Argument(help="Folder of results, of a study, or of a glue's project.")],
    key: Annotated[Path, typer.Option(help="Your private key: Ed25519, of OpenSSH or in PEM.")],
    meaning: Annotated[str, typer.Option("--as", help="What you vouch as: author, reviewer, approver.")],
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for the key's passphrase.")] = False,
    as_json: Json = False,
) -> None:
    """Sign every file of a folder that verifies, as author, reviewer or approver."""
    known = gp.runs.signatures.MEANINGS
    if meaning not in known:
        raise InputError(
            "GP-R028",
            f'a signature means something else than "{meaning}"{nearest(meaning, known)}',
            where="--as",
            expected=", ".join(known),
            next_step="say as what you vouch for the folder",
        )
    secret = typer.prompt("Passphrase", hide_input=True, err=True) if passphrase else None
    path = gp.runs.audit.sign(folder, key, cast("Meaning", meaning), passphrase=secret)
    if as_json:
        print_json({"folder": str(folder), "as": meaning, "signature": str(path)})
    else:
        console.print(f"{path}: signed as {meaning}", markup=False, soft_wrap=True)
