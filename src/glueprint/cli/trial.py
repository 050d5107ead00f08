"""`glueprint trial`: list, show, write, run, compare, ask and draw virtual trials, and their dose rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint import trials
from glueprint.cli import (
    trial_compare,
    trial_design,
    trial_export,
    trial_figures,
    trial_power,
    trial_rules,
    trial_run,
    trial_sensitivity,
    trial_sweep,
    trial_tables,
)
from glueprint.cli.output import Json, print_json, print_table, progress_console, write
from glueprint.cli.trial_draws import PosteriorCommand, TrialName
from glueprint.trials import Drug, rules_in_force

app = typer.Typer(no_args_is_help=True)
app.command("run", cls=PosteriorCommand)(trial_run.command)
app.command("compare")(trial_compare.command)
app.command("sweep", cls=PosteriorCommand)(trial_sweep.command)
app.command("sensitivity")(trial_sensitivity.command)
app.command("figures", cls=PosteriorCommand)(trial_figures.command)
app.command("design")(trial_design.command)
app.command("power", cls=PosteriorCommand)(trial_power.command)
app.command("export")(trial_export.command)
app.command("tables")(trial_tables.command)
app.command("analyse")(trial_tables.analyse)
app.add_typer(trial_rules.app, name="rules")


@app.command("list")
def list_trials(as_json: Json = False) -> None:
    """List the protocols that come with Glueprint."""
    protocols = [trials.load_protocol(name) for name in trials.available()]
    if as_json:
        print_json([{"name": p.name, "title": p.title, "registry": p.registry} for p in protocols])
        return
    rows = [(p.name, p.registry, p.patients, p.title) for p in protocols]
    print_table("Protocols", ("name", "registry", "patients", "title"), rows)


@app.command()
def show(trial: TrialName, as_json: Json = False) -> None:
    """Show a protocol: arms, doses, visits, case-mix, each with its source."""
    protocol = trials.load_protocol(trial)
    if as_json:
        print_json(protocol.model_dump(mode="json"))
        return
    rows: list[tuple[object, ...]] = []
    for arm in protocol.arms:
        drugs: list[tuple[str, object, Drug]] = [(arm.name, arm.patients, drug) for drug in arm.drugs]
        if arm.after_progression:
            share = f"{100 * arm.after_progression.share_of_progressed:.0f} % of progressed"
            drugs += [(f"{arm.name}, then", share, drug) for drug in arm.after_progression.drugs]
        rows += [(name, n, d.name, d.dose_mg, d.days, _rules(d)) for name, n, d in drugs]
    print_table(
        f"{protocol.name}: {protocol.title}", ("arm", "patients", "drug", "mg", "days", "dose rules"), rows
    )
    mix = [(name, _describe(getattr(protocol.case_mix, name))) for name in protocol.case_mix.names]
    print_table("Case-mix", ("covariate", "distribution"), mix)


def _rules(drug: Drug) -> str:
    """Dose rules of a drug in words: their name, and how its dose falls."""
    rules = rules_in_force(drug.rules)
    if rules is None:
        return "none: a fixed dose" if drug.rules else ""
    return f"{rules.name}: {trial_rules.fall(rules, drug.dose_mg)}"


def _describe(distribution: Any) -> str:
    """A distribution in words: its kind, its numbers, where it comes from."""
    fields = distribution.model_dump(exclude={"kind", "sources", "assumed"})
    shares = fields.pop("shares", {})
    numbers = ", ".join(f"{name} {value:g}" for name, value in {**shares, **fields}.items())
    origin = [*distribution.sources, *([f"assumed: {distribution.assumed}"] if distribution.assumed else [])]
    return f"{distribution.kind}: {numbers} ({'; '.join(origin)})"


@app.command("file")
def print_file(
    name: Annotated[str, typer.Argument(help="Name of a protocol that comes with Glueprint.")],
) -> None:
    """Print the file of a protocol that comes with Glueprint, to copy from."""
    write(trials.source(name))


@app.command()
def template(
    out: Annotated[Path | None, typer.Argument(help="File to write; standard output if left out.")] = None,
) -> None:
    """Write a commented protocol file that loads and runs."""
    text = trials.template()
    if out is None:
        write(text)
        return
    trials.write_template(out)
    progress_console.print(f"wrote {out}; next: glueprint trial run {out}")
