"""Measurements of what the documentation claims: `python -m benchmarks.engine --json`."""
