"""Checks of a protocol as a whole: a list of small functions, each with its code, that give all they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from glueprint.errors import GlueprintError, InputError, NotSupportedError, nearest, together
from glueprint.mechanism import Scenario, parameters
from glueprint.trials.protocol.adverse import check_version
from glueprint.trials.protocol.case_mix import Levels
from glueprint.trials.protocol.course_checks import COURSE_CHECKS
from glueprint.trials.protocol.document import Drug, Protocol, Stratum
from glueprint.trials.protocol.endpoint import LANDMARK_MONTHS
from glueprint.trials.protocol.physical import numbers_are_of_people
from glueprint.trials.protocol.regimen_checks import REGIMEN_CHECKS
from glueprint.trials.protocol.regimen_rules import drugs_of
from glueprint.trials.protocol.registry import laboratory_events
from glueprint.trials.protocol.schedule import MONTH_DAYS, parse_days

__all__ = ["CHECKS", "check_protocol"]

Check = Callable[[Protocol, str], Iterator[GlueprintError]]

# How far, beside one block, the size of an arm may lie from its share of all patients.
SIZE_TOLERANCE = 0.05


def check_protocol(protocol: Protocol, where: str) -> None:
    """Raise what the checks find as one InputError, GP-T008 to GP-T020, GP-T050 to GP-T069, GP-T081,
    GP-T091, GP-T093 to GP-T096, GP-T105 or GP-T106: the first finding, whose message names the others."""
    findings: list[GlueprintError] = [finding for check in CHECKS for finding in check(protocol, where)]
    if findings:
        raise together(findings)


def _caught(check: Callable[[Protocol, str], None]) -> Check:
    """A check that raises all it finds, as one that gives it."""

    def findings(protocol: Protocol, where: str) -> Iterator[GlueprintError]:
        try:
            check(protocol, where)
        except InputError as error:
            yield error

    return findings


def _drugs(protocol: Protocol) -> Iterator[tuple[str, Drug]]:
    for index, arm in enumerate(protocol.arms):
        for field, drug in drugs_of(arm):
            yield f"arms[{index}].{field}", drug


def glues_can_be_dosed(protocol: Protocol, where: str) -> None:
    """GP-M005: the file of every glue has the numbers that a trial needs."""
    for field, drug in _drugs(protocol):
        if drug.glue:
            try:
                parameters.quantities(Scenario(drug.glue))
            except NotSupportedError as error:
                error.add_note(f"It is given in {where}, {field}.")
                raise


def days_fit_the_cycle(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T009: no dose beyond the cycle."""
    for field, drug in _drugs(protocol):
        last = parse_days(drug.days)[-1]
        if last > protocol.cycle_days:
            yield InputError(
                "GP-T009",
                f'days "{drug.days}" reach day {last}, but the cycle has {protocol.cycle_days} days',
                where=f"{where}, {field}.days",
                expected=f"days from 1 to {protocol.cycle_days}",
                next_step="correct `days` or `cycle_days`",
            )


def one_glue_a_patient(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T019: the models carry one glue compound per patient, given once per regimen."""
    for index, arm in enumerate(protocol.arms):
        regimens = [arm.drugs, arm.after_progression.drugs if arm.after_progression else ()]
        glues = {drug.glue for drug in arm.all_drugs if drug.glue}
        twice = any(len({drug.name for drug in regimen}) < len(regimen) for regimen in regimens)
        if len(glues) > 1 or twice:
            yield InputError(
                "GP-T019",
                f'arm "{arm.name}" gives {", ".join(dict.fromkeys(drug.name for drug in arm.all_drugs))}',
                where=f"{where}, arms[{index}].drugs",
                expected="at most one glue per arm, at first and later together, each drug listed once",
                next_step="split the arm, or join the days of a drug that is listed twice",
            )


def arms_are_distinct(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T016: names of arms differ."""
    names = [arm.name for arm in protocol.arms]
    # Names that differ in capitals or spaces alone are one in a table of patients (GP-V034).
    if len({" ".join(name.casefold().split()) for name in names}) < len(names):
        yield InputError(
            "GP-T016",
            f"two arms share a name, but for capitals and spaces: {', '.join(names)}",
            where=f"{where}, arms",
            expected="a different name for every arm",
            next_step="rename one",
        )


def ratio_fits_the_arms(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T017: one number per arm, whole ratios in a block, and sizes that blocks can lead to."""
    plan = protocol.randomisation
    if len(plan.ratio) != len(protocol.arms) or plan.blocks_of % sum(plan.ratio):
        yield InputError(
            "GP-T017",
            f"ratio {list(plan.ratio)} with blocks of {plan.blocks_of} for {len(protocol.arms)} arm(s)",
            where=f"{where}, randomisation",
            expected="one number per arm, and blocks that are a multiple of their sum",
            next_step="for 2:1 write ratio = [2, 1] and blocks_of = 6",
        )
        return  # sizes of arms say nothing beside it
    for index, (arm, part) in enumerate(zip(protocol.arms, plan.ratio, strict=True)):
        expected = protocol.patients * part / sum(plan.ratio)
        if abs(arm.patients - expected) > plan.blocks_of + SIZE_TOLERANCE * protocol.patients:
            yield InputError(
                "GP-T017",
                f'arm "{arm.name}" has {arm.patients} patients, but the ratio {list(plan.ratio)} gives it '
                f"{expected:.0f} of {protocol.patients}",
                where=f"{where}, arms[{index}].patients",
                expected="sizes of arms in the ratio of the randomisation, but for the last blocks",
                next_step="correct `patients` or `ratio`",
            )


def strata_are_covariates(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T018: a factor is a covariate of the case-mix; numbers are cut, levels are not."""
    for index, stratum in enumerate(protocol.randomisation.strata):
        names = (*protocol.case_mix.names, *protocol.case_mix.derived)
        field = f"{where}, randomisation.strata[{index}]"
        if stratum.covariate not in names:
            yield InputError(
                "GP-T018",
                f'unknown covariate "{stratum.covariate}"{nearest(stratum.covariate, names)}',
                where=f"{field}.covariate",
                expected=f"one of {', '.join(names)}",
                next_step="correct the name",
            )
            continue
        is_level = isinstance(getattr(protocol.case_mix, stratum.covariate, None), Levels)
        if is_level == bool(stratum.cuts):
            yield InputError(
                "GP-T018",
                f'"{stratum.covariate}" with cuts {list(stratum.cuts)}',
                where=f"{field}.cuts",
                expected="cuts = [75] for a number; no cuts for named levels",
                next_step="add or remove `cuts`",
            )
        elif idle := _idle(protocol, stratum):
            yield InputError(
                "GP-T018",
                f'"{stratum.covariate}" {idle}, which stratifies nobody',
                where=field,
                expected="cuts that rise within the limits of the case-mix, or a covariate with two levels",
                next_step="correct `cuts`, or leave the factor out",
            )


def _idle(protocol: Protocol, stratum: Stratum) -> str:
    """Why a factor, or a cut of it, tells no patients apart; "" if all do."""
    covariate, cuts = getattr(protocol.case_mix, stratum.covariate, None), stratum.cuts
    if isinstance(covariate, Levels):
        held = [level for level, share in covariate.shares.items() if share > 0]
        return f'is "{held[0]}" in everybody' if len(held) == 1 else ""
    if list(cuts) != sorted(set(cuts)):
        return f"has cuts {list(cuts)} that do not rise"
    if covariate is None:  # derived from others, with limits of its own
        return ""
    beyond = [cut for cut in cuts if not covariate.low <= cut < covariate.high]
    return (
        f"is cut at {beyond[0]:g} and lies within {covariate.low:g} to {covariate.high:g}" if beyond else ""
    )


def visits_are_possible(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T011: visits cannot overlap, and the first assessment lies before the end."""
    visits, longest_days = protocol.visits, protocol.follow_up.maximum_months * MONTH_DAYS
    shortest = min(visits.then_every_days, visits.assessment_every_days)
    if visits.weekly_for_weeks:
        shortest = min(shortest, 7)
    problems = {
        f"window_days {visits.window_days} lets visits {shortest} days apart change places": (
            2 * visits.window_days >= shortest
        ),
        f"the first assessment on day {visits.assessment_every_days} is after the longest follow-up": (
            visits.assessment_every_days > longest_days
        ),
    }
    for message, found in problems.items():
        if found:
            yield InputError(
                "GP-T011",
                message,
                where=f"{where}, visits",
                expected="windows below half the shortest interval, and an assessment within the follow-up",
                next_step="change `window_days`, the intervals, or `follow_up`",
            )


def landmarks_are_reached(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T091: months at which curves are read are said once, and somebody is followed so long."""
    months, longest = protocol.landmark_months, protocol.follow_up.maximum_months
    if months == LANDMARK_MONTHS:
        return  # what nobody asked for is empty where nobody is followed so long
    late = [month for month in months if month > longest]
    if late or len(set(months)) < len(months):
        listed = ", ".join(f"{month:g}" for month in months)
        yield InputError(
            "GP-T091",
            f"month {late[0]:g} is after the longest follow-up" if late else f"a month twice in {listed}",
            where=f"{where}, landmark_months",
            expected=f"different months up to {longest:g}, such as landmark_months = [3, 6, 12]",
            next_step="correct `landmark_months` or `follow_up`",
        )


def m_protein_can_be_seen(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T105, GP-T106: immunofixation sees less than electrophoresis, which sees what is enrolled."""
    how, field = protocol.measurement, f"{where}, measurement"
    if how.immunofixation_g_per_l > max(how.m_protein_detection_g_per_l, 0.1):
        yield InputError(
            "GP-T105",
            f"immunofixation from {how.immunofixation_g_per_l:g} g/L, electrophoresis from "
            f"{how.m_protein_detection_g_per_l:g} g/L",
            where=f"{field}.immunofixation_g_per_l",
            expected="at most m_protein_detection_g_per_l: a complete response is what neither of them sees",
            next_step="look for a slip of the point; a fifth of the other is usual",
        )
    least = protocol.case_mix.m_protein_g_per_l.low
    if how.m_protein_detection_g_per_l > least:
        yield InputError(
            "GP-T106",
            f"electrophoresis sees M-protein from {how.m_protein_detection_g_per_l:g} g/L, and patients are "
            f"enrolled from {least:g} g/L",
            where=f"{field}.m_protein_detection_g_per_l",
            expected="at most the lower limit of case_mix.m_protein_g_per_l: a disease that can be measured",
            next_step="look for a slip of the point, or of g/dL",
        )


def grades_are_known(protocol: Protocol, where: str) -> None:
    """GP-T020: the CTCAE version has limits."""
    version, field = protocol.measurement.ctcae_version, f"{where}, measurement.ctcae_version"
    for _, rule in laboratory_events():
        check_version(version, rule.limits, where=field)


CHECKS: tuple[Check, ...] = (
    arms_are_distinct,
    # Follow-up may come from the calendar, so that is looked at first.
    *COURSE_CHECKS,
    _caught(glues_can_be_dosed),
    one_glue_a_patient,
    days_fit_the_cycle,
    ratio_fits_the_arms,
    strata_are_covariates,
    visits_are_possible,
    landmarks_are_reached,
    m_protein_can_be_seen,
    _caught(grades_are_known),
    _caught(numbers_are_of_people),
    *(_caught(check) for check in REGIMEN_CHECKS),
)
