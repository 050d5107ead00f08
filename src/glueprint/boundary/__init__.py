"""The boundary: what comes from outside, before any room looks at it.

`files` opens plain files and never what a link or a name leads to elsewhere; `text` rules encodings, zero
bytes and terminal escapes; `spreadsheets` writes cells that no spreadsheet computes; `guarded` runs a library
that may crash, hang or fill the memory in a process of its own; `journal` notes what was read and written;
`clock` says when.
Nothing here knows a format or a science.
"""

from glueprint.boundary import clock, files, journal
from glueprint.boundary.files import odd_entries, read_plain, read_text
from glueprint.boundary.guarded import Ended, Helper, Limits
from glueprint.boundary.spreadsheets import inert
from glueprint.boundary.text import decoded, decoded_anyhow, in_json, shown

# `model_text` and `submodels` load the libraries for models: they are imported where they are asked for.
__all__ = [
    "Ended",
    "Helper",
    "Limits",
    "clock",
    "decoded",
    "decoded_anyhow",
    "files",
    "in_json",
    "inert",
    "journal",
    "model_text",
    "odd_entries",
    "read_plain",
    "read_text",
    "shown",
    "submodels",
]
