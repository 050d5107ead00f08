"""What commands that read folders share: whose signatures are trusted, and what a check of a folder says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import glueprint as gp
from glueprint.cli.output import console, print_json

if TYPE_CHECKING:
    from glueprint.runs.verify import Verdict

__all__ = ["FINDING", "TrustedFile", "keys_in", "print_verdict"]

FINDING = 1
TrustedFile = Annotated[
    Path | None,
    typer.Option(
        "--trusted",
        envvar="GLUEPRINT_TRUSTED",
        help="Public keys, a line each as in a .pub file: one of them must have signed the folder.",
    ),
]


def keys_in(file: Path | None) -> dict[str, str] | None:
    """The trusted keys of a file, None if none was named.   Raises as `runs.keys.trusted`."""
    return None if file is None else gp.runs.keys.trusted(file)


def print_verdict(verdict: Verdict, *, as_json: bool) -> None:
    """What a check found; exits with 1 if that is anything."""
    if as_json:
        print_json(asdict(verdict))
    else:
        _print(verdict)
    if verdict.findings:
        raise typer.Exit(FINDING)


def _print(verdict: Verdict) -> None:
    for finding in verdict.findings:
        console.print(f"{finding.file}: {finding.what}", markup=False, soft_wrap=True)
    for name in verdict.unknown:
        console.print(f"{name}: not written by a run, so not checked", markup=False, soft_wrap=True)
    for one in verdict.signatures:
        whose = one.by or f"a key that was not named as trusted, {one.key}"
        console.print(f"signed as {one.meaning} on {one.utc} by {whose}", markup=False, soft_wrap=True)
    if verdict.origin == gp.runs.verify.UNVERIFIED:
        why = "the keys of its signatures were not named" if verdict.signatures else "nobody signed it"
        why = "it does not verify" if verdict.findings else why
        console.print(f"origin unverified: {why}")
    else:
        console.print(f"origin: {verdict.origin}", markup=False, soft_wrap=True)
    state = "unfinished; " if verdict.unfinished else ""
    number = len(verdict.findings)
    console.print(f"{state}{verdict.files} files, {verdict.entries} ledger entries: {number} findings")
