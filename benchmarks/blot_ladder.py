"""How linear the volumes of a gel of known masses are, by background and by boxes, beside the raw sums.

    python -m benchmarks.blot_ladder ../shared/data/gel-ladder-known-mass [--json]

Always the bands that a person marked (15 in lane 1, 14 in the others), with the person's boxes or with boxes
from valley to valley; raw and net sums of the same pixels. Squared correlation with mass in each lane, the
mass ratio of 3.0 to 1.5 kb (truth 2.105), and the spread of a band's share of its lane between lanes. Data:
GelGenie authors, Apache-2.0, https://github.com/mattaq31/GelGenie; not part of this package.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays import blot
from glueprint.assays.blot.boxes import Band, Box, Boxes, BoxFile, Lane

SEED, DRAWS = 20261121, 4000
# (which boxes, settings)
RULES = (
    ("lane", blot.Settings()),
    ("lane, half window 100 px", blot.Settings(base_line_px=100)),
    ("beside", blot.Settings(background="beside")),
    ("border", blot.Settings(background="border")),
)
# Neighbours among the marked bands with unmarked ones between them: there the person's ends stay.
APART = {(1.0, 0.5), (0.3, 0.1)}


def boxes_of(lanes: list[pl.DataFrame], profiles: list[NDArray[Any]] | None) -> Boxes:
    """The person's boxes, or from valley to valley of the profiles of the lanes (rows,)."""
    own, heads = [], []
    for nth, rows in enumerate(lanes):
        heads.append(Lane(lane=nth + 1, left=rows["x_left"][0], right=rows["x_right_excl"][0]))
        starts = [*rows["y_start"].to_list()[1:], 10**6]
        spans = [
            (row["y_start"], min(row["y_end_incl"] + 1, start))
            for row, start in zip(rows.to_dicts(), starts, strict=True)
        ]
        if profiles is not None:
            spans = valleys(rows.to_dicts(), spans, profiles[nth])
        own += [
            Box(lane=nth + 1, band=f"{size:g} kb", top=top, bottom=bottom)
            for size, (top, bottom) in zip(rows["size_kb"].to_list(), spans, strict=True)
        ]
    first = {box.band: box for box in own if box.lane == 1}
    bands = tuple(Band(name=name, top=box.top or 0, bottom=box.bottom or 0) for name, box in first.items())
    # A band that was marked in lane 1 alone lies in the others' gap; its volume is not used.
    gaps = [Box(lane=lane, band="0.2 kb", top=541, bottom=560) for lane in (2, 3, 4)]
    file = BoxFile(kind="glueprint-boxes", version=1, lane=tuple(heads), band=bands, box=(*own, *gaps))
    return Boxes(file, "bands.csv")


def valleys(
    rows: list[dict[str, Any]], spans: list[tuple[int, int]], profile: NDArray[Any]
) -> list[tuple[int, int]]:
    """Boxes that meet at the lowest row between two bands; outer ends as far from the peak as inner ones, or
    as the person's where these are farther."""
    tops, bottoms = [top for top, _ in spans], [bottom for _, bottom in spans]
    for k in range(len(rows) - 1):
        upper, lower = rows[k], rows[k + 1]
        if (upper["size_kb"], lower["size_kb"]) not in APART:
            between = profile[upper["y_peak"] : lower["y_peak"]]
            bottoms[k] = tops[k + 1] = upper["y_peak"] + int(np.argmin(between))
    tops[0] = min(tops[0], 2 * rows[0]["y_peak"] - bottoms[0])
    bottoms[-1] = max(bottoms[-1], 2 * rows[-1]["y_peak"] - tops[-1])
    return list(zip(tops, bottoms, strict=True))


def r2(volumes: NDArray[Any], mass: NDArray[Any]) -> float:
    """Squared correlation with mass."""
    return float(np.corrcoef(volumes, mass)[0, 1] ** 2)


def compared(image: blot.Image, lanes: list[pl.DataFrame], boxes: Boxes, settings: blot.Settings) -> Any:
    """One rule on one set of boxes."""
    table = blot.analyse(blot.Scan(image, boxes), settings).tables["volumes"]
    found: dict[str, list[Any]] = {name: [] for name in ("r2", "r2_raw", "ratio", "shares", "against_hand")}
    random = np.random.default_rng(SEED)
    for nth, rows in enumerate(lanes):
        here = {row["band"]: row for row in table.filter(pl.col("lane") == nth + 1).to_dicts()}
        names = [f"{size:g} kb" for size in rows["size_kb"].to_list()]
        mass, hand = (rows[name].to_numpy().astype(float) for name in ("mass_ng", "raw_profile_sum"))
        net, raw = (np.array([here[name][what] for name in names]) for what in ("volume", "raw_volume"))
        found["r2"].append(r2(net, mass))
        found["r2_raw"].append(r2(raw, mass))
        found["ratio"].append(float(net[names.index("3 kb")] / net[names.index("1.5 kb")]))
        kept = [i for i, name in enumerate(names) if name != "0.2 kb"]
        found["shares"].append(net[kept] / net[kept].sum())
        # Bands drawn anew: does the difference to the person's raw sums outlast the choice of bands?
        picks = random.integers(0, mass.size, size=(DRAWS, mass.size))
        found["against_hand"].append([r2(net[p], mass[p]) - r2(hand[p], mass[p]) for p in picks])
    shares = np.array(found["shares"])
    spread = shares.std(axis=0, ddof=1) / shares.mean(axis=0)
    gain = np.mean(found["against_hand"], axis=0)
    rounded = {name: [round(value, 4) for value in found[name]] for name in ("r2", "r2_raw", "ratio")}
    return rounded | {
        "r2_mean": round(float(np.mean(found["r2"])), 4),
        "r2_raw_mean": round(float(np.mean(found["r2_raw"])), 4),
        "ratio_mean": round(float(np.mean(found["ratio"])), 3),
        "spread_percent": round(100.0 * float(np.median(spread)), 1),
        "r2_over_the_persons_raw_sums": [round(float(q), 4) for q in np.quantile(gain, (0.025, 0.975))],
    }


def compare(folder: Path) -> dict[str, Any]:
    """Every rule on both sets of boxes."""
    image = blot.image.read(folder / "ladder.tif")
    lanes = pl.read_csv(folder / "bands.csv").partition_by("lane", maintain_order=True)
    profiles = [image.counts[:, rows["x_left"][0] : rows["x_right_excl"][0]].mean(axis=1) for rows in lanes]
    sets = {"person": boxes_of(lanes, None), "valley to valley": boxes_of(lanes, profiles)}
    return {
        f"{which} boxes, {name}": compared(image, lanes, boxes, settings)
        for which, boxes in sets.items()
        for name, settings in RULES
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = compare(asked.folder)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, row in found.items():
        print(name)
        for what, value in row.items():
            print(f"  {what:32} {value}")


if __name__ == "__main__":
    main()
