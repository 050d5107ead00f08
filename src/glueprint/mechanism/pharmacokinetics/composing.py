"""The module of pharmacokinetics of a compound, as parts of a model.

One and two compartments with first-order absorption are files; zero-order and transit absorption are the same
bodies with another way in. A user's module takes the names of the trial model where it plays their roles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from glueprint.mechanism.composition import Part, module_text
from glueprint.mechanism.dimensions import unit_of
from glueprint.mechanism.pharmacokinetics.own_module import INPUTS, OUTPUTS
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.pharmacokinetics.structures import HOURLY, USUAL_TARGET

__all__ = ["OWN_PREFIX", "parts"]

# Before the names of a user's module, so that none of them is one of the trial model's.
OWN_PREFIX = "pk_"
BODIES = {1: "pk_one", 2: "pk"}


def parts(pk: Pharmacokinetics) -> tuple[Part, ...]:
    """What a compound's pharmacokinetics add to a model: the way from a dose to cp_ng_per_ml and free_nm.

    Doses go where `doses_of` says. Besides `quantities(pk)` the parts read fraction_unbound and
    molar_mass_g_per_mol of the compound.
    """
    if pk.is_own_module:
        return (_own(pk),)
    body = BODIES[pk.compartments]
    if pk.absorption == "first-order":
        return (Part(body),)
    if pk.absorption == "zero-order":
        return (_with_input(body, [HOURLY], [f"absorption: -> glue_central; {HOURLY} / (1 duration_h);"]),)
    count = pk.transit_compartments or 1
    chain = [USUAL_TARGET, *(f"glue_transit_{i}" for i in range(1, count))]
    steps = [
        f"{'absorption' if to == 'glue_central' else to.removeprefix('glue_')}: "
        f"{source} -> {to}; {count} * {source} / mean_transit_h;"
        for source, to in zip(chain, [*chain[1:], "glue_central"], strict=True)
    ]
    return (_with_input(body, chain, steps),)


def _with_input(body: str, species: Sequence[str], steps: Sequence[str]) -> Part:
    """A body of ours with these species and reactions in place of its gut and first-order absorption."""
    text = module_text(body)
    text = re.sub(r"^ *absorption:.*$", "\n".join(f"  {step}" for step in steps), text, flags=re.M)
    text = text.replace(f"species {USUAL_TARGET},", f"species {', '.join(species)},")
    text = text.replace(f"{USUAL_TARGET} = 0;", " ".join(f"{name} = 0;" for name in species))
    text = text.replace("first-order absorption", "another absorption")
    return Part(body, text=text, units=dict.fromkeys(species, "mg"))


def _own(pk: Pharmacokinetics) -> Part:
    module = pk.statements()
    roles = {name: role for role, name in pk.roles().items()} | {pk.dose_target or "": USUAL_TARGET}
    rename = {name: roles.get(name, f"{OWN_PREFIX}{name}") for name in (*module.own, *pk.parameters)}
    rename |= {name: name for name in INPUTS}
    units = {rename[name]: pk.units.get(name, "mg") for name in module.species}
    units |= {rename[name]: pk.units.get(name, unit_of(name)) for name in module.assigned}
    units |= {**OUTPUTS, USUAL_TARGET: "mg"}
    return Part("pk", rename=rename, text=module.text(), units=units)
