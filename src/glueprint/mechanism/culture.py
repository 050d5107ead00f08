"""Cells in culture: which modules make each model, and where its parameters come from."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import lines, parameters, systems
from glueprint.mechanism.composition import Part
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.lines import Line
from glueprint.mechanism.quantities import Quantity, derived
from glueprint.mechanism.scenario import Scenario
from glueprint.mechanism.substrates import pair_of

__all__ = ["CULTURES", "check_choices", "line_of", "parts", "quantities"]

# Model -> (cell line unless another is named, kind of cell, modules of the cells).
CULTURES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "culture_myeloma": ("MM1S", "myeloma", ("myeloma_cell",)),
    "culture_t_cell": ("t_cell", "t_cell", ("t_cell",)),
    "culture_nk": ("t_cell", "t_cell", ("t_cell", "nk_cell")),
    "culture_treg": ("t_cell", "t_cell", ("treg",)),
    "culture_monocyte": ("monocyte", "monocyte", ("monocyte",)),
    "culture_progenitor": ("progenitor", "progenitor", ()),
    "culture_endothelium": ("", "", ("endothelium",)),
}
# What the modules of cells read.
NEEDED = ("IKZF1", "IKZF3")
# Cell type of a line -> cell type of the trial model, for which a compound's file may give rho directly.
TRIAL_CELLS = {"myeloma": "myeloma", "t_cell": "tcell", "progenitor": "progenitor"}
SHARE_OF_S = {"racemate": 0.5, "S": 1.0, "R": 0.0}
DIMENSIONLESS = "dimensionless"


def parts(name: str, line: Line | None, glue: Compound, form: str) -> tuple[Part, ...]:
    """The modules of a culture model; form: of `scenario.FORMS`."""
    cells = tuple(Part(module) for module in CULTURES[name][2])
    if line is None:
        return (Part("medium"), *cells)
    ligase, module = ("cereblon", "turnover") if form == "reduced" else ("crbn", "neosubstrate")
    followed = tuple(
        Part(module, f"{substrate.lower()}_", {"substrate": substrate.lower()})
        for substrate in substrates(line, glue, form)
    )
    return (Part("medium"), Part(ligase), *followed, *cells)


def check_choices(name: str, scenario: Scenario) -> None:
    """Raise InputError GP-M040 where a choice is given that the model does not have."""
    given = {
        "line": scenario.line is not None,
        "medium": scenario.medium is not None,
        "form": scenario.form != "reduced",
    }
    if name in CULTURES:
        given = {"line": given["line"] and not CULTURES[name][0]}
    for choice, chosen in given.items():
        if chosen:
            raise InputError(
                "GP-M040",
                f'the model "{name}" has no {choice} to choose',
                where=f"model {name}, {choice}",
                expected=f"no {choice}",
                next_step=f"leave it out, or name a model of cells in culture: {', '.join(CULTURES)}",
            )


def line_of(name: str, line: Line | None) -> Line | None:
    """The cells of a culture model: these, or the usual ones if None.

    Raises InputError GP-M036 for cells of another kind.
    """
    usual, kind, _ = CULTURES[name]
    if not usual:
        return None
    found = line or lines.load(usual)
    if found.type != kind:
        raise InputError(
            "GP-M036",
            f'"{found.name}" is a line of type "{found.type}"',
            where=f"model {name}",
            expected=f'type "{kind}"',
            next_step=f"choose such a line, for example {usual}, or the model for this type of cell",
        )
    return found


def substrates(line: Line, glue: Compound, form: str) -> tuple[str, ...]:
    """IKZF1, IKZF3, and what else the line has and the compound's file says enough about."""
    chosen = [str(name) for name in line.substrates if name in NEEDED or _known(glue, str(name), form)]
    return tuple(dict.fromkeys((*NEEDED, *chosen)))


def _known(glue: Compound, substrate: str, form: str) -> bool:
    if substrate not in glue.known_substrates:
        return False
    try:
        glue.efficacy(substrate)
        if form == "kinetic":
            glue.ternary_constants(substrate)
    except NotSupportedError:
        return False
    return True


def quantities(
    glue: Compound, line: Line | None, form: str, medium: str | None
) -> dict[str, tuple[str, Quantity]]:
    """Every parameter that a culture model may need: name -> (section, quantity).

    medium: one of the compound's media, or None for culture medium.
    Raises InputError GP-M037 for a line without IKZF1 or IKZF3, NotSupportedError GP-M011 and GP-M012 where
    the compound's file lacks a number, GP-M038 where cereblon is too scarce for rho.
    """
    found = parameters.culture()
    found |= {name: (f"compound {glue.name}", q) for name, q in _of_compound(glue, medium).items()}
    if line is None:
        return found
    found |= {name: (f"cell line {line.name}", q) for name, q in line.quantities().items()}
    for substrate in substrates(line, glue, form):
        found |= _of_substrate(substrate, glue, line, form)
        if form == "kinetic":
            _check_supply(substrate.lower(), {name: q.typical for name, (_, q) in found.items()})
    return found


def _of_compound(glue: Compound, medium: str | None) -> dict[str, Quantity]:
    """Affinity of the racemate, enantiomers, and stability where a medium is named."""
    own = glue.pharmacology
    known = own.eudismic_ratio is not None
    racemate = glue.enantiomer("racemate") if known else glue
    found = {
        "kd_nm": racemate.kd(),
        "eudismic_ratio": own.eudismic_ratio or _said(1.0, "not in the compound's file: enantiomers alike"),
        "fraction_s": _said(SHARE_OF_S[own.form], f"the form of the compound's file, {own.form}"),
    }
    if medium is not None:
        stability = glue.in_medium(medium)
        found |= {name: getattr(stability, name) for name in type(stability).model_fields}
        if medium in ("blood", "plasma") and own.fraction_unbound is not None:
            found["unbound"] = own.fraction_unbound
    return found


def _said(value: float, why: str) -> Quantity:
    return Quantity(typical=value, unit=DIMENSIONLESS, role="assumed", why=why)


def _of_substrate(substrate: str, glue: Compound, line: Line, form: str) -> dict[str, tuple[str, Quantity]]:
    prefix, own = substrate.lower(), line.substrates.get(substrate)
    if own is None:
        raise InputError(
            "GP-M037",
            f'the line "{line.name}" does not say how much {substrate} it loses and makes',
            where=f"cell line {line.name}, substrates.{substrate}",
            expected="capacity, abundance_nm and kdeg_per_h",
            next_step=f"add [substrates.{substrate}] to the cell-line file",
        )
    efficacy = _efficacy(substrate, glue, line)
    factors = (
        f"capacity {own.capacity.typical:g} of {line.name} x efficacy {efficacy.typical:g} of {glue.name}"
    )
    rho = derived(own.capacity.typical * efficacy.typical, own.capacity, efficacy, why=factors)
    place = f"cell line {line.name}, compound {glue.name}"
    found = {f"{prefix}_rho": (place, rho), f"{prefix}_binds": parameters.system()["binds"]}
    if form == "kinetic":
        intrinsic, alpha = glue.ternary_constants(substrate)
        found[f"{prefix}_intrinsic_kd_nm"] = (place, intrinsic)
        found[f"{prefix}_cooperativity"] = (place, alpha)
    return found


def _efficacy(substrate: str, glue: Compound, line: Line) -> Quantity:
    """rho over the capacity: from the rho that the file gives for this type of cell, else its efficacy."""
    pair = pair_of(substrate, TRIAL_CELLS.get(line.type, line.type))
    direct = glue.pharmacology.rho.get(pair)
    if direct is None:
        return glue.efficacy(substrate)
    capacity = systems.of_pairs(glue.known_substrates)[f"{pair}_capacity"][1]
    return direct.model_copy(update={"typical": direct.typical / capacity.typical})


def _check_supply(prefix: str, given: Mapping[str, float]) -> None:
    """Whether enough ternary complex can form for rho, however fast it is ubiquitinated."""
    share = given["proteasome_per_h"] / (given["proteasome_per_h"] + given["deubiquitination_per_h"])
    most = share * given["kon_per_nm_h"] * given[f"{prefix}_cooperativity"] * given["crbn_nm"]
    wanted = given[f"{prefix}_rho"] * given[f"{prefix}_kdeg_per_h"]
    if wanted > 0 and most <= wanted:
        raise NotSupportedError(
            "GP-M038",
            f"{wanted:g} per h of induced loss is more than {given['crbn_nm']:g} nM cereblon lets through "
            f"({most:g} per h)",
            where=f"{prefix}, kinetic form",
            expected="rho x kdeg below kon x cooperativity x cereblon",
            next_step="use the reduced form, or give a higher cooperativity or less rho",
        )
