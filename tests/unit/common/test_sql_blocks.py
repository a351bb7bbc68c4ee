from pathlib import Path

import pytest

from common.sql_blocks import SqlBlocks

FILE = """\
-- What the file is about.

-- name: count
-- What it is for.
SELECT COUNT(*) -- all of them
FROM {table};

-- name: none
SELECT 1
"""


@pytest.fixture
def blocks(tmp_path: Path) -> SqlBlocks:
    file = tmp_path / "some.sql"
    file.write_text(FILE, encoding="utf-8")
    return SqlBlocks(file)


def test_a_block_is_its_statement_without_what_is_said_about_it(blocks: SqlBlocks) -> None:
    assert blocks.fill("count", table="`d.t`") == "SELECT COUNT(*) -- all of them\nFROM `d.t`;"
    assert blocks.fill("none") == "SELECT 1"


def test_names_and_placeholders_that_do_not_agree_are_told(blocks: SqlBlocks) -> None:
    with pytest.raises(KeyError, match="table"):
        blocks.fill("count")
    with pytest.raises(ValueError, match="no placeholder for elsewhere"):
        blocks.fill("none", elsewhere="x")
    with pytest.raises(KeyError, match="unheard_of"):
        blocks.fill("unheard_of")
