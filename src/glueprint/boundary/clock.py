"""The wall clock, asked in one place: it says when something was written, and decides nothing.

It may be wrong, stand still or be set back; orders and durations come from numbers and the monotonic clock.
"""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now", "text"]


def now() -> datetime:
    """Date and time in UTC, as the system has them."""
    return datetime.now(UTC)


def text(timespec: str = "milliseconds") -> str:
    """The same in ISO 8601. timespec: the smallest part, as `datetime.isoformat` names it."""
    return now().isoformat(timespec=timespec)
