"""`glueprint trial rules`: dose rules that come with Glueprint, or that you write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glueprint import trials
from glueprint.cli.choices import completed
from glueprint.cli.output import Json, print_json, print_table, progress_console, write
from glueprint.trials import DoseRules, ladder

__all__ = ["app", "fall"]

app = typer.Typer(no_args_is_help=True, help="Dose rules: list, show, file, template.")
RulesName = Annotated[
    str,
    typer.Argument(
        help="Name of dose rules (see list) or path of a TOML file.",
        autocompletion=completed(trials.available_rules),
    ),
]
MOST_SHOWN = 8  # doses of a fall; a step of a few per cent has many


def fall(rules: DoseRules, start_mg: float) -> str:
    """How a dose falls under the rules, in words: 4 > 3 > 2 > 1 mg, then stopped."""
    doses = ladder(rules.reductions, start_mg)
    shown = [f"{dose:.3g}" for dose in doses[:MOST_SHOWN]]
    if len(doses) > MOST_SHOWN:
        shown += ["...", f"{doses[-1]:.3g}"]
    return f"{' > '.join(shown)} mg, then {'stopped' if rules.reductions.at_lowest == 'stop' else 'kept'}"


@app.command("list")
def list_rules(as_json: Json = False) -> None:
    """List the dose rules that come with Glueprint."""
    known = [trials.load_rules(name) for name in trials.available_rules()]
    if as_json:
        print_json([{"name": r.name, "title": r.title, "compounds": r.compounds} for r in known])
        return
    rows = [(r.name, ", ".join(r.compounds), _way(r), r.title) for r in known]
    print_table("Dose rules", ("name", "for", "doses", "title"), rows)


@app.command()
def show(rules: RulesName, as_json: Json = False) -> None:
    """Show dose rules: how doses fall, limits of each count, what other toxicity does."""
    loaded = trials.load_rules(rules)
    if as_json:
        print_json(loaded.model_dump(mode="json"))
        return
    rows: list[tuple[str, object]] = [("for", ", ".join(loaded.compounds)), ("doses", _way(loaded))]
    for count, lineage in (("neutrophils", loaded.anc), ("platelets", loaded.platelets)):
        hold, gate = lineage.hold_below_1e9_per_l, lineage.cycle_at_least_1e9_per_l
        if hold:
            again = f"until {lineage.resume_at_least_1e9_per_l:g}"
            falls = f"first fall: {lineage.first_fall} dose; later: {lineage.later_falls}"
            rows.append((f"{count}, 1e9/L", f"held below {hold:g} {again}; {falls}"))
        else:
            rows.append((f"{count}, 1e9/L", "never held"))
        rows.append((f"{count}, new cycle", f"from {gate:g}" if gate else "any count"))
    toxicity = loaded.other_toxicity
    rows += [
        ("other toxicity", f"held {toxicity.hold_days} days, then the {toxicity.resume} dose"),
        ("counts while held", f"every {loaded.counts_while_held_every_days} days"),
        ("sources", ", ".join(loaded.sources)),
        ("assumed", " ".join(loaded.assumed.split())),
    ]
    print_table(f"{loaded.name}: {loaded.title}", ("", "what it says"), rows)


def _way(rules: DoseRules) -> str:
    """How doses fall, before a starting dose is known."""
    reductions = rules.reductions
    if reductions.levels_mg:
        return fall(rules, reductions.levels_mg[0])
    step = (
        f"{reductions.step_mg:g} mg" if reductions.step_mg is not None else f"{reductions.step_percent:g} %"
    )
    first = f"first to {reductions.first_mg:g} mg, then " if reductions.first_mg is not None else ""
    ends = "stopped" if reductions.at_lowest == "stop" else "kept"
    return f"{first}{step} less each time, down to {reductions.least_mg:g} mg, then {ends}"


@app.command()
def file(
    name: Annotated[str, typer.Argument(help="Name of dose rules that come with Glueprint (see list).")],
) -> None:
    """Print the file of dose rules that come with Glueprint, with its sources: a start for your own."""
    write(trials.rules_text(name))


@app.command()
def template(
    out: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write a commented file of dose rules that loads as it is."""
    if out is None:
        write(trials.rules_template())
        return
    trials.write_rules_template(out)
    progress_console.print(f'wrote {out}; next: rules = "{out}" beside the drug of a protocol', markup=False)
