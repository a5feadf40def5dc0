"""Promise: docs/PYTHON.md prints what it says. ``python test_docs.py`` writes it anew."""

import contextlib
import io
import os
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "PYTHON.md"
# A block of Python, and what it prints, if the page says so.
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def run(page):
    """Runs the page's blocks, one after the other. Yields the matches and what the blocks print."""
    names = {"__name__": "page"}
    for block in BLOCK.finditer(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block[1], PAGE.name, "exec"), names)
        yield block, printed.getvalue()


def test_the_page_prints_what_it_says(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    blocks = list(run(PAGE.read_text()))
    assert len(blocks) > 5
    for block, printed in blocks:
        assert printed == (block[2] or ""), block[1]


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    page, done, end = PAGE.read_text(), "", 0
    for block, printed in run(page):
        done += page[end : block.start()] + f"```python\n{block[1]}```\n"
        done += f"\n```text\n{printed}```\n" if printed else ""
        end = block.end()
    PAGE.write_text(done + page[end:])
