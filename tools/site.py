"""Refuses a built site that would fetch anything from a foreign host: `python tools/site.py FOLDER`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

FETCHED = re.compile(r"""<(?:script|link|img|iframe|source)[^>]*?(?:src|href)=["'](?:https?:)?//[^"']+""")
IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//[^)"']+""")


def foreign(folder: Path) -> list[str]:
    """What the pages and styles would fetch, with the file."""
    found = []
    for path in sorted(folder.rglob("*")):
        pattern = {".html": FETCHED, ".css": IN_STYLE}.get(path.suffix)
        if pattern is not None:
            hits = pattern.findall(path.read_text("utf-8"))
            found += [f"{path.relative_to(folder)}: {hit}" for hit in hits if 'rel="canonical"' not in hit]
    return found


if __name__ == "__main__":
    fetched = foreign(Path(sys.argv[1]))
    print("\n".join(fetched) or "nothing is fetched from a foreign host")
    sys.exit(1 if fetched else 0)
