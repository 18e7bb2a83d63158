"""„Serienbrief“: the marked customers as a csv file with the lines of their postal address (PX-106).

Shape: one row per customer with an address: number, names, search name and up to seven lines as on an envelope.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actions.print_labels import PrintCustomerLabels
from domain.postal_address import postal_lines
from flask_appadmin.bulk import MEDIA_TYPES, Document, DocumentAction, check_size
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import _, gettext
from flask_appadmin.selections import Selection
from flask_appadmin.sheets.exporting import note_export
from flask_appadmin.sheets.writing.columns import SheetColumn
from flask_appadmin.sheets.writing.csv_file import CsvWriter

#: As many lines as an address field in a window takes (DIN 5008), and one for the country.
_LINES = 7


class WriteLetters(DocumentAction):
    """A file for the mail merge of a text program."""

    name = "write_letters"
    label = _("Serienbrief-Datei")
    group = _("Mehr")
    hint = _("CSV-Datei mit fertigen Anschriftzeilen für den Seriendruck; ohne Kunden, die keine Anschrift haben")
    rights = ("export.run",)

    def render(self, selection: Selection, values: dict[str, Any], folder: Path) -> Document:
        check_size(selection, "export.large")
        records, _skipped, _countries, own_country = PrintCustomerLabels.receivers(selection)
        if not records:
            raise AppAdminError(gettext("Keiner der markierten Kunden hat eine vollständige Anschrift."))
        headings = [gettext("Kundennummer"), gettext("Name 1"), gettext("Name 2"), gettext("PLZ"), gettext("Ort")]
        headings += [gettext("Zeile %(number)s", number=number) for number in range(1, _LINES + 1)]
        path = folder / "letters.csv"
        with CsvWriter(path, [SheetColumn(heading, heading) for heading in headings]) as writer:
            for record in records:
                lines = postal_lines(record, own_country)[:_LINES]
                known = [str(record["customer_number"]), *(record[n] or "" for n in _NAMED)]
                writer.write_row([*known, *lines, *[""] * (_LINES - len(lines))])
        note_export(
            selection.spec,
            selection.operator,
            gettext("Serienbrief: %(what)s", what=selection.describe()),
            "csv",
            columns=headings,
            count=len(records),
        )
        return Document(path, f"{gettext('Serienbrief')}.csv", MEDIA_TYPES["csv"])


_NAMED = ("name_1", "name_2", "postal_code", "city")
