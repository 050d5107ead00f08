"""Forward sensitivities: what a small change of a parameter does to every output, for each patient.

The model and its sensitivities are compiled as one system (`tangent`), so doses, parameters per patient,
accuracy and statuses are those of any other run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Settings
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.doses import Doses
from glueprint.engine.initial import slot_of
from glueprint.engine.model import Model
from glueprint.engine.results import Trajectories
from glueprint.engine.system import System
from glueprint.engine.tangent import Tangent, symbol, tangent
from glueprint.errors import InputError, NotSupportedError
from glueprint.formulas.lowering import STATE, TIME, dependencies

__all__ = ["Sensitivities", "SensitivityModel", "sensitivities"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sensitivities(Trajectories):
    """Values over time with their derivatives.

    names: what was varied.   slopes: (n, times, outputs, names), d(output)/d(name) in the output's unit per
    unit of the name, NaN after a patient has failed.
    """

    names: tuple[str, ...] = field(kw_only=True)
    slopes: Floats = field(kw_only=True)

    def slope(self, output: str, name: str) -> Floats:
        """d(output)/d(name), (n, times)."""
        return self.slopes[:, :, self.outputs.index(output), self.names.index(name)]


@dataclass(frozen=True, eq=False)
class SensitivityModel:
    """A model with its sensitivities, ready to run.

    names: what is varied.   model: states first, then their sensitivities; "d(x)/d(k)" can be read, given as
    an initial value and dosed like x.
    """

    names: tuple[str, ...]
    model: Model
    tangent: Tangent = field(repr=False)

    def simulate(
        self,
        times_h: ArrayLike,
        parameters: Mapping[str, ArrayLike] | None = None,
        *,
        initial: Mapping[str, ArrayLike] | None = None,
        doses: Doses | None = None,
        outputs: Sequence[str] | None = None,
        patients: int | None = None,
        settings: Settings | None = None,
    ) -> Sensitivities:
        """Values and sensitivities at `times_h`, each taken before a dose at the same time.

        times_h: (times,) hours, rising.   parameters, initial: scalar or (n,) values by name; what is given
        does not move with the names varied, what the model computes from them does.   doses: their amounts do
        not depend on the names varied.   outputs: default all species.   patients: n.
        settings: as of any run, but outputs are stops.
        Raises as `Model.ensemble` and `Ensemble.simulate`.
        """
        given = {*(parameters or {}), *(initial or {})}
        model = dataclasses.replace(self.model, system=self.tangent.starting_with(given))
        settings = dataclasses.replace(settings or Settings(), stop_at_outputs=True)
        chosen = tuple(model.species if outputs is None else outputs)
        ensemble = model.ensemble(parameters, initial=initial, patients=patients, settings=settings)
        columns = [*chosen, *(symbol(output, name) for output in chosen for name in self.names)]
        run = ensemble.simulate(times_h, doses, columns)
        shape = (*run.values.shape[:2], len(chosen), len(self.names))
        return Sensitivities(
            status=run.status,
            steps=run.steps,
            time_h=run.time_h,
            outputs=chosen,
            values=run.values[:, :, : len(chosen)],
            doses_after_end=run.doses_after_end,
            names=self.names,
            slopes=run.values[:, :, len(chosen) :].reshape(shape),
        )


def sensitivities(model: Model, names: Iterable[str]) -> SensitivityModel:
    """Compile a model together with its derivatives by `names`.

    names: parameters, compartments or initial values (a species' name), in their own units.
    Raises InputError GP-N010 (no such name), GP-N039 (none, or one twice) and NotSupportedError GP-N036
    (events), GP-N037 (a jump whose time or size moves with a name), GP-N038 (a dose whose effect does).
    """
    wanted = tuple(names)
    _check_names(model, wanted)
    made = tangent(model.system, {name: _reference(model.defaults[name]) for name in wanted})
    for name in wanted:
        _check_jumps(made, model.system, name)
    text = f"{model.hash}/sensitivities/{wanted}"
    key = hashlib.sha256(text.encode()).hexdigest()
    whole = dataclasses.replace(
        model,
        observables=tuple(made.system.symbols),
        hash=key,
        system=made.system,
        solver=CompiledSolver(made.system, key),
    )
    return SensitivityModel(wanted, whole, made)


def _reference(value: float) -> float:
    """The size by which a sensitivity is scaled: the model's own value where there is one."""
    return abs(value) if math.isfinite(value) and value != 0.0 else 1.0


def _check_names(model: Model, names: tuple[str, ...]) -> None:
    if model.system.events:
        raise _refuse("GP-N036", f'the event "{model.system.events[0].name}"', model.name)
    for name in names:
        slot_of(model.system, name)
    if not names or len(set(names)) < len(names):
        raise InputError(
            "GP-N039",
            f"sensitivities to {list(names)}",
            where="names",
            expected="at least one name, each once",
            next_step="name the parameters or initial values to vary",
        )


def _check_jumps(made: Tangent, base: System, name: str) -> None:
    """Refuse what the sensitivity equations do not see: a jump whose time or size moves with `name`."""
    graph, moves = made.system.graph, made.moves[name]

    def depends(node: int) -> bool:
        return any((op, i) in moves for op in ("state", "param") for i in graph.leaves([node], op))

    kinds = dependencies(graph, base.derivatives)
    for number in graph.reachable(base.derivatives):
        op, args, _ = graph.nodes[number]
        moving = args and kinds[args[0]] & (STATE | TIME)
        if op in ("select", "floor", "ceil") and moving and depends(args[0]):
            what = "a piecewise" if op == "select" else f"{op}()"
            raise _refuse("GP-N037", f'{what} that switches at a time that moves with "{name}"', base.name)
    for root in (*base.derivatives, *base.symbols.values(), *(item.node for item in base.initials)):
        for number in graph.reachable([root]):
            if graph.nodes[number].op == "gamma" and depends(number):
                raise _refuse("GP-N037", f'factorial() of what moves with "{name}"', base.name)
    for state, scale in base.dose_scale.items():
        if scale is not None and depends(scale):
            raise _refuse("GP-N038", f'a dose of "{state}", whose effect depends on "{name}"', base.name)


def _refuse(code: str, what: str, where: str) -> NotSupportedError:
    return NotSupportedError(
        code,
        f"{what} has no exact sensitivity here",
        where=where,
        next_step="vary another name, or difference two runs; docs/sensitivities.md says why",
    )
