"""`glueprint compound`: structures that are computed, compared, checked and drawn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from glueprint import chemistry, evidence
from glueprint.chemistry import (
    binder,
    descriptors,
    groups,
    pairs,
    stability,
    structures,
)
from glueprint.cli.output import Json, console, print_json, print_table, progress_console, write
from glueprint.documents import write_new
from glueprint.errors import InputError
from glueprint.mechanism import cards, compounds

app = typer.Typer(no_args_is_help=True)

CompoundName = Annotated[str, typer.Argument(help="Name of a structure (see list), also (S)- or (R)-.")]


@app.command("list")
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


@app.command("show")
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


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="The structure to start from.")] = pairs.FAMILY[0],
    after: Annotated[str, typer.Argument(help="The structure to end with.")] = pairs.FAMILY[-1],
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


@app.command("check")
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


@app.command("stability")
def show_stability(
    name: Annotated[str | None, typer.Argument(help="A compound with known rates; all if left out.")] = None,
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


@app.command()
def draw(
    name: CompoundName,
    out: Annotated[
        Path | None, typer.Option(help="SVG or PNG file; SVG on standard output if left out.")
    ] = None,
) -> None:
    """Draw a structure on the family's common scaffold."""
    structure = structures.load(name)
    if out is None:
        write(chemistry.draw(structure))
    else:
        chemistry.save(structure, out)


@app.command()
def template(
    out: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write a commented compound file to fill in; it loads once its examples are your own numbers."""
    if out is None:
        write(compounds.template())
        return
    write_new(out, compounds.template(), exists="GP-M081", unwritable="GP-M082")
    progress_console.print(f"wrote {out}; put your numbers in, then: glueprint compound numbers {out}")


@app.command("file")
def print_file(
    name: Annotated[str, typer.Argument(help="Name of a compound that comes with Glueprint.")],
) -> None:
    """Print the file of a compound that comes with Glueprint, to copy from."""
    write(compounds.source(name))


@app.command()
def numbers(
    name: Annotated[
        str, typer.Argument(help="Name of a compound, also (S)- or (R)-, or your own .toml file.")
    ],
    as_json: Json = False,
) -> None:
    """Show every number of a compound file with its source, and what the file is enough for."""
    compound = compounds.load(name)
    given, notes = compound.quantities(), _notes(compound)
    missing, acts = cards.missing(compound), cards.acts_on(compound)
    if as_json:
        print_json(
            {
                "name": compound.name,
                "form": compound.pharmacology.form,
                "degrades": compound.pharmacology.degrades,
                "numbers": {field: quantity.model_dump() for field, quantity in given.items()},
                "acts_on": acts,
                "missing": missing,
                "notes": notes,
            }
        )
        return
    rows = [
        (field, f"{q.typical:g}", q.unit, q.role, acts[field], ", ".join(q.evidence), q.prior or "", q.why)
        for field, q in given.items()
    ]
    title = f"{compound.name}, measured as {compound.pharmacology.form}"
    print_table(title, ("field", "value", "unit", "role", "acts on", "evidence", "prior", "why"), rows)
    uses = [(use, "yes" if not fields else "no", ", ".join(fields)) for use, fields in missing.items()]
    print_table("Enough for", ("use", "enough", "lacks"), uses)
    for note in notes:
        console.print(f"Note: {note}", markup=False)


def _notes(compound: compounds.Compound) -> list[str]:
    """What to look at: evidence that is not there."""
    claims, notes = evidence.load(), []
    for field, quantity in compound.quantities().items():
        unknown = [claim for claim in quantity.evidence if claim not in claims]
        if unknown:
            notes.append(f"{field} cites {', '.join(unknown)}, which the evidence that ships does not hold")
    return notes
