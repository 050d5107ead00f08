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
    neighbours,
    pairs,
    reading,
    stability,
    structures,
    substances,
    validation,
)
from glueprint.cli import compound_cards as cards
from glueprint.cli.choices import completed
from glueprint.cli.output import Json, console, print_json, print_table, progress_console, write
from glueprint.documents import write_new
from glueprint.errors import GlueprintError, NotSupportedError
from glueprint.mechanism import Quantity, compounds, pharmacokinetics
from glueprint.mechanism import cards as mechanism_cards

app = typer.Typer(no_args_is_help=True)

COMPOUND = (
    "Name (see list; also (S)- or (R)-), SMILES, InChI, InChIKey or CAS number of a built-in structure, or a "
    "file: .mol, .sdf, .smi."
)
AnyCompound = Annotated[str, typer.Argument(help=COMPOUND, autocompletion=completed(structures.names))]


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
def show_structure(name: AnyCompound, as_json: Json = False) -> None:
    """Show one compound, or a table of a file: identity, salt, descriptors, safety; exit 1 if one is bad."""
    if reading.is_structure_file(name):
        found = list(substances.read(name))
        if len(found) != 1 or isinstance(found[0], GlueprintError):
            cards.show_many(found, as_json)
            return
    substance = substances.one(name)
    structure = substance.structure
    safety, named = groups.safety_note(structure), groups.recognise(structure)
    compared = descriptors.compare(structure)
    if as_json:
        print_json(
            {
                **cards.card(substance),
                "groups": named,
                "descriptors": [asdict(row) for row in compared],
                "evidence": [asdict(claim) for claim in descriptors.published_only(structure)],
                "safety": safety,
            }
        )
        return
    if safety:
        console.print(f"Safety: {safety}", markup=False)
    fields = [(key, ", ".join(v) if isinstance(v, tuple) else v) for key, v in asdict(structure).items() if v]
    fields += [("groups", ", ".join(named)), *cards.as_drawn(substance)]
    print_table(substance.name, ("field", "value"), fields)
    rows = [
        (r.name, f"{r.computed:.4g}" if r.name != "molar mass" else f"{r.computed:.3f}", r.unit,
         "" if r.published is None else f"{r.published:g}", r.claim_id, r.remark)
        for r in compared
    ]  # fmt: skip
    print_table("Descriptors", ("descriptor", "computed", "unit", "published", "evidence", "remark"), rows)
    published = [
        (c.id, c.quantity, _number(c.value, c.low, c.high), c.unit, c.system, c.conditions)
        for c in descriptors.published_only(structure)
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
    before: Annotated[str, typer.Argument(help=f"The compound to start from. {COMPOUND}")] = pairs.FAMILY[0],
    after: Annotated[str, typer.Argument(help="The compound to end with, given alike.")] = pairs.FAMILY[-1],
    as_json: Json = False,
) -> None:
    """Compare two compounds: what changed, and what the evidence says it did."""
    pair = pairs.compare(*(substances.one(text).structure for text in (before, after)))
    if as_json:
        print_json(asdict(pair))
        return
    names = (pair.before.name, pair.after.name)
    title = f"{names[0]} to {names[1]}: {pair.common_atoms} heavy atoms shared"
    changes = [(change.on, change.lost, change.gained) for change in pair.changes]
    print_table(title, ("on atom", "lost", "gained"), changes)
    numbers = [(name, f"{old:.4g}", f"{new:.4g}") for name, (old, new) in pair.descriptors.items()]
    masses = (f"{one.average_mass_g_per_mol:.3f}" for one in (pair.before, pair.after))
    print_table("Descriptors", ("", *names), [("molar mass, g/mol", *masses), *numbers])
    effects = [(e.what, e.before, e.after, ", ".join(e.claim_ids), e.remark) for e in pair.effects]
    print_table("What it did", ("property", *names, "evidence", "remark"), effects)
    for one in (pair.before, pair.after):
        if note := groups.safety_note(one):
            console.print(f"Safety: {note}", markup=False)
            break


@app.command("check")
def check_compound(compound: AnyCompound, as_json: Json = False) -> None:
    """Check whether a compound can sit in the cereblon pocket, with reasons; exit 1 if one is unlikely."""
    if reading.is_structure_file(compound):
        found = list(substances.read(compound))
        if len(found) != 1 or isinstance(found[0], GlueprintError):
            cards.check_many(found, as_json)
            return
    substance = substances.one(compound)
    result, safety = binder.check_binder(substance.structure), groups.safety_note(substance.structure)
    if as_json:
        said = {"changed": substance.changed, "parts": [asdict(part) for part in substance.parts]}
        print_json({**asdict(result), **said, "same_as": substance.same_as, "safety": safety})
    else:
        words = {True: "yes", False: "no", None: "cannot be said"}
        rows = [(words[reason.holds], reason.what, reason.source) for reason in result.reasons]
        kind = f", class {result.pharmacophore}" if result.pharmacophore else ""
        print_table(
            f"Cereblon binder: {result.verdict}{kind} ({result.smiles})", ("holds", "what", "source"), rows
        )
        for field, text in cards.as_drawn(substance):
            console.print(f"{field[0].upper()}{field[1:]}: {text}", markup=False)
        console.print(
            "Rules, not an affinity: a verdict of likely says that nothing known speaks against it. "
            "A structure says nothing about potency."
        )
        if safety:
            console.print(f"Safety: {safety}", markup=False)
        elif result.verdict == "likely":
            console.print(f"Caution: {groups.CAUTION}", markup=False)
    if result.verdict == "unlikely":
        raise typer.Exit(1)


@app.command("neighbours")
def show_neighbours(
    compound: AnyCompound,
    count: Annotated[int, typer.Option(min=1, help="How many neighbours.")] = 5,
    as_json: Json = False,
) -> None:
    """Show the nearest compounds of the evidence, what differs, and what may be said by analogy."""
    structure = substances.one(compound).structure
    near, analogies = neighbours.nearest(structure, count), neighbours.by_analogy(structure)
    errors = neighbours.leave_one_out()
    if as_json:
        print_json(
            {
                "neighbours": [asdict(one) for one in near],
                "by_analogy": [asdict(one) for one in analogies],
                "leave_one_out": [{**asdict(one), "error_log10": one.error_log10} for one in errors],
            }
        )
        return
    rows = [
        (
            one.structure.name,
            f"{one.similarity:.2f}",
            "; ".join(f"{change.lost} to {change.gained}" for change in one.changes),
            "; ".join(f"{p.what} {p.value_nm:.3g} nM ({', '.join(p.claim_ids)})" for p in one.potencies)
            or "no potency in the evidence",
        )
        for one in near
    ]
    print_table("Neighbours in the evidence", ("compound", "similarity", "change", "potency"), rows)
    said = [
        (one.what, one.label, one.neighbour, f"{one.value_nm:.3g}", _interval(one), one.remark)
        for one in analogies
    ]
    head = ("property", "label", "neighbour", "nM", "95 % interval, nM", "remark")
    print_table("By analogy, and not measured", head, said)
    lost = [(e.endpoint, e.compound, e.neighbour, f"{e.error_log10:+.2f}") for e in errors]
    print_table("Error of leave-one-out", ("property", "compound", "foretold from", "log10 error"), lost)
    for one in analogies:
        if one.sd_log10 is not None and neighbours.PROPERTIES[one.endpoint][1]:
            console.print(f"As a wide prior in a compound's file: {neighbours.prior_line(one)}", markup=False)
    if note := groups.safety_note(structure):
        console.print(f"Safety: {note}", markup=False)


def _interval(one: neighbours.Analogy) -> str:
    return "" if one.low_nm is None or one.high_nm is None else f"{one.low_nm:.2g} to {one.high_nm:.2g}"


@app.command("binders")
def show_binders(as_json: Json = False) -> None:
    """Show the binder check beside known answers: every verdict, and the confusion table."""
    rows, table = validation.known(), validation.confusion()
    if as_json:
        print_json({"compounds": [asdict(row) for row in rows], "confusion": asdict(table)})
        return
    head = ("name", "known", "how", "verdict", "class", "source")
    print_table(
        "Known answers",
        head,
        [(r.name, r.answer, r.basis, r.verdict, r.verdict_pharmacophore, r.source) for r in rows],
    )
    verdicts: tuple[binder.Verdict, ...] = ("likely", "uncertain", "unlikely")
    answers: tuple[validation.Answer, ...] = ("binds", "weakly", "does not")
    counts = [(answer, *(table.count(answer, verdict) for verdict in verdicts)) for answer in answers]
    print_table("Known answer against verdict", ("known", *verdicts), counts)
    for name, value, (low, high) in (
        ("Precision", table.precision, table.precision_limits),
        ("Recall", table.recall, table.recall_limits),
    ):
        console.print(f"{name} {100 * value:.0f} % (95 % limits {100 * low:.0f} to {100 * high:.0f} %).")


@app.command("stability")
def show_stability(
    name: Annotated[
        str | None, typer.Argument(help=f"A compound with known rates; all if left out. {COMPOUND}")
    ] = None,
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
    name = substances.one(name).structure.name
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
    name: AnyCompound,
    out: Annotated[
        Path | None, typer.Option(help="SVG or PNG file; SVG on standard output if left out.")
    ] = None,
) -> None:
    """Draw a structure on the family's common scaffold."""
    structure = substances.one(name).structure
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
    scaled, about = _scaled(compound)
    given, notes = compound.quantities() | scaled, [*_notes(compound), *about]
    missing = mechanism_cards.missing(compound)
    acts = mechanism_cards.acts_on(compound) | dict.fromkeys(scaled, mechanism_cards.PATIENT)
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


def _scaled(compound: compounds.Compound) -> tuple[dict[str, Quantity], list[str]]:
    """What animals and vials say of people, by field, and what is to be known before believing it."""
    if compound.pk is None or compound.pk.scaling is None:
        return {}, []
    try:
        found = pharmacokinetics.scaled(compound.pk, compound.pharmacology.fraction_unbound)
    except NotSupportedError as error:
        return {}, [f"nothing is scaled: {error.message}"]
    if found is None:
        return {}, []
    numbers = {f"pk.scaling.{name}": quantity for name, quantity in found.quantities.items()}
    return numbers, [f"{one.parameter} ({one.code}): {one.message}" for one in found.findings]


def _notes(compound: compounds.Compound) -> list[str]:
    """What to look at: evidence that is not there."""
    claims, notes = evidence.load(), []
    for field, quantity in compound.quantities().items():
        unknown = [claim for claim in quantity.evidence if claim not in claims]
        if unknown:
            notes.append(f"{field} cites {', '.join(unknown)}, which the evidence that ships does not hold")
    return notes
