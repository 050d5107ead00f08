"""Writes what the commands of each group are for, which help pages show without importing them."""

from __future__ import annotations

import json

from glueprint.cli import groups

groups.LISTING.write_text(json.dumps(groups.listing(), indent=1, ensure_ascii=False) + "\n", "utf-8")
