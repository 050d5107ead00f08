"""What the designer of a trial asks: fields of a form to the tables of a protocol.

The tables are those of the file; what the form does not ask for stays as it is. A number that was changed
loses the source that it had and says who chose it instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from glueprint.web.refusals import refused
from glueprint.web.requests import Form

__all__ = [
    "CLOCKS",
    "MIX_KINDS",
    "MIX_NUMBERS",
    "MOST_PAIRS",
    "MOST_STRATA",
    "VISITS",
    "asked",
    "changed",
    "days_text",
]

VISITS = (
    ("weekly_for_weeks", "Weekly, for weeks"),
    ("then_every_days", "then every, days"),
    ("assessment_every_days", "M-protein every, days"),
    ("window_days", "Window, days"),
    ("confirmation_after_days", "Confirmation after, days"),
)
FOLLOW_UP = ("minimum_months", "median_months", "maximum_months")
CLOCKS = {
    "months": "calendar months",
    "last_patient_months": "months after the last patient came",
    "events": "events",
}
# Kinds of a distribution of numbers in words; levels stay levels, as their covariates are no numbers.
MIX_KINDS = {"normal": "normal", "lognormal": "log-normal", "count": "whole numbers, log-normal"}
MIX_NUMBERS = ("mean", "median", "sd", "log_sd", "low", "high")
MOST_ARMS, MOST_DRUGS, MOST_CUTS, MOST_STRATA, MOST_PAIRS = 8, 8, 6, 6, 30
USUAL_DOSE = {"dose_mg": 4, "days": "1-21"}
CHOSEN = "chosen in the designer"


def asked(value: Any) -> str:
    """How a field shows a value, so that a field left alone gives the same value back."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) if isinstance(value, int | str) else ""


def days_text(days: Sequence[int]) -> str:
    """Days of a cycle as a protocol writes them, "1-21" or "1,8,15,22"."""
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def changed(
    data: Mapping[str, Any], form: Form, offered: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """The tables with what the form says.

    offered: covariates that can be added, with their tables.
    Raises RefusedError GP-B023 for text that is no number.
    """
    new = deepcopy(dict(data))
    more = form.text("mix-add")
    if more and more in (offered or {}) and isinstance(new.get("case_mix"), dict):
        new["case_mix"].setdefault(more, deepcopy(dict((offered or {})[more])))
    new["title"] = form.text("title") or data.get("title", "")
    new["cycle_days"] = _whole(form, "cycle_days", data.get("cycle_days", 28))
    new["arms"] = _arms(form, data.get("arms", []))
    new["randomisation"] = _randomisation(form, data.get("randomisation", {}))
    new["visits"] = dict(data.get("visits", {}))
    for name, _ in VISITS:
        if name in new["visits"] or form.text(name):
            new["visits"][name] = _whole(form, name, new["visits"].get(name, 0))
    _set_calendar(new, form)
    _set_case_mix(new, form)
    _set_eligibility(new, form)
    _rearranged(new, form.text("do"))
    return new


def _arms(form: Form, old: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for place in range(MOST_ARMS):
        if f"arm-{place}-name" not in form.fields:
            break
        before = old[place] if place < len(old) else {}
        arm = {**before, "name": form.text(f"arm-{place}-name")}
        arm["patients"] = _whole(form, f"arm-{place}-patients", before.get("patients", 50))
        arm["drugs"] = _drugs(form, place, before.get("drugs", []))
        if any(arm[name] != before.get(name) for name in ("patients", "drugs")):
            arm.pop("sources", None)
        found.append(arm)
    return found


def _drugs(form: Form, arm: int, old: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for place in range(MOST_DRUGS):
        name = f"arm-{arm}-drug-{place}"
        if f"{name}-compound" not in form.fields:
            break
        before = old[place] if place < len(old) else {}
        drug = {**before, "compound": form.text(f"{name}-compound"), "days": form.text(f"{name}-days")}
        drug["dose_mg"] = _number(form, f"{name}-dose", before.get("dose_mg", 0.0))
        rules = form.text(f"{name}-rules")
        drug.pop("rules", None)
        found.append({**drug, "rules": rules} if rules else drug)
    return found


def _randomisation(form: Form, old: Mapping[str, Any]) -> dict[str, Any]:
    ratio = form.text("ratio")
    try:
        parts = [int(part) for part in re.split(r"[,:]", ratio)]
    except ValueError:
        raise _no_number(ratio, "ratio", "whole numbers such as 1,1 or 2,1") from None
    blocks = _whole(form, "blocks_of", old.get("blocks_of", sum(parts)))
    return {**old, "ratio": parts, "blocks_of": blocks, **_strata(form, old.get("strata", []))}


def _strata(form: Form, old: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What patients are stratified by; nothing said of it where the form does not ask."""
    if "stratum-0-covariate" not in form.fields:
        return {"strata": list(old)} if old else {}
    found = []
    for place in range(MOST_STRATA):
        if name := form.text(f"stratum-{place}-covariate"):
            field = f"stratum-{place}-cuts"
            cuts = [
                _plain(form.text(field), part, field) for part in form.text(field).split(",") if part.strip()
            ]
            before = next((one for one in old if one["covariate"] == name), {"covariate": name})
            rest = {key: value for key, value in before.items() if key != "cuts"}
            found.append({**rest, "cuts": cuts} if cuts else rest)
    return {"strata": found} if found or old else {}


def _plain(text: str, part: str, where: str) -> float | int:
    """One of several numbers in a field, whole ones as they are written."""
    try:
        value = float(part)
        if not math.isfinite(value):
            raise ValueError
    except ValueError:
        raise _no_number(text, where, "numbers such as 65 or 65, 75") from None
    return int(value) if value == int(value) and "." not in part else value


def _set_calendar(new: dict[str, Any], form: Form) -> None:
    """Follow-up as three times, or patients as they come and data cuts, which exclude each other."""
    if form.text("clock") != "calendar":
        for name in ("accrual", "data_cuts", "monitoring"):
            new.pop(name, None)
        before = new.get("follow_up", {})
        months = {name: _number(form, name, before.get(name, 12.0)) for name in FOLLOW_UP}
        new["follow_up"] = _with_origin(before, months)
        return
    new.pop("follow_up", None)
    before = new.get("accrual", {})
    new["accrual"] = _with_origin(
        {name: value for name, value in before.items() if name != "months"},
        {"per_month": _rate(form, before.get("per_month"))},
    )
    new["data_cuts"] = _cuts(form)
    events = form.text("monitor_events")
    if not events:
        new.pop("monitoring", None)
        return
    kept = {name: value for name, value in new.get("monitoring", {}).items() if name != "futility"}
    new["monitoring"] = {
        **kept,
        "endpoint": form.text("monitor_endpoint", "pfs") or "pfs",
        "events": _whole(form, "monitor_events", 0),
        "alpha": _number(form, "alpha", 0.025),
        "spending": form.text("spending") or "obrien-fleming",
        **({"futility": form.text("futility")} if form.text("futility") else {}),
    }


def _rate(form: Form, before: Any) -> Any:
    """Patients a month: a number, or months and rates as in "0:5, 6:20"."""
    text = form.text("per_month")
    if ":" not in text:
        return _number(form, "per_month", before if isinstance(before, int | float) else 20.0)
    try:
        return [[float(value) for value in pair.split(":")] for pair in text.split(",")]
    except ValueError:
        raise _no_number(text, "per_month", "20, or months and rates such as 0:5, 6:20") from None


def _cuts(form: Form) -> list[dict[str, Any]]:
    found = []
    for place in range(MOST_CUTS):
        name, clock = form.text(f"cut-{place}-name"), form.text(f"cut-{place}-clock")
        if not name:
            continue
        cut: dict[str, Any] = {"name": name}
        if clock == "events":
            cut["events"] = _whole(form, f"cut-{place}-value", 0)
            cut["endpoint"] = form.text(f"cut-{place}-endpoint") or "pfs"
            cut["at_most_months"] = _number(form, f"cut-{place}-most", 0.0)
        else:
            cut[clock if clock in CLOCKS else "months"] = _number(form, f"cut-{place}-value", 0.0)
        found.append(cut)
    return found


def _set_case_mix(new: dict[str, Any], form: Form) -> None:
    mix = new.get("case_mix", {})
    for name, one in mix.items():
        if not isinstance(one, dict):
            continue
        if one.get("kind") == "levels":
            shares = {
                level: _number(form, f"mix-{name}-{level}", share) for level, share in one["shares"].items()
            }
            mix[name] = _with_origin(one, {"shares": shares}, form)
        else:
            numbers = {
                field: _number(form, f"mix-{name}-{field}", one[field])
                for field in MIX_NUMBERS
                if field in one
            }
            mix[name] = _of_kind(_with_origin(one, numbers, form), form.text(f"mix-{name}-kind"), name, form)
    for name in form.every("mix-drop"):
        mix.pop(name, None)
    _set_correlations(mix, form)


def _of_kind(one: dict[str, Any], kind: str, name: str, form: Form) -> dict[str, Any]:
    """A distribution as another kind; before its limits it keeps mean and standard deviation, to four digits.

    Raises RefusedError GP-B023 for a kind that is none, and for numbers that the new kind cannot have.
    """
    if not kind or kind == one.get("kind"):
        return one
    where = f"mix-{name}-kind"
    if kind not in MIX_KINDS:
        raise _no_number(kind, where, f"a kind of distribution: {', '.join(MIX_KINDS)}")
    try:
        numbers = _moments_kept(one, kind)
    except (ArithmeticError, KeyError, TypeError, ValueError):
        raise _no_number(
            kind, where, "a kind that these numbers can have: a mean above 0, a spread"
        ) from None
    rest = {field: value for field, value in one.items() if field not in ("mean", "sd", "median", "log_sd")}
    return _with_origin(rest, {"kind": kind, **numbers}, form)


def _moments_kept(one: Mapping[str, Any], kind: str) -> dict[str, float]:
    """Numbers of another kind with the same mean and standard deviation: those of the log-normal in closed
    form (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, chapter 14)."""
    if kind != "normal" and one["kind"] != "normal":
        return {"median": one["median"], "log_sd": one["log_sd"]}
    if kind == "normal":
        variance = math.expm1(one["log_sd"] ** 2)
        mean = one["median"] * math.sqrt(1.0 + variance)
        found = {"mean": mean, "sd": mean * math.sqrt(variance)}
    else:
        squared = math.log1p((one["sd"] / one["mean"]) ** 2)
        found = {"median": one["mean"] * math.exp(-0.5 * squared), "log_sd": math.sqrt(squared)}
        if one["mean"] <= 0.0:
            raise ValueError("a log-normal distribution has a mean above 0")
    return {field: float(f"{value:.4g}") for field, value in found.items()}


def _set_correlations(mix: dict[str, Any], form: Form) -> None:
    """How numbers of patients go together, a pair a row; a row without a number is none."""
    if "pair-0-value" not in form.fields:
        return
    old = {frozenset(one["between"]): one for one in mix.get("correlations", ())}
    found = []
    for place in range(MOST_PAIRS):
        field = f"pair-{place}-value"
        if not form.text(field):
            continue
        between = [form.text(f"pair-{place}-first"), form.text(f"pair-{place}-second")]
        before = old.get(frozenset(between), {"between": between})
        found.append(_with_origin(before, {"value": _number(form, field, before.get("value", 0.0))}, form))
    mix.pop("correlations", None)
    if found:
        mix["correlations"] = found


def _set_eligibility(new: dict[str, Any], form: Form) -> None:
    field = "m_protein_at_least_g_per_l"
    rest = {name: value for name, value in new.get("eligibility", {}).items() if name != field}
    if form.text(field):
        rest[field] = _number(form, field, 0.0)
    if "eligibility" in form.fields:  # a box that is not ticked says nothing of itself
        rest.pop("low_m_protein", None)
        rest |= {"low_m_protein": True} if form.text("low_m_protein") == "yes" else {}
    if rest:
        new["eligibility"] = rest
    else:
        new.pop("eligibility", None)


def _with_origin(
    before: Mapping[str, Any], after: Mapping[str, Any], form: Form | None = None
) -> dict[str, Any]:
    """A table with other numbers; where one differs, why it was chosen stands for where the old came from."""
    if all(before.get(name) == value for name, value in after.items()):
        return dict(before)
    rest = {name: value for name, value in before.items() if name not in ("sources", "assumed")}
    return {**rest, **after, "assumed": (form.text("why")[:200] if form else "") or CHOSEN}


def _rearranged(new: dict[str, Any], do: str) -> None:
    """An arm or a drug more or less, as a button says: "add-arm", "drop-arm-1", "drop-drug-0-1"."""
    found = re.fullmatch(r"(add|drop)-(arm|drug)(?:-(\d))?(?:-(\d))?", do)
    if not found:
        return
    verb, what, first, second = found.groups()
    arms, ratio = new["arms"], new["randomisation"]["ratio"]
    if what == "arm":
        if verb == "add":
            taken = {arm["name"] for arm in arms}
            name = next(text for n in range(2, 99) if (text := f"{arms[-1]['name']} ({n})") not in taken)
            arms.append({**deepcopy(arms[-1]), "name": name})
            ratio.append(1)
        elif len(arms) > 1 and int(first or 0) < len(arms):
            for one in (arms, ratio):
                del one[int(first or 0) : int(first or 0) + 1]
        new["randomisation"]["blocks_of"] = 2 * sum(ratio)
        return
    drugs = arms[int(first or 0)]["drugs"] if int(first or 0) < len(arms) else []
    if verb == "add" and drugs:
        drugs.append({**deepcopy(drugs[-1])})
    elif len(drugs) > 1 and int(second or 0) < len(drugs):
        del drugs[int(second or 0)]


def _number(form: Form, name: str, before: Any) -> Any:
    """A field's number; the value itself where the field shows it unchanged or is not there."""
    text = form.text(name)
    if not text or (isinstance(before, int | float) and text == asked(before)):
        return before
    value = form.number(name)
    if value is None or not math.isfinite(value):
        raise _no_number(text, name, "a number")
    return int(value) if isinstance(before, int) and value == int(value) else value


def _whole(form: Form, name: str, before: Any) -> int:
    value = _number(form, name, before)
    if value != int(value):
        raise _no_number(form.text(name), name, "a whole number")
    return int(value)


def _no_number(text: str, where: str, expected: str) -> Exception:
    return refused("GP-B023", f'"{text[:40]}" is not {expected}', expected, "correct it", where=where)
