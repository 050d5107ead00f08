"""The compound of a project, and compounds side by side: numbers, what is missing, what each would add."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from glueprint.chemistry import binder, descriptors, groups, pairs, substances
from glueprint.errors import GlueprintError
from glueprint.mechanism import cards, compounds, pharmacokinetics
from glueprint.runs.store import read_table
from glueprint.study import glue
from glueprint.web.context import of
from glueprint.web.render import page

__all__ = ["compare", "compound"]

MOST_SMILES = 2000


def compound(request: Request) -> Response:
    """The compound of a project: what was measured, what the model says of it, and what is not known."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    project = glue.load(folder)
    own = folder / "result" / f"{project.compound}.toml"
    found = compounds.load(own) if own.is_file() else None
    beside = project.load_reference()
    card, problem = _card(project.smiles)
    compared = _table(folder, "measured_and_predicted")
    return page(
        request,
        "compound.html.j2",
        name=name,
        project=project,
        about=glue.status(folder),
        card=card,
        problem=problem,
        compared=_listed(compared),
        dossier=_listed(_table(folder, "dossier")),
        learnt=_listed(_table(folder, "learnt")),
        gains=_listed(_table(folder, "next_experiment")),
        numbers=_numbers(
            {project.compound: found, beside.name: beside} if beside else {project.compound: found}
        ),
        lacks=cards.missing(found) if found else {},
        pk=_pk(project, found, beside),
        file=str(own),
        folder=str(folder),
    )


def compare(request: Request) -> Response:
    """Two structures or compounds side by side: what changed, and their numbers."""
    query = request.query_params
    first, second = (
        query.get("one", pairs.FAMILY[0])[:MOST_SMILES],
        query.get("two", pairs.FAMILY[-1])[:MOST_SMILES],
    )
    pair, problem = None, None
    try:
        pair = pairs.compare(*(substances.one(text).structure for text in (first, second)))
    except GlueprintError as error:
        problem = error
    known = {text: compounds.load(text) for text in (first, second) if text in compounds.names()}
    return page(
        request,
        "compounds.html.j2",
        one=first,
        two=second,
        pair=pair,
        problem=problem,
        names=compounds.names(),
        numbers=_numbers(known),
        checks=[(text, *_card(text)) for text in (first, second)],
    )


def _card(smiles: str) -> tuple[dict[str, Any] | None, GlueprintError | None]:
    """What a structure says by itself: identity, descriptors, the cereblon pocket, safety."""
    try:
        substance = substances.one(smiles)
        structure = substance.structure
        checked = binder.check_binder(structure)
    except GlueprintError as error:
        return None, error
    return {
        "identity": {
            key: value
            for key, value in asdict(structure).items()
            if value and not isinstance(value, list | tuple | dict)
        },
        "descriptors": [asdict(row) for row in descriptors.compare(structure)],
        "verdict": checked.verdict,
        "reasons": checked.reasons,
        "safety": groups.safety_note(structure),
    }, None


def _table(folder: Path, name: str) -> pl.DataFrame | None:
    path = folder / "result" / "tables" / f"{name}.parquet"
    return read_table(path, name) if path.is_file() and not path.is_symlink() else None


def _listed(table: pl.DataFrame | None) -> tuple[list[str], list[list[Any]]]:
    """Heads and rows of a table, without columns that say nothing."""
    if table is None or table.is_empty():
        return [], []
    told = [name for name in table.columns if any(_says(value) for value in table[name].to_list())]
    return told, [[_plain(row[name]) for name in told] for row in table.to_dicts()]


def _says(value: Any) -> bool:
    return value not in (None, "", []) and not (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _numbers(known: Mapping[str, compounds.Compound | None]) -> tuple[list[str], list[list[Any]]]:
    """Every number of the compounds' files, a column each, with unit, role and what it acts on."""
    there = {name: one for name, one in known.items() if one is not None}
    if not there:
        return [], []
    fields = list(dict.fromkeys(field for one in there.values() for field in one.quantities()))
    rows: list[list[Any]] = []
    for field in fields:
        given = {name: one.quantities().get(field) for name, one in there.items()}
        any_one = next(value for value in given.values() if value is not None)
        cells = [f"{one.typical:.4g} ({one.role})" if one else "" for one in given.values()]
        acts = next(cards.acts_on(one).get(field, "") for name, one in there.items() if given[name])
        rows.append([field, any_one.unit, *cells, acts])
    return ["number", "unit", *there, "acts on"], rows


def _pk(
    project: glue.Project, found: compounds.Compound | None, beside: compounds.Compound | None
) -> tuple[str, list[list[Any]]]:
    """Where pharmacokinetics come from, and their numbers with evidence and reason."""
    own = glue.read_pk(project)
    if own is not None:
        pk, unbound, words = own.pk, own.fraction_unbound, f"the project's own file, {project.pk.source}"  # type: ignore[union-attr]
    elif project.pk is not None and beside is not None and beside.pk is not None:
        lent = found if found is not None and found.pk is not None else beside
        pk, unbound = lent.pk, lent.pharmacology.fraction_unbound  # type: ignore[assignment]
        words = f"borrowed from {beside.name}: they stand in, and may be several-fold off"
    else:
        return "none: without pharmacokinetics there is no trial", []
    given = pharmacokinetics.quantities(pk, unbound) | pharmacokinetics.conduct_quantities(pk)
    rows = [
        [name, one.typical, one.unit, one.role, ", ".join(one.evidence), one.why]
        for name, one in given.items()
    ]
    return words, rows
