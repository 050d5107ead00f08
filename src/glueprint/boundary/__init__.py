"""The boundary: what comes from outside, before any room looks at it.

`files` opens plain files and never what a link or a name leads to elsewhere; `text` rules encodings, zero
bytes and terminal escapes; `spreadsheets` writes cells that no spreadsheet computes; `guarded` runs a library
that may crash, hang or fill the memory in a process of its own. Nothing here knows a format or a science.
"""
