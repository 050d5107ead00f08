"""One rule for the text of a file."""

from __future__ import annotations

import pytest

from glueprint.boundary.text import decoded


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_and_without_their_mark(encoding):
    assert decoded("µM ≤ 5\n".encode(encoding)) == "µM ≤ 5\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\nb\xe9", "not UTF-8 text (line 2"),
        (b"\xff\xfea", "not UTF-16 text"),
        (b"kept\nlost\x00after", "a zero byte in line 2"),
    ],
)
def test_what_is_no_text_is_said(content, words):
    with pytest.raises(ValueError, match="not") as caught:
        decoded(content)
    assert words in str(caught.value)
