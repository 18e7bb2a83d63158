"""Files that are made for one answer: sent as a download and gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flask import send_file

from flask_appadmin.bulk import MEDIA_TYPES, Document
from flask_appadmin.database import utcnow
from flask_appadmin.i18n import to_local
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter
from flask_appadmin.sheets.writing.workbook import WorkbookWriter


def send_made(make: Callable[[Path], Document]) -> Any:
    """Has a document made in a folder of its own and sends it."""
    folder = tempfile.TemporaryDirectory(prefix="kontor-")
    try:
        document = make(Path(folder.name))
        answer = send_file(
            document.path, mimetype=document.media_type, as_attachment=True, download_name=document.file_name
        )
    except BaseException:
        folder.cleanup()
        raise
    answer.call_on_close(folder.cleanup)
    return answer


def send_table(
    name: str, file_format: str, columns: Sequence[SheetColumn], rows: Iterable[Sequence[Any]], author: str = ""
) -> Any:
    """Sends rows as a table, "<name> <today>.xlsx" or, where that is asked for, .csv."""

    def make(folder: Path) -> Document:
        path = folder / f"table.{file_format}"
        if file_format == "csv":
            with CsvWriter(path, columns) as table:
                table.write_rows(rows)
        else:
            with WorkbookWriter(path, title=name, author=author) as book:
                book.add_table(name, columns).write_rows(rows)
        return Document(path, f"{name} {to_local(utcnow()):%Y-%m-%d}.{file_format}", MEDIA_TYPES[file_format])

    return send_made(make)
