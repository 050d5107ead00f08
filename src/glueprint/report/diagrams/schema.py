"""The schema of a trial from its protocol: who, randomised how, which days of the cycle, what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from glueprint.report.diagrams import glyphs
from glueprint.report.diagrams.geometry import path
from glueprint.report.figures.theme import GRID, INK, MUTED, PAPER, arm_colours
from glueprint.trials import Arm, Continuation, Drug, Protocol, Stratum, parse_days

__all__ = ["draw"]

WIDTH, MARGIN, TOP = 1180.0, 20.0, 56.0
DAY = 11.2  # width of one day of the cycle, px
DRUG_HEIGHT, HEAD_HEIGHT, GAP = 44.0, 36.0, 26.0
# Of what follows progression: where its assumption begins, its rows, and the lines of the assumption.
ASSUMED, ROW_HEIGHT, LINE_HEIGHT = 58.0, 22.0, 14.0
ENTRY, NODE, ARM, AFTER = (20.0, 196.0), 276.0, (352.0, 452.0), (840.0, 320.0)
NAMES = {"age_y": "age", "disease_population": "kind of disease", "prior_lines": "prior lines"}


def draw(protocol: Protocol, colours: Mapping[str, str] | None = None) -> str:
    """The schema as one SVG document, its colours the report's tokens.

    colours: arm -> colour, where a page gives its arms colours; else by their order in the protocol.
    """
    tokens = arm_colours(arm.name for arm in protocol.arms) if colours is None else colours
    heights = [
        max(HEAD_HEIGHT + DRUG_HEIGHT * max(len(arm.drugs), _after_rows(arm)) + 14, _after_height(arm))
        for arm in protocol.arms
    ]
    tops = [TOP + sum(heights[:place]) + GAP * place for place in range(len(heights))]
    bottom = tops[-1] + heights[-1]
    middle = (TOP + bottom) / 2
    height = bottom + 78
    name = protocol.name.upper().replace("MM0", "MM-0")
    body = [
        glyphs.text(MARGIN, 30, f"{name}: {protocol.title}", size=15, weight=600, anchor="start"),
        _entry(protocol, middle),
        *_to_arms(protocol, tops, heights, middle),
    ]
    for arm, top, high in zip(protocol.arms, tops, heights, strict=True):
        body.append(_arm(protocol, arm, top, high, tokens[arm.name]))
        if arm.after_progression is not None:
            body.append(_after(arm.after_progression, top, high))
    body.append(_timing(protocol, bottom + 22))
    return glyphs.sheet(WIDTH, height, f"{name}: {protocol.title}", body)


def _after_rows(arm: Arm) -> int:
    after = arm.after_progression
    return 0 if after is None else len(after.drugs) + after.keep_current


def _after_height(arm: Arm) -> float:
    """What the words of a continuation need."""
    after = arm.after_progression
    lines = _assumed(after) if after is not None else []
    return ASSUMED + ROW_HEIGHT * _after_rows(arm) + LINE_HEIGHT * len(lines) if lines else 0.0


def _assumed(after: Continuation) -> list[str]:
    return _wrapped(f"assumed: {after.assumed}", 46) if after.assumed else []


def _box(x: float, y: float, width: float, height: float, token: str, opacity: float) -> str:
    shape = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10"'
    return (
        f'<rect {shape} fill="{PAPER}"/><rect {shape} fill="{token}" fill-opacity="{opacity:g}" '
        f'stroke="{token if token != GRID else MUTED}" stroke-width="1.3"/>'
    )


def _wrapped(words: str, most: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if len(f"{lines[-1]} {word}") > most and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _entry(protocol: Protocol, middle: float) -> str:
    lines = _wrapped(protocol.population, 28)
    height = 62 + 16 * len(lines)
    x, top = ENTRY[0], middle - height / 2
    drawn = [_box(x, top, ENTRY[1], height, GRID, 0.35)]
    drawn.append(
        glyphs.text(x + 14, top + 26, f"{protocol.patients} patients", size=14, weight=600, anchor="start")
    )
    for place, line in enumerate(lines):
        drawn.append(glyphs.text(x + 14, top + 46 + 16 * place, line, size=11.5, fill=MUTED, anchor="start"))
    drawn.append(
        glyphs.text(x + 14, top + height - 10, protocol.registry, size=10.5, fill=MUTED, anchor="start")
    )
    return "".join(drawn)


def _to_arms(protocol: Protocol, tops: list[float], heights: list[float], middle: float) -> Iterator[str]:
    yield _arrow([(ENTRY[0] + ENTRY[1], middle), (NODE - 20, middle)])
    for top, height in zip(tops, heights, strict=True):
        y = top + height / 2
        start = middle + (-20 if y < middle else 20)
        yield _arrow([(NODE, start), (NODE, y), (ARM[0], y)])
    yield f'<circle cx="{NODE:g}" cy="{middle:g}" r="20" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"/>'
    yield glyphs.text(NODE, middle + 5, ":".join(map(str, protocol.randomisation.ratio)), size=13, weight=600)
    strata = [_stratum(one) for one in protocol.randomisation.strata]
    for place, line in enumerate(["stratified by", *strata] if strata else []):
        yield glyphs.text(ENTRY[0], middle + 74 + 15 * place, line, size=11, fill=MUTED, anchor="start")


def _stratum(stratum: Stratum) -> str:
    name = NAMES.get(stratum.covariate, stratum.covariate.replace("_", " "))
    return f"{name}, cut at {', '.join(f'{cut:g}' for cut in stratum.cuts)}" if stratum.cuts else name


def _arrow(points: list[tuple[float, float]], token: str = INK) -> str:
    line = [*points[:-1], (points[-1][0] - 3, points[-1][1])]
    return f'<path d="{path(line)}" fill="none" stroke="{token}" stroke-width="1.5"/>' + glyphs.head(
        "production", points[-1], 0.0, token
    )


def _arm(protocol: Protocol, arm: Arm, top: float, height: float, token: str) -> str:
    x, width = ARM
    drawn = [_box(x, top, width, height, token, 0.06)]
    drawn.append(glyphs.text(x + 16, top + 25, arm.name, size=14, weight=600, fill=token, anchor="start"))
    drawn.append(glyphs.text(x + width - 16, top + 25, f"n = {arm.patients}", size=12.5, anchor="end"))
    for place, drug in enumerate(arm.drugs):
        drawn.append(_drug(protocol, drug, x + 16, top + HEAD_HEIGHT + DRUG_HEIGHT * place, token))
    return "".join(drawn)


def _drug(protocol: Protocol, drug: Drug, x: float, y: float, token: str) -> str:
    """Name and dose above, the days of the cycle beneath."""
    dose = f"{drug.dose_mg:g} mg"
    if drug.above_age is not None:
        dose += f" ({drug.above_age.dose_mg:g} mg above {drug.above_age.age_y:g} years)"
    drawn = [glyphs.text(x, y + 14, f"{drug.name}, {dose}", size=11.5, anchor="start")]
    day = min(DAY, 420 / protocol.cycle_days)
    given = set(parse_days(drug.days))
    for number in range(protocol.cycle_days):
        shade = (token, 0.85) if number + 1 in given else (GRID, 0.6)
        drawn.append(
            f'<rect x="{x + day * number:.1f}" y="{y + 21:.1f}" width="{day - 1.5:.1f}" height="11" rx="2" '
            f'fill="{shade[0]}" fill-opacity="{shade[1]:g}"/>'
        )
    end = x + day * protocol.cycle_days + 8
    drawn.append(glyphs.text(end, y + 30.5, f"days {_days(drug.days)}", size=10, fill=MUTED, anchor="start"))
    return "".join(drawn)


def _days(days: str) -> str:
    return days.replace(",", ", ").replace("-", "\u2013")


def _after(after: Continuation, top: float, height: float) -> str:
    x, width = AFTER
    y = top + height / 2
    drawn = [_arrow([(ARM[0] + ARM[1], y), (x, y)]), _box(x, top, width, height, GRID, 0.35)]
    drawn.append(glyphs.text(x + 16, top + 25, "After progression", size=12.5, weight=600, anchor="start"))
    share = f"{100 * after.share_of_progressed:.0f} %" + (
        f", {after.delay_days} days later" if after.delay_days else ", at once"
    )
    drawn.append(glyphs.text(x + width - 16, top + 25, share, size=11.5, fill=MUTED, anchor="end"))
    rows = ["the same goes on"] if after.keep_current else []
    rows += [f"{drug.name}, {drug.dose_mg:g} mg, days {_days(drug.days)}" for drug in after.drugs]
    for place, row in enumerate(rows):
        plus = "+ " if place else ""
        drawn.append(
            glyphs.text(x + 16, top + 54 + ROW_HEIGHT * place, plus + row, size=11.5, anchor="start")
        )
    for place, line in enumerate(_assumed(after)):
        at = top + ASSUMED + ROW_HEIGHT * len(rows) + LINE_HEIGHT * place
        drawn.append(glyphs.text(x + 16, at, line, size=10.5, fill=MUTED, anchor="start", italic=True))
    return "".join(drawn)


def _timing(protocol: Protocol, top: float) -> str:
    visits, follow = protocol.visits, protocol.follow_up
    said = (
        ("Cycle", f"{protocol.cycle_days} days"),
        ("Counts", f"weekly for {visits.weekly_for_weeks} weeks, then every {visits.then_every_days} days"),
        ("Response", f"every {visits.assessment_every_days} days"),
        (
            "Follow-up",
            f"median {follow.median_months:g} months, {follow.minimum_months:g} to {follow.maximum_months:g}",
        ),
    )
    drawn = [f'<path d="M{MARGIN:g},{top:g}H{WIDTH - MARGIN:g}" stroke="{GRID}" stroke-width="1"/>']
    for x, (name, words) in zip((MARGIN, 160.0, 560.0, 780.0), said, strict=True):
        drawn.append(glyphs.text(x, top + 24, name, size=12, weight=600, anchor="start"))
        drawn.append(glyphs.text(x, top + 41, words, size=11, fill=MUTED, anchor="start"))
    return "".join(drawn)
