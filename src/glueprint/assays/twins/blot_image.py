"""The picture of a simulated blot: bands with tails and smear, background, dust, camera. Kernel: arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.twins.draws import Draws

__all__ = ["CEILING", "Camera", "Geometry", "Picture", "picture"]

Floats = NDArray[np.float64]

CEILING = 65_535
# Lengths in lane distances: as on a mini gel, where a band is much wider than high.
BAND_WIDTH, BAND_SD, BAND_DISTANCE, MARGIN = 0.72, 0.075, 1.8, 1.5
BOX_WIDTH, BOX_SD = 0.9, 4.5
# The foot of a band is wider than a normal distribution: this part of it has twice its width.
TAIL, TAIL_TIMES = 0.15, 2.0
# The ends of a band are round: the exponent of exp(-|2 x/width|^power).
ROUND_POWER = 8.0
SMEAR_SD = 6.0
HAZE_CLOUDS, DUST_PX = 6, 1.2


@dataclass(frozen=True)
class Geometry:
    """Where lanes and bands are in the straight picture, pixels.

    lanes, bands: how many.   lane_px: from lane to lane.   smile_px: how much lower the outer lanes run.
    rotation_deg: how far the whole is turned, positive where bands fall from left to right.
    """

    lanes: int
    bands: int
    lane_px: int
    smile_px: float
    rotation_deg: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        rows = (2.0 * MARGIN + BAND_DISTANCE * (self.bands - 1)) * self.lane_px + self.smile_px
        return round(rows), round((self.lanes + 1.0) * self.lane_px)

    def centre(self, lane: int, band: int) -> tuple[float, float]:
        """Row and column of the middle of a band."""
        off = 2.0 * lane / max(self.lanes - 1, 1) - 1.0
        row = (MARGIN + BAND_DISTANCE * band) * self.lane_px + self.smile_px * off * off
        return row, (lane + 1.0) * self.lane_px

    def lane(self, lane: int) -> tuple[int, int]:
        """First column of a lane's box, and the one behind it."""
        _, column = self.centre(lane, 0)
        half = BOX_WIDTH * self.lane_px / 2.0
        return round(column - half), round(column + half)

    def band(self, band: int) -> tuple[int, int]:
        """First row of a band's box in all lanes, and the one behind it."""
        top, reach = (MARGIN + BAND_DISTANCE * band) * self.lane_px, BOX_SD * BAND_SD * self.lane_px
        return round(top - reach), round(top + self.smile_px + reach)


@dataclass(frozen=True)
class Camera:
    """What lies between the protein and the counts; all settings of docs/twins.md."""

    background: float
    gradient: float
    haze: float
    dust: int
    counts_per_photon: float
    read_noise: float
    film: float
    smear: float


@dataclass(frozen=True)
class Picture:
    """counts: (rows, columns) as the camera stores them.   light: (rows, columns) what was expected."""

    counts: NDArray[np.uint16]
    light: Floats


def picture(heights: Floats, geometry: Geometry, camera: Camera, context: tuple[int, Draws]) -> Picture:
    """A blot with bands (bands, lanes) of these heights in counts above the background.

    context: the number of the membrane, and the streams.
    Source: docs/twins.md, "Blot".
    """
    nth, draws = context
    shape = geometry.shape
    row, column = _straight(shape, geometry.rotation_deg)
    light = _background(shape, camera, draws.uniform(f"background {nth}", 4 + 3 * HAZE_CLOUDS))
    for (band, lane), height in np.ndenumerate(heights):
        _add_band(light, (row, column), geometry.centre(lane, band), (float(height), geometry, camera.smear))
    _add_dust(light, camera.dust, draws.uniform(f"dust {nth}", 3 * camera.dust))
    # A film or a flooded detector answers less and less: nothing of it at film = 0.
    seen = light / (1.0 + camera.film * light / CEILING)
    counts = draws.counted(f"photons {nth}", seen, camera.counts_per_photon)
    read = camera.read_noise * draws.normal(f"read {nth}", counts.size).reshape(shape)
    return Picture(np.clip(np.round(counts + read), 0, CEILING).astype(np.uint16), light)


def _straight(shape: tuple[int, int], angle_deg: float) -> tuple[Floats, Floats]:
    """Row and column in the straight picture of every pixel of the turned one, both (rows, columns)."""
    angle = np.radians(angle_deg)
    middle = (np.array(shape) - 1.0) / 2.0
    y, x = np.arange(shape[0])[:, None] - middle[0], np.arange(shape[1])[None, :] - middle[1]
    return (
        np.cos(angle) * y - np.sin(angle) * x + middle[0],
        np.sin(angle) * y + np.cos(angle) * x + middle[1],
    )


def _background(shape: tuple[int, int], camera: Camera, u: Floats) -> Floats:
    """A gradient in a drawn direction with wide clouds on it."""
    y = np.linspace(-0.5, 0.5, shape[0])[:, None]
    x = np.linspace(-0.5, 0.5, shape[1])[None, :]
    turn = 2.0 * np.pi * u[0]
    level = 1.0 + camera.gradient * (np.cos(turn) * x + 0.5 * np.sin(turn) * y)
    for at_y, at_x, sign in u[4:].reshape(HAZE_CLOUDS, 3):
        distance = (y - at_y + 0.5) ** 2 / 0.25 + (x - at_x + 0.5) ** 2 / 0.02
        level = level + camera.haze * (2.0 * sign - 1.0) * np.exp(-distance)
    return np.asarray(camera.background * np.maximum(level, 0.1))


def _add_band(
    light: Floats,
    grid: tuple[Floats, Floats],
    centre: tuple[float, float],
    what: tuple[float, Geometry, float],
) -> None:
    """Add one band to `light` in place: round ends, a wide foot, and a smear towards the top of the gel."""
    height, geometry, smear = what
    pitch = geometry.lane_px
    sd = BAND_SD * pitch
    reach = round(5.0 * SMEAR_SD * sd / 2.0 + 0.1 * geometry.lanes * pitch + 2)
    top, bottom = max(int(centre[0]) - reach, 0), min(int(centre[0]) + reach, light.shape[0])
    left, right = max(int(centre[1]) - pitch, 0), min(int(centre[1]) + pitch, light.shape[1])
    inside = (slice(top, bottom), slice(left, right))
    y, x = grid[0][inside] - centre[0], grid[1][inside] - centre[1]
    across = np.exp(-(np.abs(2.0 * x / (BAND_WIDTH * pitch)) ** ROUND_POWER))
    core = np.exp(-0.5 * (y / sd) ** 2)
    foot = np.exp(-0.5 * (y / (TAIL_TIMES * sd)) ** 2)
    trail = np.where(y < 0.0, np.exp(y / (SMEAR_SD * sd)), core) * (1.0 - core)
    light[inside] += height * across * ((1.0 - TAIL) * core + TAIL * foot + smear * np.maximum(trail, 0.0))


def _add_dust(light: Floats, count: int, u: Floats) -> None:
    """Bright specks of a pixel or two, in place."""
    rows, columns = light.shape
    for at_y, at_x, bright in u.reshape(count, 3):
        row, column = int(at_y * rows), int(at_x * columns)
        top, left = max(row - 4, 0), max(column - 4, 0)
        window = (slice(top, row + 5), slice(left, column + 5))
        part = light[window]
        y = np.arange(top, top + part.shape[0])[:, None] - at_y * rows
        x = np.arange(left, left + part.shape[1])[None, :] - at_x * columns
        part += 8000.0 * bright**3 * np.exp(-0.5 * (y * y + x * x) / DUST_PX**2)
