"""Several replicates conducted visit by visit at once: what a round of visits costs, whoever comes, is paid
once.

Patients do not depend on one another, nor their chance on who else is there; so each replicate comes out as
it does alone, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from glueprint.trials.conduct.conducting import Conducted, conduct
from glueprint.trials.conduct.records import VisitLog
from glueprint.trials.patients import Population, Stream, joined
from glueprint.trials.protocol import Protocol

__all__ = ["conduct_together"]

Progress = Callable[[float], None]


def conduct_together(
    protocol: Protocol,
    replicates: Sequence[tuple[Population, Stream]],
    progress: Progress | None = None,
    *,
    counterfactual: bool = False,
) -> list[Conducted]:
    """What `conduct` gives for each of several replicates, whose truths have one structure and one glue.

    replicates: the patients of each and its chance.   progress, counterfactual: as in `conduct`.
    """
    if len(replicates) == 1:
        return [conduct(protocol, *replicates[0], progress, counterfactual=counterfactual)]
    first = replicates[0][1]
    stream = replace(first, beside=tuple(stream.replicate for _, stream in replicates[1:]))
    whole = joined([people for people, _ in replicates])
    done = conduct(protocol, whole, stream, progress, counterfactual=counterfactual)
    edges = accumulate((people.size for people, _ in replicates), initial=0)
    return [
        _replicate(done, people, slice(*rows))
        for (people, _), rows in zip(replicates, pairwise(edges), strict=True)
    ]


def _replicate(done: Conducted, people: Population, rows: slice) -> Conducted:
    """One replicate, whose patients are those of `rows`."""
    visits = slice(*np.searchsorted(done.log.patient, [rows.start, rows.stop]).tolist())
    log: VisitLog = _part(done.log, visits)
    seen = replace(done.seen, column=done.seen.column[:0])  # of visits, not of patients
    return Conducted(
        people,
        _part(done.ward, rows),
        replace(log, patient=log.patient - rows.start),
        replace(_part(seen, rows), column=done.seen.column[visits]),
        _part(done.review, rows),
        _part(done.without_later, rows),
    )


def _part(whole: Any, rows: slice) -> Any:
    """A record of arrays, of mappings and records of them, with some of the rows of each."""
    if isinstance(whole, np.ndarray):
        return whole[rows]
    if isinstance(whole, Mapping):
        return {name: _part(value, rows) for name, value in whole.items()}
    if is_dataclass(whole) and not isinstance(whole, type):
        return replace(whole, **{one.name: _part(getattr(whole, one.name), rows) for one in fields(whole)})
    return whole
