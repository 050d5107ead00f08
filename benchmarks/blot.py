"""A 16-bit blot of 1,200 x 1,650 pixels: seconds from file to ratios, and how near the truth they are.

    python -m benchmarks.blot [--repeats 5] [--seed 1]

Prints JSON. One thread. The picture: 15 lanes, two bands, smear, a sloping background, shot noise, turned by
two degrees; drawn by benchmarks/blot_pictures.py, which shares nothing with the analysis.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import polars as pl

from benchmarks.blot_pictures import Blot, draw, tiff_bytes
from glueprint.assays import blot

LANES = 15
ROWS = (620.0, 1050.0)


def picture(seed: int) -> tuple[Blot, bytes]:
    """What is drawn, and the LZW-compressed TIFF file."""
    dose = np.linspace(1.0, 0.0, LANES)
    drawn = Blot(
        np.array([8e6 * dose, np.full(LANES, 1e7)]), ROWS, (8.0, 9.0), shape=(1650, 1200), first_px=110.0,
        pitch_px=70.0, width_px=54.0, smear=0.05, rotation_deg=2.0, gain=2.0,
    )  # fmt: skip
    return drawn, tiff_bytes(draw(drawn, seed), compression="lzw", predictor=True)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    drawn, content = picture(options.seed)
    read, analysed = [], []
    for _ in range(options.repeats):
        start = time.perf_counter()
        image = blot.image.parse(content, "benchmark.tif")
        middle = time.perf_counter()
        result = blot.analyse(image)
        read.append(middle - start)
        analysed.append(time.perf_counter() - middle)
    volumes = result.tables["volumes"]
    first = volumes.filter(pl.col("band") == "band 1")["volume"].to_numpy()
    truth = drawn.volumes[0]
    strong = truth > 0.05 * truth.max()
    relative = first[strong] / truth[strong]
    told = {
        "pixels": [1200, 1650],
        "seconds_read": round(float(np.median(read)), 3),
        "seconds_analysed": round(float(np.median(analysed)), 3),
        "seconds_longest": round(max(a + b for a, b in zip(read, analysed, strict=True)), 3),
        "rotation_deg": result.rotation_deg,
        "lanes": len(result.boxes.file.lane),
        "bands": len(result.boxes.file.band),
        "spread_of_volume_over_truth_percent": round(float(100.0 * relative.std() / relative.mean()), 2),
        "lowest_lane_status": volumes.filter(pl.col("lane") == LANES)["status"].to_list(),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
