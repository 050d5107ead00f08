"""`glueprint sign`: vouch for a folder with a key of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from glueprint.cli.output import Json, console, print_json
from glueprint.errors import InputError, nearest
from glueprint.runs import audit
from glueprint.runs.signatures import MEANINGS, Meaning

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.command(name="sign")
def command(
    folder: Annotated[Path, typer.Argument(help="Folder of results, of a study, or of a glue's project.")],
    key: Annotated[Path, typer.Option(help="Your private key: Ed25519, of OpenSSH or in PEM.")],
    meaning: Annotated[str, typer.Option("--as", help=f"What you vouch as: {', '.join(MEANINGS)}.")],
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Ask for the key's passphrase.")] = False,
    as_json: Json = False,
) -> None:
    """Sign every file of a folder that verifies, as author, reviewer or approver."""
    if meaning not in MEANINGS:
        raise InputError(
            "GP-R028",
            f'a signature means something else than "{meaning}"{nearest(meaning, MEANINGS)}',
            where="--as",
            expected=", ".join(MEANINGS),
            next_step="say as what you vouch for the folder",
        )
    secret = typer.prompt("Passphrase", hide_input=True, err=True) if passphrase else None
    path = audit.sign(folder, key, cast(Meaning, meaning), passphrase=secret)
    if as_json:
        print_json({"folder": str(folder), "as": meaning, "signature": str(path)})
    else:
        console.print(f"{path}: signed as {meaning}", markup=False, soft_wrap=True)
