"""A bench plan as one printable page: scheme, what to weigh, steps with boxes to tick, hazards, solvents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from glueprint.chemistry import BenchPlan, draw_scheme
from glueprint.chemistry.bench import BenchStep
from glueprint.chemistry.groups import SAFETY_NOTE

__all__ = ["bench_page", "summary"]

STYLE = """
body { font: 10.5pt/1.4 Helvetica, Arial, sans-serif; color: #1c1c1c; margin: 2em auto; max-width: 62em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 1.6em; }
table { border-collapse: collapse; width: 100%; } th, td { border: 1px solid #999; padding: .25em .5em; }
th { text-align: left; background: #eee; } td.number { text-align: right; white-space: nowrap; }
svg { max-width: 100%; height: auto; } .warning { border: 2px solid #1c1c1c; padding: .6em 1em; }
section.step { break-inside: avoid; } ul.checks { list-style: none; padding-left: 0; }
ul.checks li::before { content: "\\2610\\00a0"; }
@page { size: A4; margin: 15mm; } @media print { body { margin: 0; } }
"""
NUMBERS = ("equivalents", "mmol", "g, pure", "g to weigh", "mL")


def bench_page(found: BenchPlan) -> str:
    """The page as HTML that stands alone: no script, no link, made to be printed.

    found: a plan of `chemistry.bench`.   Returns the whole document.
    """
    plan, route = found.plan, found.route
    title = f"{plan.grams:g} g {plan.target} by route {plan.route}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(route.title)}. Source: {escape(route.source)}. Yields: {escape(plan.yields_are)}.</p>",
        _warning(found),
        "<h2>Scheme</h2>",
        draw_scheme(route),
        "<h2>What to weigh</h2>",
        _table(("step", "material", "role", *NUMBERS, "remark"), _rows(found)),
        f"<p>{escape(summary(found))}</p>",
        *(_step(number, step) for number, step in enumerate(found.steps, start=1)),
        "<h2>Hazards</h2>",
        _table(
            ("material", "GHS statements", "source"),
            [
                (h.name, "; ".join(f"{c} {words}" for c, words in h.statements), h.source)
                for h in found.hazards
            ],
        ),
        "<h2>Solvents</h2>",
        _table(
            ("solvent", "rank", "remark", "source"),
            [(s.name, s.rank, s.advice, s.source) for s in found.solvents],
        ),
        *(f"<p>Assumed: {escape(text)}.</p>" for text in plan.assumptions),
        "<p>Planned by: ________________ &nbsp; Checked by: ________________ &nbsp; Date: __________</p>",
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def summary(found: BenchPlan) -> str:
    """Process mass intensity, what is missing in it, and the range of the yield, in a sentence or two."""
    missing = f" without {', '.join(found.not_counted)}" if found.not_counted else ""
    low, high = found.expected_g
    spread = (
        f"{low:.2f} to {high:.2f} g ({found.range_is})" if high > low else f"{low:.2f} g ({found.range_is})"
    )
    bound = "at least " if found.not_counted else ""
    return f"Process mass intensity {bound}{found.mass_intensity:.2f} g/g{missing}. Expected: {spread}."


def _warning(found: BenchPlan) -> str:
    if not any(step.safety for step in found.steps):
        return ""
    return f'<p class="warning"><strong>Safety.</strong> {escape(SAFETY_NOTE)}</p>'


def _rows(found: BenchPlan) -> Iterable[Sequence[str]]:
    for row in found.plan.table.to_dicts():
        numbers = (
            _number(row["equivalents"], "g"),
            _number(row["mmol"], ".2f"),
            _number(row["grams"], ".3f"),
            _number(row["weigh_g"], ".3f"),
            _number(row["volume_ml"], ".0f"),
        )
        yield row["step"], row["material"], row["role"], *numbers, row["assumption"]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _step(number: int, step: BenchStep) -> str:
    conditions = {
        "reagents named": ", ".join(step.reagents) or "not stated",
        "solvent": step.solvent,
        "temperature": step.temperature,
        "time": step.time,
        "work-up": step.work_up,
        "purification": step.purification,
        "limiting": step.limiting,
        "planned yield": f"{step.yield_percent:.1f} %, {step.made_g:.3f} g",
        "mass in, mass out": f"{step.in_g:.3f} g, {step.out_g:.3f} g (solvent and catalyst apart)",
    }
    out = [(one.material, one.role, f"{one.grams:.3f}") for one in step.outflows]
    checks = "".join(f"<li>{escape(check)}</li>" for check in step.checks)
    return (
        f'<section class="step"><h2>{number}. {escape(step.name)}</h2>'
        + _table(("", ""), conditions.items())
        + _table(("leaves the step", "as", "g"), out)
        + f'<ul class="checks">{checks}<li>Weighed: __________ g; yield: __________ %</li></ul></section>'
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(word)}</th>" for word in head) if any(head) else ""
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_number_class(name)}>{escape(str(cell))}</td>" for name, cell in zip(head, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{titles}</tr>' if titles else ''}{body}</table>"


def _number_class(name: str) -> str:
    return ' class="number"' if name in NUMBERS or name == "g" else ""
