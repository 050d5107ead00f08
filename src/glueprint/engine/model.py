"""The compiled model: what it contains, and the door to its patients."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine import completeness, refusals
from glueprint.engine.batch import Settings
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.ensemble import Ensemble
from glueprint.engine.initial import count_patients, require_values, start
from glueprint.engine.measures import Measures, measures
from glueprint.engine.reading import read
from glueprint.engine.sbml import flatten
from glueprint.engine.solver import Solver
from glueprint.engine.system import System
from glueprint.errors import InputError
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["Model", "compile"]


@dataclass(frozen=True, eq=False)
class Model:
    """A model ready to run.

    species, parameters: names; parameters are all else that can be set: constants, compartments, local
    parameters ("reaction.name") and quantities with a rate rule.
    observables: every name that can be read.   defaults: value of each name at time 0.
    stoichiometry: (species, reactions).   measures: units that its file states; times are in its own unit of
    time, hours where it states none.   hash: of everything that decides results.
    """

    name: str
    species: tuple[str, ...]
    parameters: tuple[str, ...]
    reactions: tuple[str, ...]
    observables: tuple[str, ...]
    defaults: Mapping[str, float]
    stoichiometry: NDArray[np.float64]
    measures: Measures
    hash: str
    system: System = field(repr=False)
    solver: Solver = field(repr=False)

    def ensemble(
        self,
        parameters: Mapping[str, ArrayLike] | None = None,
        *,
        initial: Mapping[str, ArrayLike] | None = None,
        patients: int | None = None,
        settings: Settings | None = None,
    ) -> Ensemble:
        """Patients of this model at time 0.

        parameters, initial: scalar or (n,) values by name, in the symbol's own unit.   patients: n; by
        default the longest column given.   settings: accuracy, step limit, threads.
        Raises InputError GP-N008 (a value is missing), GP-N009 (given twice), GP-N010 (no such name), GP-N011
        (wrong length), GP-N012.
        """
        values, starts = dict(parameters or {}), dict(initial or {})
        twice = sorted(values.keys() & starts.keys())
        if twice:
            raise InputError(
                "GP-N009",
                f'"{twice[0]}" is given both as a parameter and as an initial value',
                where=self.name,
                expected="each name once",
                next_step="remove one of the two",
            )
        given = {**values, **starts}
        require_values(self.system, given)
        n = count_patients(given, patients)
        return Ensemble(self.system, self.solver, given, n, settings or Settings())


def compile(  # noqa: A001 - the interface of docs/design.md
    source: str | os.PathLike[str], *, ours: bool = False
) -> Model:
    """Read, check and compile a model.

    source: path or text, Antimony or SBML (Level 2 and 3 core).   ours: as for `reading.read`.
    Raises InputError GP-N001 to N007, N040 to N045 and N047 (cannot be read, is inconsistent or incomplete)
    and NotSupportedError GP-N020 to N026 (the engine cannot run it exactly).

    >>> model = compile("species drug = 100; drug -> ; k*drug; k = 0.1")
    >>> model.species, model.defaults["k"]
    (('drug',), 0.1)
    """
    document, where = read(source, ours=ours)
    refusals.check(document, where)
    completeness.check(document, where)
    system = flatten(document.getModel(), where)
    fingerprint = _fingerprint(system)
    return Model(
        name=system.name,
        species=system.species,
        parameters=tuple(name for name in system.slots if name not in system.compartment),
        reactions=system.reactions,
        observables=tuple(system.symbols),
        defaults=MappingProxyType(_defaults(system)),
        stoichiometry=system.stoichiometry,
        measures=measures(document.getModel(), where),
        hash=fingerprint,
        system=system,
        solver=CompiledSolver(system, fingerprint),
    )


def _defaults(system: System) -> dict[str, float]:
    states, params = start(system, {}, 1)
    names = [*system.slots]
    nodes = [system.symbols[name] for name in names]
    values = evaluate(system.graph, nodes, Leaves(states, params, np.zeros(1)))
    return {name: float(np.ravel(value)[0]) for name, value in zip(names, values, strict=True)}


def _fingerprint(system: System) -> str:
    parts = (
        system.graph.nodes,
        system.states,
        system.params,
        system.derivatives,
        sorted(system.symbols.items()),
        system.initials,
        system.events,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
