"""Mutated images and box files: whatever is cut, swapped or inserted, an answer or a coded error comes out.

    python -m benchmarks.image_mutations [--files 2000] [--seed 1] [--json]

Counts the outcomes by code; an exception without a code is a failure, printed with the seed and number that
reproduce it. The pictures are small, drawn here, in every packing that is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import imagecodecs
import numpy as np

from benchmarks.blot_pictures import Blot, draw, tiff_bytes
from benchmarks.fuzzing import Outcomes, arguments, attempts, conduct
from glueprint.assays import blot
from glueprint.errors import GlueprintError, InternalError

__all__ = ["mutated", "outcome", "run", "subjects"]

SHAPE = (170, 230)
BOXES = "boxes"
# Numbers at which sizes, offsets and counts of tags break.
TELLING = (b"\x00\x00", b"\xff\xff", b"\x7f\xff", b"\x01\x00", b"\x00\x01\x00\x00", b"\xff\xff\xff\x7f")
WORDS = (b"nan", b"inf", b"-", b"1e99", b'"', b"[[lane]]\n", b"=", b"99999999999999999999", b"\xff", b"\n")
MOST_CHANGES = 5
LONGEST_CUT = 120


@cache
def subjects() -> tuple[tuple[str, bytes], ...]:
    """Names and contents: a blot in every packing that is read, and its box file."""
    drawn = Blot(
        np.array([[4e5, 2e5, 0.0], [5e5, 5e5, 5e5]]), (50.0, 110.0), (4.0, 4.0), shape=SHAPE, first_px=45.0
    )
    counts = draw(drawn)
    # As programs export 8 bits: over the range that the picture uses.
    eight = np.round(counts / counts.max() * 230.0).astype(np.uint8)
    greys = np.repeat(257 * np.arange(256, dtype=np.uint16)[None], 3, axis=0)
    found = blot.analyse(blot.from_array(counts)).boxes
    text = blot.boxes_writing.text(found).replace("vehicle = false", "vehicle = true", 2)
    return (
        ("plain.tif", tiff_bytes(counts)),
        ("lzw.tif", tiff_bytes(counts, compression="lzw", predictor=True)),
        ("deflate.tif", tiff_bytes(counts, compression="deflate", tile=(64, 64))),
        ("packbits.tif", tiff_bytes(eight, compression="packbits")),
        ("colour.tif", tiff_bytes(np.stack([eight] * 3, axis=-1), photometric="rgb", compression="lzw")),
        ("stain.png", bytes(imagecodecs.png_encode(np.stack([eight, eight // 2, 0 * eight], axis=-1)))),
        ("palette.tif", tiff_bytes(eight, photometric="palette", colormap=greys)),
        ("big.tif", tiff_bytes(counts, bigtiff=True)),
        ("blot.png", bytes(imagecodecs.png_encode(counts))),
        ("blot.jpg", bytes(imagecodecs.jpeg8_encode(eight))),
        (BOXES, text.encode()),
    )


def mutated(content: bytes, random: np.random.Generator, *, text: bool) -> bytes:
    """The content with one to five changes; half of them near the front, where tags and headers are."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, MOST_CHANGES + 1))):
        if not changed:
            return bytes(changed)
        reach = len(changed) if random.random() < 0.5 else min(len(changed), 400)
        place = int(random.integers(0, reach))
        length = int(random.integers(1, LONGEST_CUT))
        telling = WORDS if text else TELLING
        word = telling[int(random.integers(0, len(telling)))]
        match int(random.integers(0, 6)):
            case 0:
                del changed[place : place + length]
            case 1:
                changed[place] = int(random.integers(0, 256))
            case 2:
                changed[place : place + len(word)] = word
            case 3:
                changed[place:place] = word
            case 4:
                other = int(random.integers(0, len(changed)))
                one, two = changed[place : place + 4], changed[other : other + 4]
                changed[place : place + 4], changed[other : other + 4] = two, one
            case _:
                del changed[max(place, len(changed) // 4) :]
    return bytes(changed)


def outcome(name: str, content: bytes) -> str:
    """ "analysed", or the code that reading or analysing gives.

    Raises whatever is no GlueprintError, and InternalError.
    """
    try:
        if name == BOXES:
            image = blot.image.parse(subjects()[0][1], "plain.tif")
            boxes = blot.boxes.parse(content.decode(errors="replace"), "boxes.toml")
            scan = blot.Scan(image, boxes)
        else:
            scan = blot.Scan(blot.image.parse(content, name))
        result = blot.analyse(scan)
        result.as_dict()
    except InternalError:
        raise
    except GlueprintError as error:
        return error.code
    return "analysed"


def run(files: int, seed: int) -> Outcomes:
    """Outcomes by code, and failures, of many mutations."""
    every = subjects()

    def mutation(random: np.random.Generator) -> tuple[str, Callable[[], list[str]]]:
        name, content = every[int(random.integers(0, len(every)))]
        broken = mutated(content, random, text=name == BOXES)
        return name, lambda: [outcome(name, broken)]

    return attempts(files, seed, mutation)


def main() -> None:
    options = arguments(__doc__, 2000).parse_args()
    conduct(options, lambda: run(options.files, options.seed))


if __name__ == "__main__":
    main()
