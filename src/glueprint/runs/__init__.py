"""Running and keeping: random streams, stored tables, provenance. Knows no science."""
