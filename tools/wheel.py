"""Builds the wheel and the source archive, and tries the wheel outside the tree, with and without extras.

    python tools/wheel.py [FOLDER]     leaves both files in FOLDER, dist if none is named

Needs `build` and `hatchling`, and no network. Exit code 1 says what is amiss.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glueprint"
# Of the extras and of the tests: nothing that the core does may need them.
EXTRAS = (
    "allotropy",
    "cryptography",
    "dask",
    "distributed",
    "hypothesis",
    "lifelines",
    "pandas",
    "pyreadstat",
    "roadrunner",
)
# As if they were not installed: no finder knows them, and all else of it is the finder's own.
WITHOUT = f"""
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        absent = name.split(".")[0] in {EXTRAS!r}
        return None if absent else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
WANTED = ("pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "Makefile", "tests/conftest.py")
CALL = "from glueprint.cli import main; main()"
COMMANDS = (
    ["--version"],
    ["evidence", "show", "G4-os-hr", "--json"],
    ["assay", "twin", "fp", "--out", "plate"],
    ["trial", "show", "mm003"],
    ["qualify", "--quick", "--out", "qualification"],
)


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the source archive, made from what stands in the tree."""
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], check=True)
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, archive


def missing(wheel: Path) -> list[str]:
    """Files of the package that the wheel lacks, and files that have no place in it."""
    written = {
        f"glueprint/{path.relative_to(SOURCE)}"
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    package = {name for name in held if name.startswith("glueprint/")}
    stray = {name for name in held - package if ".dist-info/" not in name}
    return sorted(f"not in the wheel: {name}" for name in written - package) + sorted(
        f"does not belong in the wheel: {name}" for name in (package - written) | stray
    )


def lacking(archive: Path) -> list[str]:
    """What one needs to build and test from the source archive, and does not find there."""
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    wanted = (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CITATION.cff",
        "Makefile",
        "requirements.lock",
        "tests/conftest.py",
    )
    return [f"not in the source archive: {name}" for name in wanted if name not in held]


def tried(wheel: Path, *, without: bool) -> list[str]:
    """Commands that fail where only the wheel is installed, and whatever was imported from elsewhere."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            place / "site",
        ]
        subprocess.run([*pip, wheel], check=True)
        environment = {**os.environ, "PYTHONPATH": str(place / "site")}
        before = WITHOUT if without else ""

        def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
            line = [sys.executable, "-c", before + code, *words]
            return subprocess.run(
                line, capture_output=True, text=True, check=False, cwd=place, env=environment
            )

        home = run("import glueprint; print(glueprint.__file__)").stdout.strip()
        if not home.startswith(str(place)):
            return [f"imported from {home}, which is not the wheel"]
        return [
            f"glueprint {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()[-400:]}"
            for words in COMMANDS
            if (done := run(CALL, *words)).returncode
        ]


def main() -> int:
    """Build, look and try; what is amiss is printed as JSON."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    wheel, archive = build(folder)
    amiss = missing(wheel) + lacking(archive) + tried(wheel, without=False) + tried(wheel, without=True)
    print(json.dumps({"wheel": wheel.name, "bytes": wheel.stat().st_size, "amiss": amiss}, indent=2))
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
