"""The files of a made-up glue as text: its PK as a study would state it, and the truth as a compound."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from glueprint.mechanism import Compound, Quantity

__all__ = ["pk_text", "table", "truth_text"]

PK_FIELDS = ("absorption_per_h", "clearance_l_per_h", "central_l", "intercompartment_l_per_h", "peripheral_l")


def pk_text(glue: Compound, drawn: Mapping[str, float], sd_log10: float) -> str:
    """What a first study in people is made to say: the truth with an error.

    drawn: "stated NAME" -> factor of the error.   sd_log10: of those factors, stated as prior.
    """
    pk, unbound = glue.pk, glue.pharmacology.fraction_unbound
    assert pk is not None
    assert unbound is not None
    lines = [
        f"# SIMULATED, not measured: pharmacokinetics of {glue.name}, a made-up glue.",
        'kind = "glueprint-pk"',
        "version = 1",
        "fraction_unbound = " + _said(unbound, drawn["stated fraction_unbound"], sd_log10, logit=True),
        "",
        "[pk]",
        f"compartments = {pk.compartments}",
        "lag_h = " + _fixed(pk.lag_h),
    ]
    for field in PK_FIELDS:
        quantity = getattr(pk, field)
        if quantity is not None:
            off = {"peripheral_l": "stated central_l"}.get(field, f"stated {field}")
            lines.append(
                f"{field} = {_said(quantity, drawn[off], sd_log10) if off in drawn else _fixed(quantity)}"
            )
    return "\n".join(lines) + "\n"


def _said(quantity: Quantity, error: float, sd_log10: float, *, logit: bool = False) -> str:
    """A number with the error of who measured it, and that error as its prior."""
    value = float(f"{min(quantity.typical * error, 0.99) if logit else quantity.typical * error:.3g}")
    width: dict[str, object] = {"distribution": "lognormal", "sd_log10": sd_log10}
    if logit:
        # d logit(f) = d ln f / (1 - f)
        sd = sd_log10 * math.log(10.0) / (1.0 - value)
        width = {"distribution": "logit-normal", "sd_logit": float(f"{sd:.2g}")}
    return _number(quantity, value, width | {"why": "as wide as what was simulated"})


def _fixed(quantity: Quantity) -> str:
    return _number(quantity, quantity.typical, {"distribution": "fixed", "why": "taken as it is"})


def _number(quantity: Quantity, value: float, prior: Mapping[str, object]) -> str:
    said: dict[str, object] = {
        "typical": value,
        "unit": quantity.unit,
        "role": "measured",
        "why": "SIMULATED first study in people",
    }
    if quantity.omega2:
        said |= {"variability": quantity.variability, "omega2": quantity.omega2}
    return table({**said, "prior": dict(prior)})


def truth_text(glue: Compound) -> str:
    """The glue as it is, as a compound's file: to compare, never read by a run."""

    def plain(quantity: Quantity) -> str:
        return table(quantity.model_dump(mode="json", exclude_defaults=True))

    own, pk = glue.pharmacology, glue.pk
    assert pk is not None
    assert own.kd_nm is not None
    assert own.fraction_unbound is not None
    lines = [
        "# SIMULATED: the truth behind the raw files of this project; no run reads it.",
        'kind = "compound"',
        "version = 1",
        f"name = {json.dumps(glue.name)}",
        "",
        "[structure]",
        f"smiles = {json.dumps(glue.structure.smiles)}",
        f"molar_mass_g_per_mol = {plain(glue.structure.molar_mass_g_per_mol)}",
        "",
        "[pharmacology]",
        f"degrades = {json.dumps(list(own.degrades))}",
        f"form = {json.dumps(own.form)}",
        f"kd_nm = {plain(own.kd_nm)}",
        f"fraction_unbound = {plain(own.fraction_unbound)}",
        "",
        "[pharmacology.efficacy]",
        *(f"{target} = {plain(quantity)}" for target, quantity in own.efficacy.items()),
        "",
        "[pk]",
        f"compartments = {pk.compartments}",
        f"lag_h = {plain(pk.lag_h)}",
        *(f"{field} = {plain(getattr(pk, field))}" for field in PK_FIELDS if getattr(pk, field)),
    ]
    return "\n".join(lines) + "\n"


def table(values: Mapping[str, object]) -> str:
    """An inline table of TOML."""

    def written(value: object) -> str:
        return table(value) if isinstance(value, Mapping) else json.dumps(value)

    return "{ " + ", ".join(f"{json.dumps(key)} = {written(value)}" for key, value in values.items()) + " }"
