"""Trials of a project: the list, the designer with its calendar, and what is asked of a design as a job."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.errors import GlueprintError, InputError
from glueprint.mechanism import compounds, partners
from glueprint.report import figures
from glueprint.report.figures import drawing
from glueprint.runs.store import read_table
from glueprint.study import glue
from glueprint.trials import Protocol
from glueprint.web import design_form, designs, drawn, edits
from glueprint.web.charts import shares
from glueprint.web.context import of
from glueprint.web.refusals import refused, status_of
from glueprint.web.render import page
from glueprint.web.requests import Form

__all__ = ["begun", "counted", "design", "kept", "place_of", "powered", "queued", "ran", "trial_list"]

MOST_REPLICATES, MOST_SIMULATED = 2000, 100_000
RULES_NONE = "none"
BINS = 24
POWER = ("patients", "truth", "power_percent", "low", "high", "events", "months", "hazard_ratio")


def trial_list(request: Request) -> Response:
    """The trials of a project, and a new one."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    rows = [(one, _title(folder, one), _state(folder, one)) for one in designs.names(folder)]
    return page(request, "trials.html.j2", name=name, rows=rows, bases=designs.bases(), folder=str(folder))


def _title(folder: Path, name: str) -> str:
    try:
        return str(designs.read(designs.place(folder, name) / designs.FILE).get("title", ""))
    except GlueprintError as error:
        return f"cannot be read: {error.message}"


def _state(folder: Path, name: str) -> str:
    return "finished" if (folder / designs.FOLDER / name / designs.RUN / "trial.json").is_file() else "new"


def begun(request: Request, form: Form) -> Response:
    """A new trial that is like another."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    trial = form.text("name")
    designs.begin(folder, trial, form.text("base"))
    return RedirectResponse(f"/p/{name}/trials/{trial}", 303)


def design(request: Request) -> Response:
    """The designer: calendar, arms, case-mix, visits, cuts and size of a trial."""
    name, trial = request.path_params["project"], request.path_params["trial"]
    folder = of(request).workspace.place(name)
    path = designs.place(folder, trial) / designs.FILE
    try:
        data, problem = designs.read(path), None
        protocol = trials.load_protocol(path)
    except InputError as error:
        data, protocol, problem = _readable(path), None, error
    return _designer(request, data, protocol, problem, edits.digest(path))


def _readable(path: Path) -> dict[str, Any]:
    """The tables of a file that is no protocol, as far as they can be shown; none of another's."""
    try:
        return designs.read(path)
    except GlueprintError:
        return {}


def kept(request: Request, form: Form) -> Response:
    """What the designer says, written to the trial's file; what is wrong is said beside what was entered."""
    name, trial = request.path_params["project"], request.path_params["trial"]
    folder = of(request).workspace.place(name)
    path = designs.place(folder, trial) / designs.FILE
    edits.check_same(path, form.text("seen"))
    data = designs.read(path)
    try:
        data = design_form.changed(data, form, _offered(data.get("case_mix", {})))
        designs.keep(path, data)
    except InputError as error:
        return _designer(request, data, None, error, edits.digest(path))
    return RedirectResponse(f"/p/{name}/trials/{trial}", 303)


def _designer(
    request: Request,
    data: Mapping[str, Any],
    protocol: Protocol | None,
    problem: GlueprintError | None,
    seen: str,
) -> Response:
    bench = of(request)
    name, trial = request.path_params["project"], request.path_params["trial"]
    folder = bench.workspace.place(name)
    place = designs.place(folder, trial)
    return page(
        request,
        "design.html.j2",
        status=status_of(problem) if problem and request.method == "POST" else 200,
        name=name,
        trial=trial,
        data=_lenient(data),
        problem=problem,
        seen=seen,
        arms=[_arm_days(arm, int(data.get("cycle_days", 28))) for arm in data.get("arms", ())],
        glues=_glues(folder),
        partners=list(partners.rows()),
        rules=[RULES_NONE, *trials.available_rules()],
        mix=_mix(data.get("case_mix", {}), protocol),
        idle=_idle(protocol) if protocol else (),
        offered=list(_offered(data.get("case_mix", {}))),
        needed=NEEDED,
        strata=_padded(data.get("randomisation", {}).get("strata", []), design_form.MOST_STRATA),
        pairs=_padded(data.get("case_mix", {}).get("correlations", []), design_form.MOST_PAIRS),
        covariates=_covariates(data.get("case_mix", {})),
        numeric=_covariates(data.get("case_mix", {}), numeric=True),
        power_figure=_power_figure(place),
        visits=design_form.VISITS,
        clocks=design_form.CLOCKS,
        mix_kinds=design_form.MIX_KINDS,
        mix_numbers=design_form.MIX_NUMBERS,
        asked=design_form.asked,
        usual_cuts=_lenient([{"name": "final", "months": 36}]),
        jobs=[job for job in bench.jobs.of(name) if str(place / designs.FILE) in job.words][:5],
        has_result=_state(folder, trial) == "finished",
        power=_power(place),
        power_columns=POWER,
        file=str(place / designs.FILE),
        run=_run_words(place, 200, 1, posterior=True),
        python=_python(place),
    )


class Fields(dict[str, Any]):
    """Tables of a file in which what is not said is empty, whatever is asked of it."""

    def __missing__(self, _name: str) -> Fields:
        return Fields()


def _lenient(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Fields({name: _lenient(one) for name, one in value.items()})
    return [_lenient(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Drug:
    """A drug of an arm in the calendar. days: on which it is given, None where they cannot be read."""

    fields: Mapping[str, Any]
    days: tuple[int, ...] | None


def _arm_days(arm: Mapping[str, Any], cycle: int) -> tuple[Mapping[str, Any], list[Drug]]:
    drugs = [Drug(_lenient(drug), _days(str(drug.get("days", "")), cycle)) for drug in arm.get("drugs", ())]
    return _lenient(arm), drugs


def _days(text: str, cycle: int) -> tuple[int, ...] | None:
    try:
        return tuple(day for day in trials.parse_days(text) if day <= cycle)
    except PydanticCustomError:
        return None


def _glues(folder: Path) -> list[str]:
    """What an arm may give: the compounds that come with Glueprint, and the project's own once it was run."""
    own = f"result/{glue.load(folder).compound}.toml"
    mine = [f"../../{own}"] if (folder / own).is_file() else []
    return [*mine, *(name for name in compounds.names() if compounds.load(name).pk is not None)]


@dataclass(frozen=True)
class Covariate:
    """A covariate of the case-mix: its fields, how its patients lie, and those of the reference trial."""

    name: str
    fields: Mapping[str, Any]
    drawing: Markup
    origin: str


def _mix(mix: Mapping[str, Any], protocol: Protocol | None) -> list[Covariate]:
    """The covariates of a file; how their patients lie is drawn once the whole file can be read."""
    usual = _reference_mix()
    rows = []
    for name, one in mix.items():
        if not isinstance(one, dict):
            continue
        origin = "; ".join([*one.get("sources", ()), *filter(None, [one.get("assumed", "")])])
        own = getattr(protocol.case_mix, name) if protocol else None
        rows.append(Covariate(name, one, _drawing(name, own, usual.get(name)) if own else Markup(""), origin))
    return rows


# Covariates that every protocol has; the others come and go.
_MIX: Any = Protocol.model_fields["case_mix"].annotation
NEEDED = frozenset(name for name, field in _MIX.model_fields.items() if field.is_required())


def _offered(mix: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Covariates that a case-mix lacks, as the protocols that come with Glueprint have them."""
    return {name: one for name, one in _all_covariates().items() if name not in mix}


@lru_cache(maxsize=1)
def _all_covariates() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for name in trials.available():
        mix = tomllib.loads(trials.source(name)).get("case_mix", {})
        found |= {key: one for key, one in mix.items() if isinstance(one, dict) and key not in found}
    return found


def _covariates(mix: Mapping[str, Any], *, numeric: bool = False) -> list[str]:
    """What patients can be stratified by; with numeric, what can go together."""
    levels = "levels"
    names = [
        name
        for name, one in mix.items()
        if isinstance(one, dict) and not (numeric and one.get("kind") == levels)
    ]
    staged = {"albumin_g_per_l", "beta2_microglobulin_mg_per_l"} <= set(names)
    return [*names, *(["iss_stage"] if staged and not numeric else [])]


def _padded(rows: Any, most: int) -> list[Any]:
    """Rows of a form with an empty one behind them."""
    given = rows if isinstance(rows, list) else []
    return [_lenient(one) for one in [*given, {}][:most]]


def _power_figure(place: Path) -> Markup:
    path = place / designs.POWER / "operating.parquet"
    if not path.is_file():
        return Markup("")
    return drawn.for_page(drawing.svg(figures.power(read_table(path, "operating")), prefix="power"))


def _drawing(name: str, own: Any, usual: Any) -> Markup:
    """Shares of patients by value, with those of the reference trial behind them."""
    words = name.replace("_", " ")
    if own.kind == "levels":
        behind = [usual.shares.get(level, 0.0) for level in own.shares] if usual else []
        return shares(words, list(own.shares.values()), behind)
    ends = [(one.low, one.high) for one in (own, usual) if one is not None]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return shares(words, _bins(own, low, high), _bins(usual, low, high) if usual else [])


def _bins(one: Any, low: float, high: float) -> list[float]:
    """Share of patients in each of the bins between two values."""
    edges = [low + (high - low) * place / BINS for place in range(BINS + 1)]
    found = []
    for first, last in pairwise(edges):
        below, above = one.shares_beyond(first, last)
        found.append(max(1.0 - below - above, 0.0))
    return found


@lru_cache(maxsize=1)
def _reference_mix() -> Mapping[str, Any]:
    """The case-mix of the largest trial that comes with Glueprint."""
    largest = max((trials.load_protocol(name) for name in trials.available()), key=lambda one: one.patients)
    return {name: getattr(largest.case_mix, name) for name in largest.case_mix.names}


def _idle(protocol: Protocol) -> tuple[str, ...]:
    """Covariates that change nothing of a patient in the structure that a run takes if none is named."""
    try:
        return trials.idle_covariates(protocol, clinical.posterior().central(protocol))
    except GlueprintError:
        return ()


def ran(request: Request, form: Form) -> Response:
    """The virtual trials of a design as a job."""
    place = place_of(request)
    replicates = counted(form, "replicates", MOST_REPLICATES, 200)
    seed = counted(form, "seed", 2**31 - 1, 1, least=0)
    words = _run_words(place, replicates, seed, posterior=form.text("posterior") == "yes")
    workers = max(1, (os.cpu_count() or 1) // of(request).jobs.workers)
    return queued(request, place, f"{replicates} virtual trials", [*words, "--workers", str(workers)])


def powered(request: Request, form: Form) -> Response:
    """Power of a design over sizes as a job."""
    place = place_of(request)
    sizes = form.text("sizes")
    if not sizes or not all(part.strip().isdecimal() for part in sizes.split(",")) or len(sizes) > 100:
        raise refused(
            "GP-B023", f'"{sizes[:40]}"', "sizes such as 200,300,400", "correct them", where="sizes"
        )
    words = ["trial", "power", str(place / designs.FILE), "--patients", sizes.replace(" ", "")]
    words += ["--trials", str(counted(form, "simulated", MOST_SIMULATED, 1000))]
    words += ["--pools", str(counted(form, "pools", 200, 10)), "--posterior"]
    words += ["--pool-patients", str(counted(form, "pool_patients", 5000, 300))]
    return queued(request, place, "power over sizes", [*words, "--out", str(place / designs.POWER)])


def place_of(request: Request) -> Path:
    """The folder of the trial that an address names."""
    folder = of(request).workspace.place(request.path_params["project"])
    return designs.place(folder, request.path_params["trial"])


def queued(request: Request, place: Path, what: str, words: Sequence[str]) -> Response:
    """A command about a trial as a job.   Raises RefusedError GP-B012 while another one is under way."""
    bench = of(request)
    name, trial = request.path_params["project"], request.path_params["trial"]
    trials.load_protocol(place / designs.FILE)  # refused now, and not by a job later
    for job in bench.jobs.of(name):
        if not job.is_over and str(place / designs.FILE) in job.words:
            raise refused(
                "GP-B012", f"{job.title} is under way already", "one job of a trial at a time", "look at it"
            )
    job = bench.jobs.add(f"{name}, {trial}: {what}", words, project=name)
    return RedirectResponse(f"/jobs/{job.id}", 303)


def counted(form: Form, name: str, most: int, usual: int, *, least: int = 1) -> int:
    """A whole number of a form.   Raises RefusedError GP-B023."""
    text = form.text(name) or str(usual)
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or not least <= int(text) <= most:
        raise refused(
            "GP-B023",
            f'"{text[:40]}"',
            f"a whole number from {least} to {most}",
            "correct it",
            where=name,
        )
    return int(text)


def _run_words(place: Path, replicates: int, seed: int, *, posterior: bool) -> list[str]:
    words = ["trial", "run", str(place / designs.FILE), "--replicates", str(replicates), "--seed", str(seed)]
    return [*words, *(["--posterior"] if posterior else []), "--out", str(place / designs.RUN)]


def _power(place: Path) -> list[list[Any]]:
    path = place / designs.POWER / "operating.parquet"
    rows = read_table(path, "operating").to_dicts() if path.is_file() else []
    return [[row.get(name) for name in POWER] for row in rows]


def _python(place: Path) -> str:
    return (
        "from glueprint import trials\nfrom glueprint.calibration import clinical\n\n"
        f'protocol = trials.load_protocol("{place / designs.FILE}")\n'
        "draws = clinical.posterior().for_trial(protocol, count=200, seed=1)\n"
        "result = trials.run(protocol, 200, 1, draws=draws)\nprint(result.overview())"
    )
