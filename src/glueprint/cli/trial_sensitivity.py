"""`glueprint trial sensitivity`: which numbers of the model move an endpoint of a trial."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import typer

from glueprint import trials, workshop
from glueprint.calibration import clinical
from glueprint.cli import model_options as options
from glueprint.cli.bars import told_bar
from glueprint.cli.model_sensitivity import Keep, give, range_of
from glueprint.cli.output import Json
from glueprint.cli.plates import FigureFile
from glueprint.cli.trial_draws import DEFAULT, PosteriorFolder, Seed, TrialName, Workers, posterior_of
from glueprint.trials import ParameterDraws, finite

__all__ = ["command"]

MIDDLE = (0.025, 0.975)


def command(
    trial: TrialName,
    vary: Annotated[
        list[str],
        typer.Option(
            help="A number of the model and its range, name=low:high or name=low:high:log10; its name alone "
            "for the middle 95 % of the posterior. Repeatable."
        ),
    ],
    output: Annotated[
        list[str],
        typer.Option(help="An endpoint: hr_pfs, or ARM:orr where several arms have it. Repeatable."),
    ],
    method: Annotated[
        Literal["morris", "sobol", "sweep"],
        typer.Option(help="Elementary effects, shares of the variance, or a grid of one range or two."),
    ] = "morris",
    replicates: Annotated[int, typer.Option(help="Virtual trials at each point, whose mean counts.")] = 1,
    samples: Annotated[int, typer.Option(help="Of sobol, a power of 2; Morris' trajectories.")] = 16,
    points: Annotated[int, typer.Option(help="Of each range of a sweep.")] = 9,
    chance: Annotated[
        int, typer.Option(help="Trials that show what chance alone does; 0 for none, else at least 2.")
    ] = 20,
    structure: Annotated[str | None, typer.Option(help=f"Of the tumour; {DEFAULT} if not said.")] = None,
    posterior_from: PosteriorFolder = None,
    seed: Seed = 1,
    workers: Workers = 1,
    out: options.Out = None,
    figure: FigureFile = None,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """How much each number of the model moves an endpoint: every point is the same trial, with the same
    patients and the same chance, and other numbers."""
    workshop.check_count(method, points if method == "sweep" else samples)
    if chance:
        trials.check_chance(chance)
    protocol = trials.load_protocol(trial)
    posterior = posterior_of(structure or DEFAULT, posterior_from) or clinical.posterior(DEFAULT)
    drawn = posterior.for_trial(protocol)
    question = trials.TrialQuestion(
        protocol,
        tuple(_range(text, drawn) for text in vary),
        tuple(output),
        posterior.central(protocol),
        replicates=replicates,
        seed=seed,
        workers=workers,
    )
    with told_bar("trials") as told:
        if method == "morris":
            answer = workshop.morris(question, trajectories=samples, seed=seed, folder=keep, told=told)
        elif method == "sobol":
            answer = workshop.sobol(question, samples=samples, seed=seed, folder=keep, told=told)
        else:
            answer = workshop.sweep(question, points=points, folder=keep, told=told)
        apart = trials.chance(question, chance, folder=keep) if chance else None
    by_chance = {} if apart is None else dict(zip(question.outputs, map(finite, apart), strict=True))
    about = {"trial": protocol.name, "replicates": replicates, "seed": seed, "chance_sd": by_chance}
    told_of = "; ".join(f"{name} {value:.3g}" for name, value in by_chance.items() if value is not None)
    line = (
        f"chance alone moves them by a standard deviation of {told_of}." if told_of else "one chance for all."
    )
    give(answer, question, about, line, (out, figure), as_json=as_json)


def _range(text: str, draws: ParameterDraws) -> workshop.Range:
    """What `range_of` reads, or the middle 95 % of the posterior of a name that stands alone.

    Raises InputError GP-W027 for a name that the posterior has not.
    """
    if "=" in text:
        return range_of(text)
    if text not in draws.names:
        raise workshop.unusable(
            f'"{text}" has no range, and the posterior has no such number',
            "--vary",
            f"name=low:high, or one of {', '.join(draws.names)}",
        )
    low, high = np.quantile(draws.values[:, draws.names.index(text)], MIDDLE)
    return workshop.Range(text, float(low), float(high), "log10" if low > 0.0 else "lin")
