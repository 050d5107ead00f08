"""Cards and tables of `glueprint compound`: what was drawn, what it is, and many of a file at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import typer

from glueprint.chemistry import binder, groups
from glueprint.chemistry.substances import Substance
from glueprint.cli.output import console, print_json, print_table
from glueprint.errors import GlueprintError

__all__ = ["as_drawn", "card", "check_many", "show_many"]

# Longer tables go out as plain lines: drawing borders around thousands takes minutes.
LONG_TABLE = 500


def card(substance: Substance) -> dict[str, Any]:
    """The parent's fields as they always were, and beside them what was drawn."""
    return {
        **asdict(substance.structure),
        "name": substance.name,
        "same_as": substance.same_as,
        "drawn_smiles": substance.drawn_smiles,
        "drawn_formula": substance.drawn_formula,
        "drawn_mass_g_per_mol": substance.drawn_mass_g_per_mol,
        "mass_per_parent_g_per_mol": substance.mass_per_parent_g_per_mol,
        "parts": [asdict(part) for part in substance.parts],
        "changed": list(substance.changed),
        "where": substance.where,
    }


def as_drawn(substance: Substance) -> list[tuple[str, str]]:
    """What was split off and changed, in rows; nothing where the drawing is the parent itself."""
    rows = [("same as", substance.same_as)] if substance.same_as else []
    if substance.changed:
        rows += [("drawn as", substance.drawn_smiles), ("changed", "; ".join(substance.changed))]
    for part in substance.parts:
        text = f"{part.count} x {part.name}, {part.average_mass_g_per_mol:.3f} g/mol each"
        rows.append((part.role, text))
    if substance.parts:
        text = f"{substance.drawn_formula}, {substance.drawn_mass_g_per_mol:.3f} g/mol"
        rows += [("with counter-ions and solvents", text)]
        rows += [("weighed for 1 mol", f"{substance.mass_per_parent_g_per_mol:.3f} g")]
    return rows


def show_many(found: Iterable[Substance | GlueprintError], as_json: bool) -> None:
    """A table of a file's structures, with what cannot be read in its place; exit 1 if there is any."""
    cards: list[dict[str, Any]] = []
    errors = 0
    for one in found:
        if isinstance(one, GlueprintError):
            errors += 1
            cards.append({"where": one.where, "error": one.as_dict()})
        else:
            cards.append({**card(one), "safety": groups.safety_note(one.structure)})
    if as_json:
        print_json(cards)
    else:
        rows = [_card_row(one) for one in cards]
        head = ("where", "name", "same as", "formula", "g/mol", "InChIKey of the parent", "remarks")
        _print(f"{len(cards)} structures, {errors} of them cannot be used", head, rows)
        if any(one.get("safety") for one in cards):
            console.print(f"Safety: {groups.SAFETY_NOTE}", markup=False)
    if errors:
        raise typer.Exit(1)


def _card_row(found: dict[str, Any]) -> tuple[str, ...]:
    if "error" in found:
        return (found["where"], *[""] * 5, f"{found['error']['code']} {found['error']['message']}")
    remarks = [*found["changed"], *(["SAFETY: teratogen"] if found["safety"] else [])]
    mass = f"{found['drawn_mass_g_per_mol']:.3f}"
    said = (found["where"], found["name"], found["same_as"], found["drawn_formula"], mass, found["inchikey"])
    return (*said, "; ".join(remarks))


def check_many(found: Iterable[Substance | GlueprintError], as_json: bool) -> None:
    """A table of verdicts; exit 1 if one is unlikely or cannot be read."""
    results: list[dict[str, Any]] = []
    for one in found:
        if isinstance(one, GlueprintError):
            results.append({"where": one.where, "error": one.as_dict()})
            continue
        check = binder.check_binder(one.structure)
        safety = groups.safety_note(one.structure)
        results.append({**asdict(check), "where": one.where, "same_as": one.same_as, "safety": safety})
    if as_json:
        print_json(results)
    else:
        rows = [
            (r["where"], "", r["error"]["code"], "", r["error"]["message"], "")
            if "error" in r
            else (
                r["where"],
                r["name"],
                r["verdict"],
                r["pharmacophore"],
                _decides(r),
                "yes" if r["safety"] else "",
            )
            for r in results
        ]
        head = ("where", "name", "verdict", "class", "because", "safety note")
        _print(f"{len(results)} structures against the cereblon pocket", head, rows)
        if any(result.get("safety") for result in results):
            console.print(f"Safety: {groups.SAFETY_NOTE}", markup=False)
    if any("error" in result or result["verdict"] == "unlikely" for result in results):
        raise typer.Exit(1)


def _decides(result: dict[str, Any]) -> str:
    """The reason that decided: the first that does not hold, else the class, which comes second."""
    reasons = result["reasons"]
    return str(next((r["what"] for r in reasons if r["holds"] is not True), reasons[:2][-1]["what"]))


def _print(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table, or lines with tabs where there are too many rows for one."""
    if len(rows) <= LONG_TABLE:
        print_table(title, head, rows)
        return
    console.print(title, markup=False)
    sys.stdout.write("".join("\t".join(row) + "\n" for row in (head, *rows)))
