"""`glueprint evidence`: the published numbers, the guide's tables, checks and conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import glueprint as gp  # lists need no chemistry
from glueprint import evidence
from glueprint.cli.choices import completed
from glueprint.cli.output import Json, console, print_json, print_table, progress_console
from glueprint.errors import InputError, nearest
from glueprint.evidence import Claim, Claims, Finding

app = typer.Typer(no_args_is_help=True)


def _ids() -> Iterator[str]:
    return (claim.id for claim in evidence.load())


MOST_SHOWN = 30

Extra = Annotated[
    list[str] | None, typer.Option("--extra", help="Your own claims: a CSV file of the evidence schema.")
]


@app.command()
def table(
    names: Annotated[list[str], typer.Argument(help="One or more of guide-1 to guide-5.")],
    as_json: Json = False,
) -> None:
    """Print tables of the guide from the claims, with the claim ids beside."""
    claims = evidence.load()
    found = {name: claims.table(name) for name in dict.fromkeys(names)}
    if as_json:
        print_json({name: cells.to_dicts() for name, cells in found.items()})
        return
    for name, cells in found.items():
        columns, rows = evidence.layout(cells)
        print_table(f"{name}: {evidence.TITLES[name]}", columns, rows)


@app.command()
def show(
    claim_id: Annotated[
        str, typer.Argument(help="Id of a claim, for example BIN-001.", autocompletion=completed(_ids))
    ],
    extra: Extra = None,
    as_json: Json = False,
) -> None:
    """Show everything known about one claim; a split row shows all its parts."""
    claims = evidence.load(extra or ())
    found = claims.parts(claim_id) or (claims[claim_id],)
    if as_json:
        shown = [_plain(claim, claims) for claim in found]
        print_json(shown[0] if len(shown) == 1 else shown)
        return
    for claim in found:
        filled = [(key, value) for key, value in _plain(claim, claims).items() if value not in ("", None, [])]
        print_table(
            f"{claim.id}: {claim.quantity} = {claim.said}",
            ("", ""),
            [(key, ", ".join(value) if isinstance(value, list) else value) for key, value in filled],
        )


@app.command("list")
def list_claims(
    topic: Annotated[str, typer.Option(help="For example pk, binding, clinical.")] = "",
    trial: Annotated[str, typer.Option(help="Published name of a trial.")] = "",
    arm: Annotated[str, typer.Option(help="Name of an arm in the evidence.")] = "",
    endpoint: Annotated[str, typer.Option(help="For example median_pfs.")] = "",
    compound: Annotated[str, typer.Option(help="Name of the compound.")] = "",
    role: Annotated[str, typer.Option(help="calibration, input, open, prior or context.")] = "",
    extra: Extra = None,
    as_json: Json = False,
) -> None:
    """List the claims, all or those that match every option given."""
    wanted = {
        "topic": topic,
        "trial": trial,
        "arm": arm,
        "endpoint": endpoint,
        "compound": compound,
        "role": role,
    }
    wanted = {column: word for column, word in wanted.items() if word}
    everything = evidence.load(extra or ())
    for column, word in wanted.items():
        _require_known(everything, column, word)
    claims = everything.select(**wanted)
    if as_json:
        print_json([_plain(claim, claims) for claim in claims])
        return
    rows = [(c.id, c.quantity, c.said, c.compound, c.role, c.grade, c.source) for c in claims]
    print_table(
        f"{len(rows)} claims", ("id", "quantity", "says", "compound", "role", "grade", "source"), rows
    )


@app.command()
def check(
    extra: Extra = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count remarks too.")] = False,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline", help="File of findings that may stand, beside those on Glueprint's claims."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show and count findings that stand, too.")
    ] = False,
    accept: Annotated[
        Path | None, typer.Option("--accept", help="Write what is new to a file, for your reasons.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run all checks, those of chemistry too; ends with 1 if an error or a warning is new."""
    checks = all_checks()
    findings = evidence.run_checks(evidence.load(extra or ()), checks)
    standing = list(evidence.builtin_accepted())
    for path in baseline or ():
        standing += evidence.read_accepted(path)
    new = evidence.not_accepted(findings, [] if everything else standing)
    why = {(one.code, one.claims, one.what): one.why for one in standing}
    if as_json:
        rows = [{**asdict(f), "accepted": why.get((f.code, f.claim_ids, f.what))} for f in findings]
        print_json({"checks": len(checks), "new": len(new)}, findings=rows)
    else:
        _print_findings(new, len(checks), stand=len(findings) - len(new))
        gone = len(why.keys() - {(f.code, f.claim_ids, f.what) for f in findings})
        if baseline and gone:
            console.print(f"{gone} reason{'' if gone == 1 else 's'} of no finding: it has changed or is gone")
    if accept is not None:
        evidence.write_accepted(accept, new)
        progress_console.print(f"wrote {accept}: {len(new)} findings; write beside each why it may stand")
    if any(strict or finding.severity != "remark" for finding in new):
        raise typer.Exit(1)


@app.command()
def conflicts(extra: Extra = None, as_json: Json = False) -> None:
    """List the claims that do not fit together, side by side."""
    found = evidence.load(extra or ()).conflicts()
    if as_json:
        print_json(
            [
                {
                    "code": c.code,
                    "title": c.title,
                    "what": c.what,
                    "claims": [asdict(claim) for claim in c.claims],
                }
                for c in found
            ]
        )
        return
    for conflict in found:
        rows = [(c.id, c.quantity, c.said or c.text, c.analysis, c.source, c.grade) for c in conflict.claims]
        print_table(
            f"{conflict.code}: {conflict.title}",
            ("id", "quantity", "says", "analysis", "source", "grade"),
            rows,
        )
    console.print(f"{len(found)} conflicts")


def all_checks() -> tuple[evidence.Check, ...]:
    """The checks of the evidence itself, and those that chemistry adds by running the routes."""
    return (*evidence.CHECKS, *gp.chemistry.checks.CHECKS)


def _require_known(claims: Claims, column: str, word: str) -> None:
    if len(claims.select(**{column: word})):
        return
    known = sorted({getattr(claim, column) for claim in claims} - {""})
    raise InputError(
        "GP-E011",
        f'no claim has the {column} "{word}"{nearest(word, known)}',
        where=f"--{column}",
        expected=", ".join(known) if len(known) <= MOST_SHOWN else f"one of {len(known)} words",
        next_step="see the words in use with `glueprint evidence list --json`",
    )


def _print_findings(findings: Sequence[Finding], checks: int, stand: int) -> None:
    for finding in findings:
        console.print(f"[bold]{finding.code}[/bold] {finding.severity}: {finding.title}", markup=True)
        console.print(f"  claims: {', '.join(finding.claim_ids)}", markup=False)
        console.print(f"  what:   {finding.what}", markup=False)
        console.print(f"  remedy: {finding.remedy}", markup=False)
    counts = {word: sum(f.severity == word for f in findings) for word in ("error", "warning", "remark")}
    said = ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for word, number in counts.items())
    console.print(f"{checks} checks: {said}; {stand} more that stand (--all shows them)")


def _plain(claim: Claim, claims: Claims) -> dict[str, Any]:
    copies = [other.id for other in claims if other.same_as == claim.id]
    return {**asdict(claim), "copies": copies}
