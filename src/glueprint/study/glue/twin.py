"""A made-up glue: a truth drawn by a seed, raw files of it and of the reference, its PK and its regimen.

The truth goes through the same mechanism as any compound: what cells show is computed from its Kd and its
efficacies, and the plates are simulated from that. An assay's own error is drawn once an assay and holds for
both compounds, which is why a reference on the plate carries it away.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from glueprint.assays import twins
from glueprint.experiments import forward, grow
from glueprint.mechanism import Compound, Quantity, Scenario
from glueprint.runs import streams
from glueprint.study.glue.twin_text import pk_text, table, truth_text

__all__ = ["LINE", "Made", "make"]

# Kd, nM, and efficacies that glues of this class may have, uniform on the logarithm: from ten times tighter
# than the reference to as much weaker, and a tenth to three times as strong (assumed).
KD_NM, EFFICACY = (30.0, 3000.0), (0.1, 3.0)
# Of the reference's: clearance, volumes and fraction unbound (assumed).
CLEARANCE, VOLUME, UNBOUND = (0.5, 2.0), (0.7, 1.5), (0.3, 1.2)
# Standard deviation, log10, of an assay's own error (assumed: assays of one drug differ two- to elevenfold,
# of which half a laboratory's own), and of what a first study in people says of PK.
ASSAY_SD, PK_SD = 0.15, 0.06
LINE = "MM1S"
TARGETS = ("IKZF1", "IKZF3")
NEVER_NM = 1e7  # an effect that no dose has
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
SWEPT = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Made:
    """A made-up glue: its files by path in the project's folder, its regimen, and doses to sweep."""

    files: Mapping[str, bytes]
    dose_mg: float
    doses_mg: tuple[float, ...]


def make(name: str, smiles: str, mass: float, reference: Compound, plan: tuple[float, int]) -> Made:
    """The raw files, PK and regimen of a made-up glue beside a reference.

    name, smiles, mass: of the glue, g/mol.   reference: on the same plates; its file gives pharmacology and
    PK.   plan: dose of the reference in the trial, mg, and the seed.
    Returns `Made`: raw files in raw/, `pk.toml`, and in truth/ what is behind them.
    Source: docs/your-glue.md, "What a twin is made of".
    """
    ref_dose_mg, seed = plan
    drawn = _drawn(seed)
    glue = _glue(name, smiles, mass, reference, drawn)
    files = {"pk.toml": pk_text(glue, drawn, PK_SD).encode()}
    for protocol, changes in _settings(glue, reference, seed).items():
        twin = twins.simulate(protocol, seed=seed, changes=changes)
        kept = {path: content for path, content in twin.files.items() if path != "README.txt"}
        files[f"truth/{protocol}.toml"] = kept.pop("truth.toml")
        files |= {f"raw/{protocol}/{path}": content for path, content in kept.items()}
    files[f"truth/{name}.toml"] = truth_text(glue).encode()
    dose = _rounded(ref_dose_mg * _dose_ratio(glue, reference))
    return Made(files, dose, tuple(_rounded(dose * times) for times in SWEPT))


def _drawn(seed: int) -> dict[str, float]:
    """The truth of the glue by name, and the errors of what is said of it."""
    ranges = {
        "kd_nm": KD_NM,
        **dict.fromkeys(TARGETS, EFFICACY),
        "clearance_l_per_h": CLEARANCE,
        "central_l": VOLUME,
        "fraction_unbound": UNBOUND,
    }
    u = streams.uniforms(seed, "glue twin truth", 0, len(ranges)).ravel()
    found = {
        key: math.exp(math.log(low) + float(share) * math.log(high / low))
        for (key, (low, high)), share in zip(ranges.items(), u, strict=True)
    }
    # Aiolos goes with Ikaros: a glue that takes one alone would be another class.
    found["IKZF3"] = math.sqrt(found["IKZF1"] * found["IKZF3"])
    z = PK_SD * streams.normals(seed, "glue twin stated", 0, 3).ravel()
    keys = ("clearance_l_per_h", "central_l", "fraction_unbound")
    return found | {f"stated {key}": 10.0 ** float(error) for key, error in zip(keys, z, strict=True)}


def _glue(name: str, smiles: str, mass: float, reference: Compound, drawn: Mapping[str, float]) -> Compound:
    """The glue as it is: the reference's file with other numbers."""
    own, pk = reference.pharmacology, reference.pk
    assert pk is not None

    def changed(quantity: Quantity | None, value: float) -> Quantity:
        assert quantity is not None
        short = float(f"{value:.4g}")
        return quantity.model_copy(
            update={
                "typical": short,
                "role": "assumed",
                "evidence": (),
                "why": "SIMULATED, the truth",
                "prior": None,
            }
        )

    def times(quantity: Quantity | None, key: str) -> Quantity:
        assert quantity is not None
        return changed(quantity, quantity.typical * drawn[key])

    scales = {"clearance_l_per_h": "clearance_l_per_h", "central_l": "central_l", "peripheral_l": "central_l"}
    numbers = {field: times(getattr(pk, field), key) for field, key in scales.items() if getattr(pk, field)}
    kept = ("absorption_per_h", "intercompartment_l_per_h", "lag_h")
    numbers |= {
        field: changed(quantity, quantity.typical)
        for field in kept
        if (quantity := getattr(pk, field)) is not None
    }
    pharmacology = own.model_copy(
        update={
            "kd_nm": changed(own.kd_nm, drawn["kd_nm"]),
            "efficacy": {target: changed(own.efficacy[target], drawn[target]) for target in TARGETS},
            "fraction_unbound": times(own.fraction_unbound, "fraction_unbound"),
            "evidence": (),
        }
    )
    structure = reference.structure.model_copy(
        update={
            "smiles": smiles,
            "inchikey": "",
            "evidence": (),
            "molar_mass_g_per_mol": changed(reference.structure.molar_mass_g_per_mol, mass),
        }
    )
    disposition = pk.model_copy(
        update={**numbers, "covariance": (), "covariate": (), "residual_log_sd": None}
    )
    return reference.model_copy(
        update={"name": name, "structure": structure, "pharmacology": pharmacology, "pk": disposition}
    )


def _settings(glue: Compound, reference: Compound, seed: int) -> dict[str, tuple[str, ...]]:
    """The truths of the plates, as changes of the twins' settings."""
    errors = 10.0 ** (ASSAY_SD * streams.normals(seed, "glue twin assays", 0, 4).ravel())
    binding, loss, tnf, growing = map(float, errors)
    both = (reference, glue)
    return {
        "fp": (f"ki_nm={table({one.name: one.kd().typical * binding for one in both})}",),
        "elisa": (
            f"ic50_nm={table({one.name: _tnf(one) * tnf for one in both})}",
            "top_dose_nm=30000",
            "dilution=5",
        ),
        "blot": _blot(glue, reference, loss),
        "growth": (
            f"ec50_nm={table({one.name: _growth(one) * growing for one in both})}",
            f"doubling_time_h={table({LINE: _cells(reference)['doubling_h'].typical})}",
            'effect_on="viability"',
            "time_h=120",
            "top_dose_nm=100000",
            "dilution=5",
        ),
    }


def _blot(glue: Compound, reference: Compound, error: float) -> tuple[str, ...]:
    """Both compounds on one membrane: the loss they add is capacity times efficacy, half of it at the Kd."""
    cells = _cells(reference)

    def loss(one: Compound, target: str) -> dict[str, float]:
        rate = cells[f"{target.lower()}_kdeg_per_h"].typical
        most = rate * cells[f"{target.lower()}_rho"].typical * one.efficacy(target).typical
        return {"k_max_per_h": float(f"{most:.6g}"), "ec50_nm": float(f"{one.kd().typical * error:.6g}")}

    own = {
        target: {"k_deg_per_h": cells[f"{target.lower()}_kdeg_per_h"].typical, **loss(reference, target)}
        for target in TARGETS
    }
    beside = {glue.name: {target: loss(glue, target) for target in TARGETS}}
    return (
        f"compound={json.dumps(reference.name)}",
        f"targets={table(own)}",
        f"beside={table(beside)}",
        "doses_nm=[3, 30, 300, 3000, 30000]",
        "times_h=[1, 4]",
    )


def _cells(reference: Compound) -> Mapping[str, Quantity]:
    return grow("culture_myeloma", Scenario.of(reference, line=LINE)).quantities


def _tnf(one: Compound) -> float:
    """The relative IC50 of a twin whose plateau is 95 %, from the dose that halves TNF."""
    half = float(forward.tnf_alpha({}, Scenario.of(one))[0])
    return min(10.0**half * 0.45 / 0.5, NEVER_NM) if math.isfinite(half) else NEVER_NM


def _growth(one: Compound) -> float:
    """The relative IC50 of a twin whose cells fall to 10 % with slope 1.2, from the dose that halves them."""
    half = float(forward.proliferation({}, Scenario.of(one, line=LINE))[0])
    return min(10.0**half / 1.25 ** (1.0 / 1.2), NEVER_NM) if math.isfinite(half) else NEVER_NM


def _dose_ratio(glue: Compound, reference: Compound) -> float:
    """What keeps the unbound concentration over the constant that half of the effect needs as it is."""

    def need(one: Compound) -> float:
        assert one.pk is not None
        assert one.pk.clearance_l_per_h is not None
        assert one.pharmacology.fraction_unbound is not None
        strength = math.sqrt(math.prod(one.efficacy(target).typical for target in TARGETS))
        exposure = one.pharmacology.fraction_unbound.typical / (
            one.pk.clearance_l_per_h.typical * one.structure.molar_mass_g_per_mol.typical
        )
        return one.kd().typical / strength / exposure

    return need(glue) / need(reference)


def _rounded(dose_mg: float) -> float:
    power = 10.0 ** math.floor(math.log10(dose_mg))
    return float(f"{min(ROUND, key=lambda step: abs(math.log(dose_mg / (step * power)))) * power:.3g}")
