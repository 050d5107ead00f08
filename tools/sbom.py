"""The parts of this Glueprint installation with their licences, as CycloneDX 1.5 JSON on standard output.

    python tools/sbom.py > glueprint.cdx.json

Exit code 1 if a part has a licence that Glueprint's own cannot be combined with.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata

ROOT = "glueprint"
NAME = re.compile(r"[A-Za-z0-9._-]+")
OPTIONAL = re.compile(r"extra\s*==")
# Strong copyleft; the LGPL of libsbml allows what is done with it, which is to call it.
REFUSED = re.compile(r"(?<!L)\bA?GPL|(?<!lesser )general public license|affero", re.IGNORECASE)
LESSER = re.compile(r"\bLGPL|lesser general public", re.IGNORECASE)


def canonical(name: str) -> str:
    """A package's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parts(root: str = ROOT) -> dict[str, metadata.Distribution]:
    """The root and all that it needs here, by name; optional extras are left out."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [root]
    while waiting:
        name = canonical(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on another system, such as colorama
            continue
        needed = (line for line in found[name].requires or [] if not OPTIONAL.search(line))
        waiting += [match[0] for line in needed if (match := NAME.match(line))]
    return found


def licence(part: metadata.Distribution) -> str:
    """What a package says of its licence, the shortest of its ways to say it; empty if it says nothing."""
    said = part.metadata
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    text = (said.get("License") or "").strip()
    short = text if text and "\n" not in text and len(text) < 80 else ""
    return said.get("License-Expression") or short or "; ".join(classifiers) or text[:80]


def is_refused(said: str) -> bool:
    """Whether a licence is strong copyleft; of a choice ("A OR B"), one fine part is enough."""
    choices = re.split(r"\s+OR\s+", said)
    return all(REFUSED.search(LESSER.sub("", choice)) for choice in choices)


def bill() -> dict[str, object]:
    """The bill of materials, CycloneDX 1.5."""
    found = parts()
    components = [
        {
            "type": "library",
            "name": name,
            "version": part.version,
            "purl": f"pkg:pypi/{name}@{part.version}",
            "licenses": [{"license": {"name": licence(part) or "not said"}}],
        }
        for name, part in sorted(found.items())
        if name != ROOT
    ]
    about = {"type": "application", "name": ROOT, "version": found[ROOT].version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": about},
        "components": components,
    }


def main() -> int:
    """Print the bill; 1 if a licence is refused or not said."""
    json.dump(bill(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    wrong = [name for name, part in parts().items() if not licence(part) or is_refused(licence(part))]
    for name in wrong:
        sys.stderr.write(f"{name}: licence {licence(parts()[name]) or 'not said'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
