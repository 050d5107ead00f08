"""Facts of the evidence with their computations: what was kept out of the parameters, and what was not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from glueprint.experiments import forward
from glueprint.experiments.cultures import grow
from glueprint.experiments.fact import Fact, Found
from glueprint.mechanism import Scenario

__all__ = ["FACTS"]

# A published concentration without an interval is met within this.
WITHIN_LOG10 = 0.3
# A change of a fifth shows on a blot.
SEEN = 0.8
NONE: Mapping[str, float] = {}


def _whole_blood() -> Found:
    blood = float(10.0 ** forward.tnf_alpha(NONE, system="whole blood")[0])
    shift, off = blood / float(10.0 ** forward.tnf_alpha(NONE)[0]), abs(np.log10(blood / 25.0))
    said = f"{blood:.1f} nM, {off:.2f} log10 off; {shift:.2f} times as much"
    return Found(said, bool(off <= WITHIN_LOG10 and shift > 1.0))


def _irf4_by_8_h() -> Found:
    left = [_of_vehicle("irf4", dose, 8.0, "lenalidomide") for dose in (1000.0, 10000.0)]
    said = f"IRF4 at 8 h: {left[0]:.2f} of vehicle at 1 uM, {left[1]:.2f} at 10 uM lenalidomide"
    return Found(said, max(left) < SEEN)


def _myc_with_irf4() -> Found:
    early = _of_vehicle("myc", 1000.0, 1.0, "lenalidomide")
    later = _of_vehicle("myc", 1000.0, 8.0, "lenalidomide")
    said = f"MYC {early:.2f} of vehicle at 1 h and {later:.2f} at 8 h, 1 uM lenalidomide"
    return Found(said, early > 0.95 and later < SEEN)


def _arrest_first() -> Found:
    growing, dying = _rates(12.0)
    later = _rates(72.0)[1]
    said = f"at 12 h growth {growing:.2f} of untreated, death {dying:.4f} per h; on day 3 {later:.4f} per h"
    return Found(said, growing < SEEN and dying < 0.5 * later)


def _dead_by_day_5() -> Found:
    cells = grow("culture_myeloma", Scenario.of("lenalidomide", line="MM1S"))
    logs = cells.over([10000.0], [48.0, 72.0, 120.0], ["log_cells"])[0, :, 0]
    left = float(np.exp(logs[2]))
    said = f"cells on day 5: {left:.2f} of those seeded, at 10 uM lenalidomide"
    return Found(said, left < 1.0 and bool(logs[2] < logs[1]))


def _lenalidomide_weaker() -> Found:
    dc50 = [
        float(10.0 ** forward.degradation(NONE, Scenario.of(c), time_h=4.0)[0])
        for c in ("pomalidomide", "lenalidomide")
    ]
    left = [_of_vehicle("ikzf1", 1000.0, 1.0, c) for c in ("pomalidomide", "lenalidomide")]
    said = (
        f"IKZF1 at 1 h, 1 uM: {left[0]:.2f} and {left[1]:.2f}; DC50 at 4 h {dc50[0]:.0f} and {dc50[1]:.0f} nM"
    )
    return Found(said, left[0] < left[1] and dc50[0] < dc50[1])


def _iberdomide_faster() -> Found:
    left = [
        _of_vehicle("ikzf1", dose, 0.5, c) for c, dose in (("iberdomide", 100.0), ("pomalidomide", 1000.0))
    ]
    said = f"IKZF1 left at 0.5 h: {left[0]:.3f} at 0.1 uM iberdomide, {left[1]:.3f} at 1 uM pomalidomide"
    return Found(said, left[0] < 0.99 * left[1])


def _low_cereblon() -> Found:
    # 54 nM free: the average at 4 mg daily, docs/mechanism.md; a quarter with least cereblon as half of it.
    levels = np.array([1.0, 0.5, 0.25])
    left = forward.effect("culture_myeloma", "cells", {"crbn_level": levels}, dose_nm=54.0, time_h=168.0)
    said = "cells after a week at 54 nM, of vehicle: " + ", ".join(
        f"{x:.2f} at {100 * level:g} %" for x, level in zip(left, levels, strict=True)
    )
    return Found(said + " cereblon", bool(np.all(np.diff(left) > 0.0) and left[-1] - left[0] > 0.1))


def _no_cereblon() -> Found:
    ic50 = forward.proliferation({"crbn_level": 0.0}, Scenario.of("lenalidomide", line="H929"))
    return Found(
        "no inhibition at any dose" if np.isposinf(ic50[0]) else "inhibited", bool(np.isposinf(ic50[0]))
    )


def _rapid_in_t_cells() -> Found:
    left = float(forward.effect("culture_t_cell", "ikzf1", NONE, dose_nm=54.0, time_h=4.0)[0])
    return Found(f"IKZF1 in T cells at 54 nM free: {left:.2f} of untreated after 4 h", left < 0.5)


def _racemisation() -> Found:
    cells = grow("culture_myeloma", Scenario.of("(S)-pomalidomide", line="MM1S", medium="blood"))
    s, r = cells.over([100.0], [0.0, 0.5], ["drug_s_nm", "drug_r_nm"])[0].T
    excess = (s - r) / (s + r)
    half_life = float(0.5 * np.log(2.0) / np.log(excess[0] / excess[1]))
    return Found(f"{half_life:.2f} h in blood", abs(np.log10(half_life)) <= WITHIN_LOG10)


def _stabilised_ratio() -> Found:
    still = {"inversion_s_to_r_per_h": 0.0, "inversion_r_to_s_per_h": 0.0}
    ratio = float(10.0 ** np.diff([forward.tnf_alpha({**still, "fraction_s": f})[0] for f in (1.0, 0.0)])[0])
    return Found(f"{ratio:.1f} fold on TNF-alpha", 1.0 < ratio <= 20.0)


def _lenalidomide_tnf() -> Found:
    ic50 = float(10.0 ** forward.tnf_alpha(NONE, Scenario.of("lenalidomide"))[0])
    off = abs(np.log10(ic50 / 13.0))
    return Found(f"{ic50:.0f} nM, {off:.2f} log10 off", bool(off <= WITHIN_LOG10))


def _mrna_alone() -> Found:
    left = float(
        forward.effect("culture_monocyte", "tnf", {"tnf_transcription_max": 0.0}, dose_nm=1e6, time_h=24.0)[0]
    )
    return Found(f"{100 * (1 - left):.0f} % less TNF-alpha", abs(1 - left - 0.43) < 0.05)


def _aiolos_by_5_h() -> Found:
    left = float(
        forward.effect(
            "culture_t_cell", "ikzf3", NONE, dose_nm=1000.0, time_h=5.0, scenario=Scenario.of("avadomide")
        )[0]
    )
    return Found(f"IKZF3 in T cells: {left:.2f} of untreated at 5 h", left < 0.5)


def _il2_from_6_h() -> Found:
    fold = [
        float(forward.effect("culture_t_cell", "il2", NONE, dose_nm=1000.0, time_h=t)[0]) for t in (1.0, 6.0)
    ]
    return Found(f"IL-2 {fold[0]:.2f} fold at 1 h, {fold[1]:.2f} fold at 6 h", fold[1] > 1.2)


def _dexamethasone() -> Found:
    lysis = [_lysis(dex) for dex in (0.0, 1.0)]
    said = f"lysis {lysis[0]:.1f} % alone, {lysis[1]:.1f} % with dexamethasone (38.5 % untreated)"
    return Found(said, lysis[0] > 45.0 and abs(lysis[1] - 38.5) < 0.5)


def _below_baseline() -> Found:
    return Found(f"{_lysis(1.0):.1f} % against 38.5 % untreated", _lysis(1.0) < 0.75 * 38.5)


def _partial_tnf() -> Found:
    most = 1.0 - float(forward.effect("culture_monocyte", "tnf", NONE, dose_nm=1e6, time_h=24.0)[0])
    return Found(f"pomalidomide takes {100 * most:.0f} % at most; thalidomide itself lacks a Kd", most < 1.0)


def _q146h() -> Found:
    left = float(
        forward.effect("culture_myeloma", "ikzf1", {"ikzf1_binds": 0.0}, dose_nm=1000.0, time_h=24.0)[0]
    )
    return Found(f"{left:.2f} of vehicle", left > 0.99)


def _competition() -> Found:
    left, cells = [], grow("culture_myeloma", Scenario.of(form="kinetic"))
    for fold in (1.0, 30.0):
        values = {"ikzf3_abundance_nm": fold * cells.typical("ikzf3_abundance_nm")}
        none, some = cells.at([0.0, 100.0], 4.0, ["ikzf1"], values)["ikzf1"]
        left.append(float(some / none))
    return Found(
        f"IKZF1 left at 100 nM: {left[0]:.2f}, with 30-fold IKZF3 {left[1]:.2f}", left[1] > 1.1 * left[0]
    )


def _of_vehicle(output: str, dose_nm: float, time_h: float, compound: str) -> float:
    found = forward.effect(
        "culture_myeloma", output, NONE, dose_nm=dose_nm, time_h=time_h, scenario=Scenario.of(compound)
    )
    return float(found[0])


def _rates(time_h: float) -> tuple[float, float]:
    """Growth of untreated and death per hour of MM1S under 10 uM lenalidomide."""
    cells = grow("culture_myeloma", Scenario.of("lenalidomide", line="MM1S"))
    found = cells.at([10000.0], time_h, ["irf4", "myc", "dying_4"])
    return float(found["irf4"][0] * found["myc"][0]), float(
        cells.typical("death_per_h") * found["dying_4"][0]
    )


def _lysis(dex: float) -> float:
    cells = grow("culture_nk", Scenario.of("lenalidomide"))
    return 100.0 * float(cells.at([10000.0], 72.0, ["nk_lysis"], {"dex_effect": dex})["nk_lysis"][0])


MYELOMA, T_CELL = ("culture_myeloma", "pomalidomide", "MM1S"), ("culture_t_cell", "pomalidomide", None)
MYELOMA_LEN, NK_LEN = ("culture_myeloma", "lenalidomide", "MM1S"), ("culture_nk", "lenalidomide", None)
MONOCYTE = ("culture_monocyte", "pomalidomide", None)
FACTS: tuple[Fact, ...] = (
    Fact(
        ("IMM-002", "G2-tnf-blood", "DRV-004"),
        "TNF-alpha in whole blood: IC50 25 nM, 1.92 times that of PBMC",
        _whole_blood,
        (MONOCYTE,),
    ),
    Fact(("DWN-004",), "lenalidomide: IRF4 has fallen by 8 h", _irf4_by_8_h, (MYELOMA_LEN,)),
    Fact(("DWN-004",), "MYC has fallen with it by 8 h", _myc_with_irf4, (MYELOMA_LEN,)),
    Fact(("DWN-004",), "the cells stop growing before they die", _arrest_first, (MYELOMA_LEN,)),
    Fact(
        ("DEG-005",),
        "pomalidomide degrades IKZF1 faster than lenalidomide (note of the row)",
        _lenalidomide_weaker,
        (MYELOMA, MYELOMA_LEN),
    ),
    Fact(
        ("ABU-009", "ABU-010"),
        "less cereblon, less response (months without progression: 3.0 against 8.9; the direction)",
        _low_cereblon,
        (MYELOMA,),
    ),
    Fact(("IMM-039",), "Ikaros is lost rapidly in T cells of patients", _rapid_in_t_cells, (T_CELL,)),
    Fact(
        ("DEG-005",),
        "0.1 uM iberdomide degrades faster than 1 uM pomalidomide",
        _iberdomide_faster,
        (MYELOMA, ("culture_myeloma", "iberdomide", "MM1S")),
    ),
    Fact(
        ("IMM-003",),
        "TNF-alpha, lenalidomide: IC50 13 nM (the evidence calls it suspect)",
        _lenalidomide_tnf,
        (("culture_monocyte", "lenalidomide", None),),
    ),
    Fact(
        ("IMM-026",),
        "NK killing on therapy with dexamethasone lies below that before (27.6 against 48.9 %)",
        _below_baseline,
        (NK_LEN,),
    ),
    Fact(("IMM-022",), "dexamethasone abolishes the activation of NK cells", _dexamethasone, (NK_LEN,)),
    Fact(("DWN-005",), "lenalidomide: cells are dead by day 5", _dead_by_day_5, (MYELOMA_LEN,)),
    Fact(
        ("DEG-003",),
        "avadomide: Aiolos is lost within 5 h",
        _aiolos_by_5_h,
        (("culture_t_cell", "avadomide", None),),
    ),
    Fact(("IMM-018",), "IL-2 rises from 6 h", _il2_from_6_h, (T_CELL,)),
    Fact(("IMM-005",), "TNF-alpha is never lost altogether (thalidomide)", _partial_tnf, (MONOCYTE,)),
    Fact(("DEG-013",), "the shorter life of TNF mRNA alone takes 43 %", _mrna_alone, (MONOCYTE,)),
    Fact(
        ("DWN-007",),
        "H929 that lost cereblon is not inhibited by lenalidomide",
        _no_cereblon,
        (("culture_myeloma", "lenalidomide", "H929"),),
    ),
    Fact(("TER-012",), "IKZF1 Q146H is not degraded", _q146h, (MYELOMA,), "a switch of the model"),
    Fact(
        ("DEG-015",),
        "over-expression of one substrate spares another",
        _competition,
        (MYELOMA,),
        "the substrates share one pool of cereblon in the equations",
    ),
    Fact(
        ("CHE-011",),
        "racemisation of thalidomide in serum: half-life 1 h",
        _racemisation,
        (("culture_myeloma", "(S)-pomalidomide", "MM1S"),),
        "arithmetic on the inversion constants of blood (CHE-012, CHE-013), which are inputs",
    ),
    Fact(
        ("BIN-008",),
        "stabilised enantiomers differ up to 20-fold in anti-inflammatory potency",
        _stabilised_ratio,
        (MONOCYTE,),
        "far below saturation the ratio of potencies is the ratio of Kd that was put in (BIN-006)",
    ),
)
