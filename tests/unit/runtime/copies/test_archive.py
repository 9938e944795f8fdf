"""The file of a copy: pieces, what the tables say, and that memory does not grow with its rows."""

import io
import json
import tracemalloc
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import pytest

from crouter.contract.data import Field, Record
from crouter.runtime.copies.archive import PAGE_ROWS_MAX, Copy, write_archive
from crouter.runtime.copies.contents import CopiedRecord
from crouter.runtime.copies.pieces import PIECE_BYTES, Piece, PieceReader, PiecesLostError, PieceWriter, new_opener
from crouter.runtime.sealing import SealError

MOMENT = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIELDS = (
    Field("id", "uuid", "names the row", "data.usage.technical.id"),
    Field("model", "text", "model", "data.usage.fields.model", personal=True),
    Field("tokens", "count", "token counts", "data.usage.fields.tokens", personal=True),
    Field("at", "timestamp", "time", "data.usage.fields.at", personal=True),
)
RECORD = CopiedRecord(Record("usage", "usage data", "data.usage", "id", FIELDS, "account"), FIELDS, {})
COPY = Copy(
    "Crouter", "contact@example.org", MOMENT, (RECORD,), {"api_key.sealed": "a secret"}, ("json", "csv", "html")
)


def rows_of(count: int, model: str = "claude") -> Any:
    def rows(copied: CopiedRecord) -> Iterator[tuple[Any, ...]]:
        return ((uuid.UUID(int=n), model, n, MOMENT) for n in range(count))

    return rows


def archive(count: int, model: str = "claude") -> zipfile.ZipFile:
    out = io.BytesIO()
    write_archive(out, COPY, rows_of(count, model), lambda rows: None)
    return zipfile.ZipFile(out)


def test_each_form_has_each_row() -> None:
    with archive(1200) as found:
        data = json.loads(found.read("data.json"))
        assert [row["tokens"] for row in data["usage"]] == list(range(1200))
        assert found.read("csv/usage.csv").count(b"\n") == 1201
        page = found.read("index.html").decode()
    assert page.count("<tr>") == PAGE_ROWS_MAX + 1
    assert "csv/usage.csv has all of them" in page


@pytest.mark.parametrize("model", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_text_is_a_formula_in_a_table(model: str) -> None:
    with archive(1, model) as found:
        assert f"'{model}" in found.read("csv/usage.csv").decode()
        assert json.loads(found.read("data.json"))["usage"][0]["model"] == model


def test_text_is_data_on_the_page() -> None:
    with archive(1, "<script>alert(1)</script>") as found:
        assert "<script>" not in found.read("index.html").decode()


def test_memory_does_not_grow_with_the_rows() -> None:
    peaks = []
    for count in (300, 5_000):
        writer = PieceWriter(new_opener(), lambda pieces: None)
        tracemalloc.start()
        write_archive(cast("BinaryIO", writer), COPY, rows_of(count), lambda rows: None)
        writer.finish()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # What is written grows manifold; what is held does not.
    assert peaks[1] < peaks[0] + 1_000_000, peaks


def written(data: bytes, opener: bytes) -> list[Piece]:
    kept: list[Piece] = []
    writer = PieceWriter(opener, kept.extend)
    writer.write(data)
    writer.finish()
    return kept


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES])
def test_pieces_give_what_was_written_and_fit_their_column(size: int) -> None:
    opener, data = new_opener(), bytes(n % 251 for n in range(size))
    pieces = written(data, opener)
    assert b"".join(PieceReader(opener).opened(pieces)) == data
    assert all(29 <= len(sealed) <= 4096 for _, _, sealed in pieces)


def test_pieces_open_in_their_order_with_their_key_only() -> None:
    opener = new_opener()
    pieces = written(b"x" * 3 * PIECE_BYTES, opener)
    with pytest.raises(PiecesLostError):
        list(PieceReader(opener).opened([pieces[0], pieces[2]]))
    with pytest.raises(SealError):
        list(PieceReader(new_opener()).opened(pieces))
    one, two = pieces[:2]
    with pytest.raises(SealError):
        list(PieceReader(opener).opened([(one[0], 0, two[2])]))
