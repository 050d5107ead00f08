"""The mechanism: sliders, the course of one patient as they are moved, and pinned courses beside it.

All that is chosen stands in the address, so that going back, a bookmark and a second window work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from glueprint.mechanism import compounds, partners
from glueprint.study import course as courses
from glueprint.web.charts import Line, panel
from glueprint.web.pathway_map import pathway_map
from glueprint.web.refusals import refused
from glueprint.web.render import page

__all__ = ["Slider", "answer", "mechanism", "plan_of", "questions"]

MOST_PINS = 4


@dataclass(frozen=True)
class Slider:
    """A number that can be moved. field: of the plan or the patient.   logarithmic: moves in factors."""

    field: str
    words: str
    unit: str
    low: float
    high: float
    step: float
    group: str
    logarithmic: bool = False

    @property
    def ends(self) -> tuple[float, float, float]:
        """Low end, high end and step of the slider itself, in powers of ten where it moves in factors."""
        if self.logarithmic:
            return math.log10(self.low), math.log10(self.high), self.step
        return self.low, self.high, self.step

    def place(self, value: float) -> float:
        """Where the slider stands for a value."""
        return round(math.log10(value), 4) if self.logarithmic and value > 0 else value


SLIDERS = (
    Slider("dose_mg", "Dose", "mg", 0.0, 10.0, 0.25, "Regimen"),
    Slider(
        "partner_mg", f"{next(iter(partners.rows())).capitalize()}, weekly", "mg", 0.0, 40.0, 4.0, "Regimen"
    ),
    Slider("cycles", "Cycles", "", 1, 6, 1, "Regimen"),
    Slider("day", "Pathway on day", "", 1, 168, 1, "Regimen"),
    Slider("kd_fold", "Kd to cereblon", "x", 0.05, 20.0, 0.02, "Compound", logarithmic=True),
    Slider("efficacy_fold", "Efficacy of degradation", "x", 0.05, 20.0, 0.02, "Compound", logarithmic=True),
    Slider("clearance_fold", "Clearance", "x", 0.1, 10.0, 0.02, "Compound", logarithmic=True),
    Slider("age_y", "Age", "years", 30.0, 90.0, 1.0, "Patient"),
    Slider("weight_kg", "Weight", "kg", 40.0, 140.0, 1.0, "Patient"),
    Slider("anc0", "Neutrophils before", "1e9/L", 1.0, 8.0, 0.1, "Patient"),
    Slider("platelets0", "Platelets before", "1e9/L", 40.0, 400.0, 5.0, "Patient"),
    Slider("m_protein0", "M-protein before", "g/L", 5.0, 80.0, 1.0, "Patient"),
)
WHOLE = ("cycle_days", "cycles", "day")
OF_PATIENT = tuple(one.name for one in fields(courses.Patient))
USUAL: dict[str, Any] = {
    one.name: one.default for one in fields(courses.Plan) if one.name not in ("compound", "patient")
}
USUAL |= {one.name: one.default for one in fields(courses.Patient)}
# Days of a cycle by what people call them.
SCHEDULES: Mapping[str, str] = {
    "1-21": "days 1 to 21",
    "1-28": "every day",
    "1-14": "days 1 to 14",
    "1-28/2": "every second day",
    "1-5,8-12,15-19,22-26": "five days a week",
}


def plan_of(query: Mapping[str, str]) -> courses.Plan:
    """The plan that an address asks for; what it leaves out is as usual.

    Raises RefusedError GP-B023 for text that is no number, InputError GP-S070 or GP-S071 as `Plan`, GP-M001.
    """
    numbers: dict[str, Any] = {}
    for name, usual in USUAL.items():
        if name in query and name not in ("days", "sex_female"):
            numbers[name] = _number(name, query[name], usual)
    if "day" in numbers:  # the last one, where cycles became fewer; the map says which it shows
        ends = (numbers.get("cycles", USUAL["cycles"]), numbers.get("cycle_days", USUAL["cycle_days"]))
        numbers["day"] = min(numbers["day"], ends[0] * ends[1])
    about = {name: numbers.pop(name) for name in OF_PATIENT if name in numbers}
    about["sex_female"] = query.get("sex_female") == "1"
    glue = query.get("compound") or compounds.REFERENCE
    if glue not in compounds.names():
        raise refused(
            "GP-B007",
            f'no compound "{glue[:40]}"',
            ", ".join(compounds.names()),
            "choose one",
            where="compound",
        )
    return courses.Plan(
        compounds.load(glue),
        days=query.get("days", USUAL["days"])[:100],
        patient=courses.Patient(**about),
        **numbers,
    )


def _number(name: str, text: str, usual: Any) -> float | int:
    try:
        value = float(text)
        return int(value) if name in WHOLE and value == int(value) and abs(value) < 1e6 else value
    except (ValueError, OverflowError):
        raise refused(
            "GP-B023",
            f'"{text[:40]}" is no number',
            f"a number such as {usual if usual is not None else 21}",
            "correct it",
            where=name,
        ) from None


def questions(plan: courses.Plan) -> dict[str, str]:
    """What an address says for a plan: all that is not as usual."""
    said = {name: getattr(plan.patient if name in OF_PATIENT else plan, name) for name in USUAL}
    asked = {name: value for name, value in said.items() if value != USUAL[name]}
    found = {
        name: str(int(value)) if isinstance(value, bool) else f"{value}" for name, value in asked.items()
    }
    return ({"compound": plan.compound.name} if plan.compound.name != compounds.REFERENCE else {}) | found


@lru_cache(maxsize=256)
def _followed(asked: tuple[tuple[str, str], ...]) -> courses.Course:
    return courses.follow(plan_of(dict(asked)))


def answer(query: Mapping[str, str]) -> courses.Course:
    """The course that an address asks for; asked again it is not computed again."""
    return _followed(tuple(sorted(questions(plan_of(query)).items())))


@dataclass(frozen=True)
class Pin:
    """A pinned course. address: without it.   words: what of it is not as usual."""

    number: int
    course: courses.Course
    words: str
    without: str


def mechanism(request: Request) -> Response:
    """The page; a script that moves a slider gets the figures alone."""
    pairs = request.query_params.multi_items()
    query = {name: value for name, value in pairs if name != "pin"}
    texts = [value for name, value in pairs if name == "pin"][:MOST_PINS]
    now = answer(query)
    asked = questions(now.plan)
    pins = _pins(texts, asked)
    part = request.headers.get("hx-request") == "true"
    response = page(
        request,
        "mechanism_panels.html.j2" if part else "mechanism.html.j2",
        now=now,
        panels=_panels(now, pins),
        map=pathway_map(now),
        lost=now.pathway.filter(now.pathway["reason"] != "").to_dicts(),
        pins=pins,
        facts=_facts(now),
        pin_address=_address(asked, [*texts, urlencode(asked)]) if len(texts) < MOST_PINS else "",
        pin_texts=texts,
        reset=_address({}, texts),
        sliders=_sliders(now.plan),
        plan=now.plan,
        schedules=SCHEDULES if now.plan.days in SCHEDULES else {now.plan.days: now.plan.days, **SCHEDULES},
        glues=[name for name in compounds.names() if compounds.load(name).pk is not None],
        command=_command(now.plan),
        python=_python(now.plan),
        query=urlencode(asked),
    )
    if part:  # the address that holds what is shown
        response.headers["hx-replace-url"] = _address(asked, texts)
    return response


def _sliders(plan: courses.Plan) -> list[tuple[Slider, float, str]]:
    rows = []
    for one in SLIDERS:
        value = getattr(plan.patient if one.field in OF_PATIENT else plan, one.field)
        value = plan.shown_day if one.field == "day" else value
        rows.append((one, value, f"{value:.4g}"))
    return rows


def _address(asked: Mapping[str, str], pins: Sequence[str]) -> str:
    pairs = [*asked.items(), *(("pin", pin) for pin in pins)]
    return "/mechanism" + (f"?{urlencode(pairs)}" if pairs else "")


def _pins(texts: Sequence[str], asked: Mapping[str, str]) -> list[Pin]:
    found = []
    for number, text in enumerate(texts):
        query = dict(parse_qsl(text[:2000]))
        others = [other for place, other in enumerate(texts) if place != number]
        words = ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in query.items() if name != "pin"
        )
        found.append(Pin(number, answer(query), words or "as usual", _address(asked, others)))
    return found


def _panels(now: courses.Course, pins: Sequence[Pin]) -> list[tuple[str, str, Markup, list[str]]]:
    """Title, unit, figure and the names of its lines."""
    made = []
    for title in dict.fromkeys(one.figure for one in courses.SERIES):
        mine = [one for one in courses.SERIES if one.figure == title]
        lines = []
        for style, course in [("line", now), *((f"pin-{pin.number}", pin.course) for pin in pins)]:
            for place, one in enumerate(mine):
                rows = course.table.filter(series=one.name)
                name = one.name if style == "line" else f"{one.name}, pinned {int(style[4:]) + 1}"
                x, y = rows.get_column("time_d").to_list(), rows.get_column("value").to_list()
                lines.append(Line(name, f"{style}-{place}" if style == "line" else style, x, y))
        names = [one.name for one in mine] if len(mine) > 1 else []
        made.append((title, mine[0].unit, panel(title, mine[0].unit, lines), names))
    return made


def _facts(now: courses.Course) -> list[tuple[str, str, str]]:
    """What people read off first: words, number with unit, remark."""
    degraded, day = now.lowest["IKZF1"]
    anc, anc_day = now.lowest["neutrophils"]
    platelets, platelets_day = now.lowest["platelets"]
    return [
        (
            "Peak, trough",
            f"{now.peak_ng_per_ml:.3g}, {now.trough_ng_per_ml:.3g} ng/mL",
            "last dose of cycle 1",
        ),
        ("IKZF1 left", f"{100 * degraded:.3g} %", f"lowest, day {day:.0f}"),
        ("Neutrophils", f"{anc:.2g} 1e9/L", f"lowest, day {anc_day:.0f}"),
        ("Platelets", f"{platelets:.3g} 1e9/L", f"lowest, day {platelets_day:.0f}"),
        (
            "M-protein",
            f"{now.m_protein_change_percent:+.3g} %",
            f"day {now.plan.cycles * now.plan.cycle_days}",
        ),
    ]


# Field of a plan or a patient -> option of the command; the others are called alike.
OPTIONS = {"dose_mg": "--dose", "partner_mg": "--partner", "sex_female": "--female", "age_y": "--age"}
OPTIONS |= {
    "weight_kg": "--weight",
    "anc0": "--anc",
    "platelets0": "--platelets",
    "m_protein0": "--m-protein",
}
OPTIONS |= {"haemoglobin0": "--haemoglobin", "total_protein_g_per_l": "--total-protein"}


def _command(plan: courses.Plan) -> list[str]:
    """The same course on the command line."""
    words = ["model", "course"]
    for name, value in questions(plan).items():
        option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
        words += [option] if name == "sex_female" else [option, value]
    return words


def _python(plan: courses.Plan) -> str:
    """The same in Python, which gives the numbers of the figures."""
    said = {name: getattr(plan, name) for name in USUAL if name not in OF_PATIENT}
    parts = [f"{name}={value!r}" for name, value in said.items() if value != USUAL[name] or name == "dose_mg"]
    person = [
        f"{name}={getattr(plan.patient, name)!r}"
        for name in OF_PATIENT
        if getattr(plan.patient, name) != USUAL[name]
    ]
    if plan.compound.name != compounds.REFERENCE:
        parts = [f'compounds.load("{plan.compound.name}")', *parts]
    if person:
        parts.append(f"patient=Patient({', '.join(person)})")
    return (
        "from glueprint.mechanism import compounds\n"
        "from glueprint.study.course import Patient, Plan, follow\n\n"
        f"course = follow(Plan({', '.join(parts)}))\n"
        "print(course.table)"
    )
