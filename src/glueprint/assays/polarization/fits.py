"""The curves of one plate: 4PL for the IC50, the exact model for the Ki, and all of it as table rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from glueprint import curves
from glueprint.assays.findings import Finding
from glueprint.assays.polarization import competition, conversions, model, potencies, signal, suspects
from glueprint.assays.polarization.penalised import Estimates
from glueprint.assays.polarization.plates import Brightness, Contents
from glueprint.assays.polarization.result import CURVES
from glueprint.assays.polarization.settings import Conditions
from glueprint.assays.quality import verdicts
from glueprint.curves import Potency
from glueprint.curves.evidence import lack_of_fit

__all__ = ["Fitted", "competitors"]

Floats = NDArray[np.float64]

# Both plateaus and a constant cannot be told from fewer doses.
LEAST_DOSES = 4
# A misfit that chance alone gives once in a thousand plates, and that is not too small to matter.
LACK_OF_FIT = 1e-3
LEAST_MISFIT = 0.01
DRAWN = 81


@dataclass(frozen=True)
class Fitted:
    """What the curve of one compound gave: rows of tables, its curve for the figure, potencies, findings."""

    sample: str
    fit: dict[str, object] | None
    conversions: tuple[dict[str, object], ...]
    curve: pl.DataFrame
    potencies: tuple[Potency, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Batch:
    """All curves of a plate, fitted: logistic potencies of each, and Ki with floors where it may be had."""

    dose: Floats
    response: Floats
    relative: tuple[Potency, ...]
    absolute: tuple[Potency | None, ...]
    ki: Estimates | None
    floor_nm: Floats


def competitors(
    plate: Contents, conditions: Conditions, light: Brightness, confidence: float
) -> tuple[tuple[Fitted, ...], tuple[pl.DataFrame, list[Finding]]]:
    """Fit every compound of a plate; controls take part in every fit.

    Returns one `Fitted` a compound, and the table `suspects` with its findings; too few doses, and a Ki
    without its inputs, are findings.
    """
    enough, short = {}, []
    for sample, wells in plate.compounds.items():
        doses = wells.filter(pl.col("concentration_nm") > 0.0)["concentration_nm"].n_unique()
        if doses >= LEAST_DOSES:
            enough[sample] = wells
        else:
            said = (_too_few(doses, f"{plate.where}, {sample}"),)
            short.append(Fitted(sample, None, (), pl.DataFrame(schema=CURVES), (), said))
    if not enough:
        return tuple(short), (verdicts.suspects_table([]), [])
    dose, response = _points(plate, enough)
    relative, absolute = _logistic(dose, response, _half(plate, light), confidence)
    ki, floor_nm, exact = None, np.full(len(dose), np.nan), None
    if not conditions.missing():
        points = competition.Curves(dose, response, *_stated(conditions, light, len(dose)))
        ki = competition.fit(points, confidence=confidence)
        floor_nm = 10.0 ** competition.floor(points, ki)
        exact = (points, ki)
    batch = _Batch(dose, response, relative, absolute, ki, floor_nm)
    fitted = [_compound(plate, sample, (batch, i), conditions, light) for i, sample in enumerate(enough)]
    return (*fitted, *short), suspects.suspects(plate, enough, (dose, response), exact)


def _compound(
    plate: Contents, sample: str, place: tuple[_Batch, int], conditions: Conditions, light: Brightness
) -> Fitted:
    """One compound of the batch as rows, potencies and findings."""
    batch, i = place
    where = f"{plate.where}, {sample}"
    row: dict[str, object] = {"plate": plate.plate, "sample": sample}
    row |= _counted(batch.dose[i], batch.response[i])
    row |= _potency_columns("ic50_relative", batch.relative[i])
    row |= _potency_columns("ic50_absolute", batch.absolute[i])
    ic50 = tuple(found for found in (batch.relative[i], batch.absolute[i]) if found is not None)
    if batch.ki is None:
        refusal = potencies.refused(conditions)
        row["status"] = "no Ki"
        return Fitted(sample, row, (), pl.DataFrame(schema=CURVES), (refusal, *ic50), ())
    ki = potencies.constant("Ki", batch.ki, i)
    row |= _ki_columns(batch.ki, i, ki, light)
    missed = _lack_of_fit(batch.dose[i], batch.response[i], batch.ki, i)
    row |= {"ki_floor_nm": float(batch.floor_nm[i]), "lack_of_fit_p": missed[0]}
    row["status"] = "no Ki" if ki.relation == "none" else "limit" if ki.relation != "=" else "fine"
    read = _conversions(row, conditions)
    findings = [
        *potencies.of_ki(ki, ic50, where),
        *potencies.fitted_inputs(_shifts(batch.ki, i, conditions), where),
        *_misfit(missed, where),
    ]
    drawn = _drawn(row, batch.dose[i], batch.ki, i)
    return Fitted(sample, row, tuple(read), drawn, (ki, *ic50), tuple(findings))


def _points(plate: Contents, compounds: dict[str, pl.DataFrame]) -> tuple[Floats, Floats]:
    """Doses and anisotropies (n, m) of all compounds, each after the controls; NaN fills the shorter ones."""
    free, top = plate.free["anisotropy"].to_numpy(), plate.top["anisotropy"].to_numpy()
    controls = np.concatenate([np.full(free.size, np.inf), np.zeros(top.size)])
    longest = max(wells.height for wells in compounds.values())
    dose = np.full((len(compounds), controls.size + longest), np.nan)
    response = dose.copy()
    dose[:, : controls.size], response[:, : controls.size] = controls, np.concatenate([free, top])
    for i, wells in enumerate(compounds.values()):
        end = controls.size + wells.height
        dose[i, controls.size : end] = wells["concentration_nm"].to_numpy()
        response[i, controls.size : end] = wells["anisotropy"].to_numpy()
    # A missing point needs some dose; its response is what says that it is missing.
    return np.where(np.isnan(dose), 0.0, dose), response


def _half(plate: Contents, light: Brightness) -> float | None:
    """The anisotropy at which half of the tracer is displaced, from the controls; None without them
    or where they coincide."""
    free, top = plate.free["anisotropy"].to_numpy(), plate.top["anisotropy"].to_numpy()
    if free.size == 0 or top.size == 0:
        return None
    ends = np.asarray(free.mean()), np.asarray(top.mean())
    if ends[0] == ends[1]:
        return None
    return float(model.mixed(*ends, np.asarray(0.5), np.asarray(light.ratio))[0])


def _logistic(
    dose: Floats, response: Floats, level: float | None, confidence: float
) -> tuple[tuple[Potency, ...], tuple[Potency | None, ...]]:
    """Relative and absolute IC50 of every curve by a free four-parameter logistic on the anisotropy."""
    finite = np.isfinite(dose)
    dosed, seen = np.where(finite, dose, 0.0), np.where(finite, response, np.nan)
    fits = curves.fit("4pl", dosed, seen, confidence=confidence)
    relative = curves.relative(fits, "IC50")
    if level is None:
        return relative, (None,) * len(relative)
    top = float(np.nanmean(np.where(dose == 0.0, response, np.nan)))
    return relative, curves.absolute(fits, level, "IC50", control=top)


def _stated(conditions: Conditions, light: Brightness, n: int) -> tuple[Floats, Floats]:
    """Logarithms of the stated numbers and their standard deviations, (n, 4) each."""
    amounts = [conditions.protein, conditions.tracer_kd, conditions.tracer]
    known = [amount for amount in amounts if amount is not None]
    means = [math.log(amount.value_nm) for amount in known] + [math.log(light.ratio)]
    widths = [amount.log_sd for amount in known] + [light.log_sd]
    return np.tile(means, (n, 1)), np.tile(widths, (n, 1))


def _counted(dose: Floats, response: Floats) -> dict[str, object]:
    used = np.isfinite(response)
    tested = dose[used & (dose > 0.0) & np.isfinite(dose)]
    return {"doses": int(np.unique(tested).size), "points": int(used.sum())}


def _potency_columns(stem: str, found: Potency | None) -> dict[str, object]:
    if found is None:
        return {}
    return {
        f"{stem}_relation": found.relation, f"{stem}_nm": found.value_nm,
        f"{stem}_low_nm": found.low_nm, f"{stem}_high_nm": found.high_nm,
    }  # fmt: skip


def _ki_columns(ki: Estimates, i: int, found: Potency, light: Brightness) -> dict[str, object]:
    theta, got = ki.theta[i], potencies.interval(ki, i)
    shares = ("wells", "protein", "tracer_kd", "tracer", "brightness")
    return {
        "ki_relation": found.relation, "ki_nm": got.best_nm,
        "ki_low_nm": got.low_nm, "ki_high_nm": got.high_nm,
        "log10_ki_se": math.sqrt(float(ki.covariance[i, model.LOG10_KI, model.LOG10_KI])),
        "free_anisotropy": float(theta[model.FREE]), "top_anisotropy": float(theta[model.TOP]),
        "noise_anisotropy": float(ki.noise_sd[i]), "dof": float(ki.dof[i]),
        "protein_fitted_nm": math.exp(theta[model.LN_PROTEIN]),
        "tracer_kd_fitted_nm": math.exp(theta[model.LN_TRACER_KD]), "brightness_ratio": light.q,
        **{f"share_{name}": float(share) for name, share in zip(shares, ki.budget[i], strict=True)},
    }  # fmt: skip


def _conversions(row: dict[str, object], conditions: Conditions) -> list[dict[str, object]]:
    """The Ki of other formulas from the exact IC50 of the fitted curve, and how far each is off."""
    amounts = (conditions.protein, conditions.tracer, conditions.tracer_kd)
    protein, tracer, tracer_kd = (amount.value_nm for amount in amounts if amount is not None)
    plate = conversions.at_half(protein, tracer, tracer_kd)
    ki = float(str(row["ki_nm"]))
    ic50 = conversions.exact_ic50(ki, plate)
    row["ic50_exact_nm"] = ic50
    free = ic50 - plate.competitor_bound
    read = {
        "exact": ki,
        "Cheng-Prusoff": conversions.cheng_prusoff(ic50, tracer, tracer_kd),
        "Nikolovska-Coleska, free competitor": conversions.nikolovska_coleska(free, plate, tracer_kd),
        "Nikolovska-Coleska, total competitor": conversions.nikolovska_coleska(ic50, plate, tracer_kd),
    }
    common = {"plate": row["plate"], "sample": row["sample"], "ic50_nm": ic50}
    return [{**common, "method": name, "ki_nm": value, "factor": value / ki} for name, value in read.items()]


def _shifts(ki: Estimates, i: int, conditions: Conditions) -> dict[str, tuple[float, float]]:
    """Fitted protein and tracer Kd, nM, and how far they moved in standard deviations of their statement."""
    found = {}
    for name, place, amount in (
        ("protein", model.LN_PROTEIN, conditions.protein),
        ("tracer Kd", model.LN_TRACER_KD, conditions.tracer_kd),
    ):  # fmt: skip
        if amount is not None and amount.log_sd > 0.0:
            moved = float(ki.theta[i, place]) - math.log(amount.value_nm)
            found[name] = (math.exp(float(ki.theta[i, place])), moved / amount.log_sd)
    return found


def _lack_of_fit(dose: Floats, response: Floats, ki: Estimates, i: int) -> tuple[float | None, float]:
    """p of the F test of the model against free means at every dose, None without replicates; and the size of
    the misses as a share of the window.
    """
    used = np.isfinite(response)
    values = response[used]
    found = lack_of_fit(dose[used], values, float(ki.rss[i]), float(ki.dof[i]), np.ones_like(values))
    if math.isnan(found.p):
        return None, 0.0
    window = abs(float(ki.theta[i, model.TOP] - ki.theta[i, model.FREE]))
    return found.p, math.sqrt(found.missed / values.size) / window


def _misfit(found: tuple[float | None, float], where: str) -> list[Finding]:
    p, size = found
    if p is None or p >= LACK_OF_FIT or size < LEAST_MISFIT:
        return []
    return [
        Finding(
            "GP-A077", "warning",
            f"simple competition misses the means of replicates by {100.0 * size:.0f} % of the window "
            f"(p = {p:.1g})",
            where=where, expected="misses no larger than the scatter of replicates",
            next_step="look for precipitation at high doses, fluorescence, or a fall that is not complete",
        )
    ]  # fmt: skip


def _too_few(doses: int, where: str) -> Finding:
    return Finding(
        "GP-A076", "refusal", f"{doses} doses are too few for a curve", where=where,
        expected=f"at least {LEAST_DOSES} doses above zero", next_step="measure more doses",
    )  # fmt: skip


def _drawn(row: dict[str, object], dose: Floats, ki: Estimates, i: int) -> pl.DataFrame:
    """The fitted curve with its band, for the figure: from half a decade below to above the doses."""
    tested = dose[(dose > 0.0) & np.isfinite(dose)]
    grid = 10.0 ** np.linspace(np.log10(tested.min()) - 0.5, np.log10(tested.max()) + 0.5, DRAWN)
    fitted, slopes = model.anisotropy(ki.theta[i : i + 1], grid[None])
    variance = np.einsum("mi,ij,mj->m", slopes[0], ki.covariance[i], slopes[0])
    reach = student.ppf(0.5 + 0.5 * ki.confidence, ki.t_dof[i]) * np.sqrt(np.maximum(variance, 0.0))
    return pl.DataFrame(
        {
            "plate": [row["plate"]] * DRAWN, "sample": [row["sample"]] * DRAWN, "dose_nm": grid,
            "anisotropy": fitted[0], "low": fitted[0] - reach, "high": fitted[0] + reach,
            "polarization_mp": signal.mp_from_anisotropy(fitted[0]),
        }
    )  # fmt: skip
