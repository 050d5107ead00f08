"""Published summaries of trial arms that parameters may be set with."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from glueprint.calibration.claim import ClaimLike, ClaimsLike
from glueprint.calibration.in_vitro import Excluded

# Trials whose summaries may be calibrated to; every other trial is kept for prediction.
TRIALS = {"mm002": ("POM+LoDEX", "POM"), "mm003": ("POM+LoDEX", "HiDEX")}
# How the claims write the arms, in the order they are tried.
ARMS = {
    "HiDEX": r"HiDEX|high-dose dex",
    "POM+LoDEX": r"POM\s?\+\s?LoDEX|pom(alidomide)?( plus|\s?\+| and)? (low-dose )?dex|pom-?dex",
    "POM": r"\bPOM(alidomide)? alone",
}
# What a claim's quantity says -> endpoint of the trial's table, and how its sampling error is reckoned.
ENDPOINTS = (
    (r"\bORR\b|overall response rate", "orr", "rate"),
    (r"PFS (hazard ratio|HR)", "hr_pfs", "hazard ratio"),
    (r"OS (hazard ratio|HR)", "hr_os", "hazard ratio"),
    (r"median PFS", "median_pfs", "median"),
    (r"median OS", "median_os", "median"),
    (r"median (response duration|DoR\b|duration of response)", "median_dor", "median"),
    (r"grade 3[-/]4 neutropenia", "neutropenia_grade_3_4", "rate"),
    (r"grade 3[-/]4 anaemia", "anaemia_grade_3_4", "rate"),
    (r"grade 3[-/]4 thrombocytopenia", "thrombocytopenia_grade_3_4", "rate"),
    (r"grade 3[-/]4 pneumonia", "pneumonia_grade_3_4", "rate"),
    (r">=1 dose interruption", "dose_interruption", "rate"),
    (r">=1 dose reduction", "dose_reduction", "rate"),
    (r"discontinued POM for adverse", "stopped_for_toxicity", "rate"),
)
SUBGROUP = re.compile(
    r"del\(17p\)|t\(4;14\)|standard risk|cycle-?\s?\d|CrCl|refractory|resistant|adjusted|phase 1|gain", re.I
)


@dataclass(frozen=True)
class Target:
    """One published summary: what it is of, its value and the size of the trial it was seen in.

    value, low, high: per cent for rates, months for medians, ratios for hazards; None where not printed.
    n: patients behind it.   kind: "rate", "median" or "hazard ratio".
    """

    claim_id: str
    trial: str
    arm: str
    endpoint: str
    kind: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Targets:
    """Targets in the order of the claims, and the calibration claims that are none, each with the reason."""

    targets: tuple[Target, ...]
    excluded: tuple[Excluded, ...]


def clinical_targets(claims: ClaimsLike) -> Targets:
    """The calibration targets among the claims: arms of MM-002 and MM-003.

    claims: evidence, e.g. evidence.load(); only those of role "calibration" are looked at.
    Returns Targets; each calibration claim is a target or is listed with the reason why not.
    Source: docs/calibration.md.
    """
    targets: list[Target] = []
    excluded: list[Excluded] = []
    for claim in claims:
        if claim.role != "calibration":
            continue
        found = _read(claim)
        if isinstance(found, Target):
            targets.append(found)
        else:
            excluded.append(Excluded(claim.id, found))
    return Targets(tuple(targets), tuple(excluded))


def _read(claim: ClaimLike) -> Target | str:
    """The target a claim is, or why it is none."""
    text = " ".join((claim.quantity, claim.system, claim.conditions))
    trial = re.search(r"MM-?00([23])\b", text)
    if trial is None:
        return "names no trial that may be calibrated to"
    name = f"mm00{trial[1]}"
    if claim.value is None or not math.isfinite(claim.value):
        return "has no single value"
    if SUBGROUP.search(claim.quantity):
        return "a subgroup or an adjusted analysis; the endpoints are of whole arms"
    matches = [entry for entry in ENDPOINTS if re.search(entry[0], claim.quantity, re.I)]
    if not matches:
        return "no endpoint of the virtual trials"
    _, endpoint, kind = matches[0]
    arm = " vs ".join(TRIALS[name]) if kind == "hazard ratio" else _arm(claim, name)
    if arm is None:
        return "names no arm"
    if claim.n is None:
        return "does not say how many patients it is of"
    return Target(claim.id, name, arm, endpoint, kind, claim.value, claim.low, claim.high, claim.n)


def _arm(claim: ClaimLike, trial: str) -> str | None:
    """The arm named in the quantity, or else in the system or the conditions."""
    for text in (claim.quantity, claim.system, claim.conditions):
        if re.search(r"HiDEX|high-dose dex", text, re.I):
            return "HiDEX" if trial == "mm003" else None
        if re.search(
            r"POM\s?\+\s?LoDEX|pom(alidomide)?( plus|\s?\+| and)? (low-dose )?dex|pom-?dex", text, re.I
        ):
            return "POM+LoDEX"
        if re.search(r"\bPOM(alidomide)? alone", text, re.I):
            return "POM" if trial == "mm002" else None
    return None
