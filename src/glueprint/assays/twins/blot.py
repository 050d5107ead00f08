"""Simulated blots of degradation: one membrane an experiment, doses at times beside vehicle and MLN4924."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from pydantic import Field

from glueprint.assays.blot import boxes_writing
from glueprint.assays.blot.boxes import Band, Boxes, BoxFile, Lane
from glueprint.assays.degradation.kinetics import Kinetics
from glueprint.assays.twins.blot_image import Camera, Geometry, Picture, picture
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.refusals import not_among, too_many
from glueprint.documents import Document

__all__ = ["LOADING", "Beside", "Made", "Target", "Truth", "files", "make"]

Floats = NDArray[np.float64]
# A lane: dose (nM), time (h), treatment, and the compound that the dose is of.
Plan = list[tuple[float, float, str, str]]

LOADING = "loading control"
# Combs with more wells are not made for gels of this width.
MOST_LANES = 26
MLN4924 = "MLN4924"


class Target(Document):
    """How a target turns over: dP/dt = k_syn - (k_deg + k_max x) P, x = C^h/(C^h + EC50^h)."""

    k_deg_per_h: float = Field(default=0.12, gt=0.0, le=100.0)
    k_max_per_h: float = Field(default=1.0, ge=0.0, le=1000.0)
    ec50_nm: float = Field(default=50.0, gt=0.0, le=1e7)
    slope: float = Field(default=1.0, gt=0.0, le=10.0)


class Beside(Document):
    """What another compound adds to the loss of a target in the same cells, as in `Target`."""

    k_max_per_h: float = Field(default=1.0, ge=0.0, le=1000.0)
    ec50_nm: float = Field(default=50.0, gt=0.0, le=1e7)
    slope: float = Field(default=1.0, gt=0.0, le=10.0)


class Truth(Document):
    """Turnover, design, gel and camera; defaults: docs/twins.md."""

    compound: str = Field(default="pomalidomide", min_length=1)
    # Compounds in lanes of their own on the same membranes, at the same doses and times, by target.
    beside: dict[str, dict[str, Beside]] | None = Field(default=None, max_length=4)
    targets: dict[str, Target] = Field(
        default={"IKZF1": Target(), "IKZF3": Target(k_deg_per_h=0.15, k_max_per_h=1.2, ec50_nm=30.0)},
        min_length=1,
        max_length=4,
    )
    doses_nm: tuple[float, ...] = Field(default=(1.0, 10.0, 100.0, 1000.0), min_length=1)
    times_h: tuple[float, ...] = Field(default=(1.0, 3.0, 6.0, 24.0), min_length=1)
    experiments: int = Field(default=3, ge=1, le=50)
    vehicle_lanes: int = Field(default=4, ge=0, le=12)
    mln4924_lanes: int = Field(default=1, ge=0, le=6)
    mln4924_rescue: float = Field(default=0.95, ge=0.0, le=1.0)
    experiment_sd_log10_ec50: float = Field(default=0.1, ge=0.0, le=2.0)
    experiment_cv_rates: float = Field(default=0.1, ge=0.0, le=2.0)
    load_cv: float = Field(default=0.15, ge=0.0, le=1.0)
    blotting_cv: float = Field(default=0.08, ge=0.0, le=1.0)
    antibody_tilt: float = Field(default=0.0, ge=-1.0, le=1.0)
    band_counts: float = Field(default=9000.0, gt=0.0, le=1e6)
    loading_counts: float = Field(default=12_000.0, gt=0.0, le=1e6)
    exposure: float = Field(default=1.0, gt=0.0, le=100.0)
    film: float = Field(default=0.0, ge=0.0, le=10.0)
    smear: float = Field(default=0.1, ge=0.0, le=1.0)
    background_counts: float = Field(default=900.0, ge=0.0, le=30_000.0)
    background_gradient: float = Field(default=0.4, ge=0.0, le=2.0)
    haze: float = Field(default=0.1, ge=0.0, le=2.0)
    dust: int = Field(default=12, ge=0, le=10_000)
    counts_per_photon: float = Field(default=4.0, ge=0.0, le=1000.0)
    read_noise_counts: float = Field(default=8.0, ge=0.0, le=1000.0)
    lane_px: int = Field(default=48, ge=16, le=150)
    smile_px: float = Field(default=3.0, ge=0.0, le=20.0)
    rotation_deg: float = Field(default=0.6, ge=-5.0, le=5.0)


@dataclass(frozen=True)
class Membrane:
    """One blot: counts (rows, columns) of 16 bits, its boxes, and the true share of vehicle left (lanes,), by
    target."""

    counts: NDArray[np.uint16]
    boxes: Boxes
    left: dict[str, Floats]


@dataclass(frozen=True)
class Made:
    """The membranes, and what the seed drew."""

    truth: Truth
    drawn: dict[str, Any]
    membranes: tuple[Membrane, ...]


def make(truth: Truth, draws: Draws) -> Made:
    """One membrane an experiment: every dose at every time, vehicle lanes spread over the gel.

    Compounds beside it see the same cells, and the same error of the experiment.
    Raises InputError GP-A185 for more lanes than a gel has, GP-A183 for a target that is not there.
    Source: turnover of docs/degradation.md; gel, membrane and camera: docs/twins.md.
    """
    plan = lanes(truth)
    too_many(len(plan), MOST_LANES, "lanes: doses times times, and controls", "blot")
    drawn: dict[str, Any] = {}
    membranes = []
    everyone = {truth.compound: truth.targets, **_beside(truth)}
    for nth in range(truth.experiments):
        kinetics = {
            (compound, name): _drawn(target, truth, (name, nth), draws)
            for compound, targets in everyone.items()
            for name, target in targets.items()
        }
        left = {}
        for name in truth.targets:
            of_target = {compound: kinetics[compound, name] for compound in everyone}
            left[name] = remaining(of_target, plan, truth.mln4924_rescue)
        membranes.append(_membrane(truth, plan, left, (nth, draws)))
        drawn[f"experiment {nth + 1}"] = {
            name if compound == truth.compound else f"{compound}, {name}": _described(one, truth)
            for (compound, name), one in kinetics.items()
        }
    return Made(truth, drawn, tuple(membranes))


def _beside(truth: Truth) -> dict[str, dict[str, Target]]:
    """The turnover of every target under each compound beside; a target that one leaves alone stays."""
    found = {}
    for compound, targets in (truth.beside or {}).items():
        not_among(targets, truth.targets, f"beside.{compound}")
        none = Beside(k_max_per_h=0.0)
        found[compound] = {
            name: Target(k_deg_per_h=own.k_deg_per_h, **targets.get(name, none).model_dump())
            for name, own in truth.targets.items()
        }
    return found


def files(made: Made, mark: str) -> dict[str, bytes]:
    """Each membrane as 16-bit TIFF with its boxes; `mark` stands in the TIFF's description."""
    found = {}
    for nth, membrane in enumerate(made.membranes, start=1):
        stream = io.BytesIO()
        tifffile.imwrite(
            stream, membrane.counts, photometric="minisblack", compression="zlib", metadata=None,
            description=f"Simulated: {mark}", software="glueprint",
        )  # fmt: skip
        found[f"membrane-{nth}.tif"] = stream.getvalue()
        text = (
            f"# SIMULATED, not measured: boxes of membrane-{nth}.tif.\n{boxes_writing.text(membrane.boxes)}"
        )
        found[f"boxes-{nth}.toml"] = text.encode()
    return found


def lanes(truth: Truth) -> Plan:
    """Dose (nM), time (h), treatment and compound of each lane from left to right; vehicle lanes have dose
    0."""
    treated = [
        (dose, time, "", compound)
        for compound in (truth.compound, *(truth.beside or {}))
        for time in truth.times_h
        for dose in truth.doses_nm
    ]
    treated += [(max(truth.doses_nm), max(truth.times_h), MLN4924, truth.compound)] * truth.mln4924_lanes
    count = len(treated) + truth.vehicle_lanes
    places = {int(place) for place in np.linspace(0, count - 1, truth.vehicle_lanes).round()}
    rest = iter(treated)
    vehicle = (0.0, max(truth.times_h), "", truth.compound)
    return [vehicle if i in places else next(rest) for i in range(count)]


def remaining(kinetics: Mapping[str, Kinetics], plan: Plan, rescue: float) -> Floats:
    """The share of vehicle left in each lane (lanes,) of one target; MLN4924 takes its part of the added
    rate away.

    kinetics: of the target, by compound.
    """
    held = {
        compound: Kinetics(own.k_deg_per_h, (1.0 - rescue) * own.k_max_per_h, own.ec50_nm, own.slope)
        for compound, own in kinetics.items()
    }
    return np.array(
        [
            float((held if treatment else kinetics)[compound].remaining(dose, time))
            for dose, time, treatment, compound in plan
        ]
    )


def _drawn(target: Target, truth: Truth, which: tuple[str, int], draws: Draws) -> Kinetics:
    name, nth = which
    rates = draws.factors(f"rates {name} {nth}", 2, truth.experiment_cv_rates)
    shift = 10.0 ** (truth.experiment_sd_log10_ec50 * draws.normal(f"EC50 {name} {nth}", 1)[0])
    return Kinetics(
        k_deg_per_h=float(target.k_deg_per_h * rates[0]),
        k_max_per_h=float(target.k_max_per_h * rates[1]),
        ec50_nm=float(target.ec50_nm * shift),
        slope=target.slope,
    )


def _described(kinetics: Kinetics, truth: Truth) -> dict[str, Any]:
    """The experiment's own rates, and what follows from them at each time."""
    times = np.array(truth.times_h)
    listed = {
        "dmax": kinetics.dmax(times),
        "relative_dc50_nm": kinetics.relative_dc50_nm(times),
        "absolute_dc50_nm": kinetics.absolute_dc50_nm(times),
    }
    short = {
        name: [float(f"{value:.6g}") for value in values.tolist() if np.isfinite(value)]
        for name, values in listed.items()
    }
    own = {name: float(f"{value:.6g}") for name, value in vars(kinetics).items()}
    return {**own, "times_h": list(truth.times_h), **short}


def _membrane(
    truth: Truth,
    plan: Plan,
    left: dict[str, Floats],
    context: tuple[int, Draws],
) -> Membrane:
    nth, draws = context
    count = len(plan)
    load = draws.factors(f"load {nth}", count, truth.load_cv)
    across = np.linspace(-0.5, 0.5, count)
    volumes = []
    for name in [*left, LOADING]:
        height = truth.loading_counts if name == LOADING else truth.band_counts
        tilt = 1.0 + truth.antibody_tilt * across
        own = draws.factors(f"blotting {name} {nth}", count, truth.blotting_cv / np.sqrt(2.0))
        volumes.append(truth.exposure * height * load * own * tilt * left.get(name, np.ones(count)))
    geometry = Geometry(count, len(volumes), truth.lane_px, truth.smile_px, truth.rotation_deg)
    camera = Camera(
        background=truth.background_counts * truth.exposure,
        gradient=truth.background_gradient,
        haze=truth.haze,
        dust=truth.dust,
        counts_per_photon=truth.counts_per_photon,
        read_noise=truth.read_noise_counts,
        film=truth.film,
        smear=truth.smear,
    )
    drawn: Picture = picture(np.array(volumes), geometry, camera, (nth, draws))
    return Membrane(drawn.counts, _boxes(truth, plan, geometry, nth), left)


def _boxes(truth: Truth, plan: Plan, geometry: Geometry, nth: int) -> Boxes:
    lane_boxes = []
    for i, (dose, time, treatment, compound) in enumerate(plan):
        first, last = geometry.lane(i)
        lane_boxes.append(
            Lane(
                lane=i + 1, left=first, right=last, sample=compound if dose > 0.0 else "vehicle",
                dose_nm=dose, time_h=time, treatment=treatment, vehicle=dose == 0.0,
            )
        )  # fmt: skip
    bands = []
    for i, name in enumerate([*truth.targets, LOADING]):
        top, bottom = geometry.band(i)
        role = "loading" if name == LOADING else "target"
        bands.append(Band(name=name, top=top, bottom=bottom, role=role))  # type: ignore[arg-type]
    return Boxes(
        BoxFile(
            kind="glueprint-boxes", version=1, image=f"membrane-{nth + 1}.tif",
            rotation_deg=truth.rotation_deg, membrane=str(nth + 1), experiment=str(nth + 1),
            lane=tuple(lane_boxes), band=tuple(bands),
        ),
        f"boxes-{nth + 1}.toml",
    )  # fmt: skip
