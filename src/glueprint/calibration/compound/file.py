"""The compound file that a fit writes: its numbers, measured, with the assays that they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from glueprint.calibration.compound.choosing import FITTED
from glueprint.calibration.compound.latents import SUBSTRATES
from glueprint.calibration.compound.measured import CONCENTRATIONS, EFFECTS
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.documents import quoted
from glueprint.mechanism import Compound, Quantity, believed, compounds

__all__ = ["compound_of", "compound_text"]

# Digits of a number in the file: far finer than any interval.
DIGITS = 4
HEAD = "# Written from a fit of measured quantities; its draws and the measurements lie beside it."


def compound_of(
    posterior: CompoundPosterior,
    *,
    structure: compounds.Structure,
    pk: compounds.Pharmacokinetics | None = None,
    fraction_unbound: Quantity | None = None,
    form: str = "racemate",
    evidence: Sequence[str] = (),
) -> Compound:
    """The compound that a fit describes: medians with log-normal priors as wide as the posterior.

    structure, pk, fraction_unbound: as in a compound file; without pk and fraction_unbound there is no trial.
    form: what was measured, "racemate", "S" or "R".   evidence: ids about what it degrades.
    Raises what a compound file with these numbers raises.
    """
    pharmacology: dict[str, Any] = {
        "form": form,
        "degrades": list(SUBSTRATES),
        "evidence": list(evidence),
        "kd_nm": _affinity(posterior),
        "efficacy": {name: _efficacy(posterior, name) for name in SUBSTRATES},
    }
    if fraction_unbound is not None:
        pharmacology["fraction_unbound"] = fraction_unbound.model_dump(exclude_none=True)
    tables: dict[str, Any] = {
        "kind": "compound",
        "version": 1,
        "name": posterior.compound,
        "structure": structure.model_dump(exclude_none=True),
        "pharmacology": pharmacology,
    }
    if pk is not None:
        tables["pk"] = pk.model_dump(exclude_none=True, exclude_defaults=True)
    return Compound.model_validate(tables)


def _affinity(posterior: CompoundPosterior) -> dict[str, Any]:
    """The ratio put on the scale of the reference's file, so that the two can be compared."""
    reference = compounds.load(posterior.reference).kd()
    ratio = np.log10(posterior.column("kd_ratio"))
    width = float(np.hypot(ratio.std(ddof=1), getattr(believed(reference), "sd_log10", 0.0)))
    middle = 10.0 ** float(np.median(ratio))
    rests = _why(posterior, list(CONCENTRATIONS), "")
    why = (
        f"{rests}; the ratio {middle:.3g} times the {reference.typical:g} nM of {posterior.reference}'s file"
    )
    return _number(reference.typical * middle, "nM", why, width)


def _efficacy(posterior: CompoundPosterior, substrate: str) -> dict[str, Any]:
    draws = np.log10(posterior.column(f"efficacy:{substrate}"))
    why = _why(posterior, list(EFFECTS), substrate)
    return _number(10.0 ** float(np.median(draws)), "dimensionless", why, float(draws.std(ddof=1)))


def _number(typical: float, unit: str, why: str, sd_log10: float) -> dict[str, Any]:
    return {
        "typical": float(f"{typical:.{DIGITS}g}"),
        "unit": unit,
        "role": "measured",
        "why": why,
        "prior": {
            "distribution": "lognormal",
            "sd_log10": float(f"{max(sd_log10, 1e-3):.{DIGITS}g}"),
            "why": "width of the posterior; the draws beside the file carry the correlations",
        },
    }


def _why(posterior: CompoundPosterior, quantities: Sequence[str], target: str) -> str:
    own = posterior.comparison.filter(
        (pl.col("compound") == posterior.compound)
        & (pl.col("use") == FITTED)
        & pl.col("quantity").is_in(list(quantities))
        & (pl.col("target").is_in([target, ""]) if target else pl.lit(value=True))
    )
    groups: dict[str, list[str]] = {}
    for row in own.to_dicts():
        groups.setdefault(f"{row['assay']}, {row['experiment']}", []).append(row["quantity"])
    told = "; ".join(f"{' and '.join(dict.fromkeys(names))} ({where})" for where, names in groups.items())
    rests = f"measured by {told}" if told else "nothing measured speaks of it directly"
    beside = set(posterior.comparison.filter(pl.col("use") == FITTED)["compound"]) - {posterior.compound}
    against = f", against {posterior.reference} on the same plates" if beside else ", without a reference"
    return f"joint fit: {rests}{against if told else ''}"


def compound_text(compound: Compound) -> str:
    """The file of a compound as TOML, which `compounds.load` reads back to the same digest."""
    tables = compound.model_dump(mode="json", exclude_defaults=True)
    # What a file is known by stands in it, whatever its default.
    head = {name: tables[name] for name in ("kind", "version", "name")}
    lines = [HEAD, *(f"{name} = {_value(value)}" for name, value in head.items())]
    for name, body in tables.items():
        if name not in head:
            lines += _table((name,), body)
    return "\n".join(lines).rstrip() + "\n"


def _table(path: tuple[str, ...], body: Mapping[str, Any]) -> list[str]:
    """A table, its plain fields first, then the tables in it."""
    plain = {key: value for key, value in body.items() if not _is_table(value)}
    inner = {key: value for key, value in body.items() if _is_table(value)}
    lines = ["", f"[{_path(path)}]", *(f"{_key(key)} = {_value(value)}" for key, value in plain.items())]
    for key, value in inner.items():
        if isinstance(value, list):
            for entry in value:
                lines += ["", f"[[{_path((*path, key))}]]"]
                lines += [f"{_key(name)} = {_value(part)}" for name, part in entry.items()]
        else:
            lines += _table((*path, key), value)
    return lines


def _is_table(value: object) -> bool:
    """Whether a value stands as a table of its own; a number with its unit stands in one line."""
    if isinstance(value, dict):
        return "typical" not in value and not all(isinstance(v, str | float | int) for v in value.values())
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _path(path: Sequence[str]) -> str:
    return ".".join(_key(part) for part in path)


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else quoted(name)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return "inf" if value > 0 else "-inf" if value < 0 else "nan"
        text = repr(value)
        return text if any(c in text for c in ".e") else f"{text}.0"
    return str(value)
