"""The table of label formats, from which operators choose what they print on, and the formats a new database has.

Shape: one row is a sheet (or a single label) with the presets of the print dialog. Units: mm with two places; the gap
is the white strip between two labels. Errors: a format whose labels do not fit on its page is refused like any wrong
value; `find_format` raises `LabelError` for an unknown name.
Source: NE-13 to NE-17; the sheets come from catalogue.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from peewee import CharField, IntegerField

from flask_appadmin.database import Record
from flask_appadmin.errors import FieldError, LabelError
from flask_appadmin.fieldtypes.columns import DecimalField
from flask_appadmin.i18n import _, gettext
from flask_appadmin.labels.catalogue import PAGES, SHEETS
from flask_appadmin.labels.geometry import SheetGeometry
from flask_appadmin.labels.sheet import MAXIMUM_COPIES
from flask_appadmin.specs import Description, described, spec_of

#: The names of the two formats an operator gets without choosing.
SINGLE_LABEL, A4_SHEET = "Einzel-Etikett 89 x 36 mm", "Etikettenbogen A4 (3 x 8)"


def _length(label: Any, *, minimum: str = "0", default: str | None = "0") -> Any:
    """A column for a length in mm."""
    options: dict[str, Any] = {} if default is None else {"default": Decimal(default)}
    return described(
        DecimalField(6, 2, verbose_name=label, **options), unit="mm", minimum=Decimal(minimum), group="sheet"
    )


class LabelFormat(Record):
    """What labels are printed on, and how."""

    name = described(
        CharField(max_length=60, unique=True, verbose_name=_("Etikettenformat")),
        natural_key=True,
        listed=True,
        searchable=True,
        copy="clear",
        group="main",
    )
    kind = described(
        CharField(
            max_length=6,
            choices=[("single", _("Einzel-Etiketten")), ("sheet", _("Etikettenbogen"))],
            verbose_name=_("Art der Etiketten"),
            help_text=_(
                "Einzel-Etiketten: jede Seite ist ein Etikett. Etikettenbogen: mehrere Etiketten auf einer Seite."
            ),
        ),
        listed=True,
        group="main",
    )
    sort_order = described(
        CharField(
            max_length=11,
            choices=[("number", _("Nummer")), ("name", _("Name")), ("postal_code", _("PLZ"))],
            default="number",
            verbose_name=_("Sortierung der Etiketten"),
            help_text=_("Vorgabe für den Druckdialog."),
        ),
        group="main",
    )
    address_choice = described(
        CharField(
            max_length=9,
            choices=[
                ("residence", _("Wohnort")),
                ("delivery", _("Lieferadresse")),
                ("invoice", _("Rechnungsadresse")),
            ],
            default="residence",
            verbose_name=_("Adresse auf dem Etikett"),
            help_text=_("Vorgabe für den Druckdialog. Fehlt die gewählte Adresse, wird die Hauptadresse gedruckt."),
        ),
        group="main",
    )
    copies = described(
        IntegerField(default=1, verbose_name=_("Etiketten pro Datensatz")),
        minimum=1,
        maximum=MAXIMUM_COPIES,
        group="main",
    )
    page_width = _length(_("Seitenbreite"), minimum="5", default="210")
    page_height = _length(_("Seitenhöhe"), minimum="5", default="297")
    columns = described(
        IntegerField(default=1, verbose_name=_("Spalten je Bogen")), minimum=1, maximum=100, listed=True, group="sheet"
    )
    rows = described(
        IntegerField(default=1, verbose_name=_("Zeilen je Bogen")), minimum=1, maximum=100, listed=True, group="sheet"
    )
    label_width = described(
        DecimalField(6, 2, verbose_name=_("Etikettenbreite")), unit="mm", minimum=Decimal(5), listed=True, group="sheet"
    )
    label_height = described(
        DecimalField(6, 2, verbose_name=_("Etikettenhöhe")), unit="mm", minimum=Decimal(5), listed=True, group="sheet"
    )
    margin_left = _length(_("Rand links"))
    margin_top = _length(_("Rand oben"))
    gap_horizontal = _length(_("Abstand waagerecht"))
    gap_vertical = _length(_("Abstand senkrecht"))

    description = Description(
        label=_("Etikettenformat"),
        plural=_("Etikettenformate"),
        title=("name",),
        menu="values",
        right="value",
        order=("id",),
    )

    class Meta:
        table_name = "label_format"

    @classmethod
    def validate(cls, values: dict[str, Any], operation: str) -> Iterable[FieldError]:
        """Labels must fit on their page; each length alone is checked by its own limits."""
        if any(values.get(name) is None for name in _GEOMETRY_FIELDS):
            return
        try:
            geometry_of(values)
        except LabelError as fault:
            yield FieldError(spec_of(cls).field("label_width"), values["label_width"], fault.sentence())

    def geometry(self) -> SheetGeometry:
        """Where the labels stand on the page."""
        return geometry_of({name: getattr(self, name) for name in _GEOMETRY_FIELDS})


_GEOMETRY_FIELDS = (
    "kind",
    "page_width",
    "page_height",
    "columns",
    "rows",
    "label_width",
    "label_height",
    "margin_left",
    "margin_top",
    "gap_horizontal",
    "gap_vertical",
)


def geometry_of(values: dict[str, Any]) -> SheetGeometry:
    """The geometry of a format given as field values; single labels need neither page nor rows."""
    width, height = float(values["label_width"]), float(values["label_height"])
    if values["kind"] == "single":
        return SheetGeometry.single(width, height)
    return SheetGeometry(
        page_width=float(values["page_width"]),
        page_height=float(values["page_height"]),
        columns=values["columns"],
        rows=values["rows"],
        label_width=width,
        label_height=height,
        margin_left=float(values["margin_left"]),
        margin_top=float(values["margin_top"]),
        pitch_x=float(values["label_width"] + values["gap_horizontal"]),
        pitch_y=float(values["label_height"] + values["gap_vertical"]),
    )


def factory_formats() -> list[dict[str, Any]]:
    """The rows a new database starts with: the single label, the A4 sheet, and the sheets that can be bought."""
    single = {
        "name": SINGLE_LABEL,
        "kind": "single",
        "page_width": "89",
        "page_height": "36",
        "columns": 1,
        "rows": 1,
        "label_width": "89",
        "label_height": "36",
        "margin_left": "0",
        "margin_top": "0",
        "gap_horizontal": "0",
        "gap_vertical": "0",
    }
    sheet = single | {
        "name": A4_SHEET,
        "kind": "sheet",
        "page_width": "210",
        "page_height": "297",
        "columns": 3,
        "rows": 8,
        "label_width": "70",
        "label_height": "36",
        "margin_top": "4.5",
    }
    formats = [single, sheet]
    for article in SHEETS:
        width, height = PAGES[article.page]
        formats.append(
            {
                "name": article.name,
                "kind": "sheet",
                "page_width": str(width),
                "page_height": str(height),
                "columns": article.columns,
                "rows": article.rows,
                "label_width": str(article.label_width),
                "label_height": str(article.label_height),
                "margin_left": str(article.margin_left),
                "margin_top": str(article.margin_top),
                "gap_horizontal": f"{article.pitch_x - article.label_width:.2f}",
                "gap_vertical": f"{article.pitch_y - article.label_height:.2f}",
            }
        )
    return [
        {
            name: Decimal(value) if isinstance(value, str) and name not in ("name", "kind") else value
            for name, value in row.items()
        }
        for row in formats
    ]


def find_format(name: str) -> LabelFormat:
    """The format of that name; the maker's article number ("L7160") is enough where only one format has it."""
    wanted = " ".join(name.split()).casefold()
    formats = list(LabelFormat.select())
    found = [row for row in formats if row.name.casefold() == wanted] or [
        row for row in formats if wanted in row.name.casefold().split()
    ]
    if len(found) != 1:
        raise LabelError(
            gettext(
                "Das Etikettenformat „%(name)s“ gibt es nicht. Vorhanden ist zum Beispiel: %(names)s.",
                name=name[:60],
                names=", ".join(f"„{row.name}“" for row in (found or formats)[:4]),
            )
        )
    return found[0]
