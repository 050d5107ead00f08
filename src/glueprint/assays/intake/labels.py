"""Words that people write for wells without compound, and for what else stands on a plate."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["ROLE_WORDS", "UNUSED", "is_vehicle", "listed", "plain", "role_of"]

SOLVENTS = r"dmso|solvent|vehicle|veh|pbs|water|h2o|ethanol|etoh|methanol|meoh|carrier"
NOTHING = (
    r"untreated|not treated|no treatment|no drug|no compound|no inhibitor|nontreated|non treated|mock|none|"
    r"nil|nt|ut|unt|cells only|untreated cells|kontrolle|unbehandelt|témoin|contrôle|0 [a-zµμ/]+|"
    r"0 ?% (?:inhibition|effect|kill|killing)|100 ?% (?:viability|growth|activity|signal|alive)|"
    r"control|controls|ctrl|ctl|cntrl|neg control|negative control|neg ctrl|nc|neg|negative|0|0\.0|"
)
# "0.1 % DMSO", "DMSO control", "vehicle (DMSO)", "untreated cells".
SHARE = r"\d+(?:[.,]\d+)?\s*%?"
SOLVENT = rf"(?:{SHARE}\s*)?(?:{SOLVENTS})(?:\s+(?:{SOLVENTS}))?(?:\s+{SHARE})?"
VEHICLE = re.compile(
    rf"(?:cells (?:and |with )?)?(?:{SOLVENT}|{NOTHING})"
    r"(?:\s+(?:control|controls|ctrl|only|alone|cells|wells?))?(?:\s+#?\d{1,2})?"
)
UNUSED = "unused"
# What a column of roles says, and the role of a table of cultures that it means.
ROLES: Mapping[str, str] = {
    "treated": "treated|treatment|sample|compound|drug|test|unknown|dose",
    "blank": "blank|background|no cells|medium only|media only|cell free|empty medium|bg",
    "time0": "time0|time 0|time zero|t0|t 0|tz|day0|day 0|start|baseline",
    UNUSED: (
        "empty|unused|exclude|excluded|positive|positive control|pos control|kill|max kill|max|dead|"
        "full kill|min|low control"
    ),
}
# Whatever else stands behind it: "pos_ctrl", "positive ctrl 2", "kill control", "Triton lysis".
POSITIVE = re.compile(
    r"(?:pos|pc|positive|posctrl|pctrl|kill|killing|lysis|lysed|max|full)(?: .*)?|.* (?:lysis|kill)|unused .*"
    r"|100 ?% (?:inhibition|effect|kill|killing)|0 ?% (?:viability|growth|activity|signal|alive)"
)
ROLE_WORDS: Mapping[str, str] = {word: role for role, said in ROLES.items() for word in said.split("|")}


def plain(text: object) -> str:
    """A label in small letters, with single spaces in place of underscores, hyphens, dots and brackets."""
    words = re.sub(r"(?:[\s_()\[\]:;/+-]|\.(?!\d))+", " ", str(text or "").lower())
    return words.strip(" .")


def is_vehicle(text: object) -> bool:
    """Whether a label says that a well got no compound: DMSO, vehicle, untreated, control, none, - or
    nothing."""
    return VEHICLE.fullmatch(plain(text)) is not None


def role_of(text: object) -> str | None:
    """The role that a word means: treated, control, time0, blank, "unused", "" for nothing; None if
    unknown."""
    words = plain(text)
    if not words:
        return ""
    known = ROLE_WORDS.get(words) or ("control" if is_vehicle(words) else None)
    return known or (UNUSED if POSITIVE.fullmatch(words) else None)


def listed(text: str) -> tuple[str, ...]:
    """Words and phrases that stand between "|"."""
    return tuple(text.split("|"))
