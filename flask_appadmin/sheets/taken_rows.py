"""Rows that an earlier import took over are known again when the marked file comes back with the rest mended.

Shape: a marked workbook carries a sheet of facts: the run it was made for and a digest of each row that the run would
write. When the file comes back, `taken_digests` asks the database which of them that run has really written and nobody
took back; a row whose mapped cells still give such a digest is done, wherever it stands now. Without this a list
without numbers would make its good records a second time. A row that was changed since has another digest and is
planned like any other. Beside the facts the workbook has a list of problems, which is no table to import.
Errors: none; facts that cannot be read say nothing. Source: goal M3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from flask_appadmin.changes import known_specs
from flask_appadmin.database import key_condition
from flask_appadmin.digits import is_number
from flask_appadmin.history import ChangeRecord, taken_back
from flask_appadmin.i18n import _, use_locale
from flask_appadmin.sheets.applying import WRITTEN, is_conflict, is_left_out, source_of
from flask_appadmin.sheets.mapping import KEY_TARGET
from flask_appadmin.sheets.planned import CHUNK, batches
from flask_appadmin.sheets.rowkeys import RowDigest
from flask_appadmin.sheets.sessions import ImportRow, ImportRun

#: Heading of the added column; it leads nowhere when the file comes back.
FINDING = _("Befund")
#: Headings of the list of problems.
PROBLEM_HEADINGS = (_("Zelle"), _("Blatt"), _("Art"), _("Spalte"), _("Wert"), _("Befund"))
#: Begins the name of the sheet of facts.
FACTS_NAME = "appadmin_marks"
#: Digests of so many rows are kept in one cell.
_IN_ONE_CELL = 1_000
#: About so many rows of one file are known again.
_MOST = 200_000


class TakenRows:
    """Digests of rows by the fields to which their columns lead, whatever the order of the columns."""

    def __init__(self, targets: Sequence[str]) -> None:
        chosen = sorted((target, index) for index, target in enumerate(targets) if target and target != KEY_TARGET)
        self._indexes = [index for _target, index in chosen]
        self._digest = RowDigest((target, "any") for target, _index in chosen)

    def of(self, cells: Sequence[Any]) -> str:
        """The digest of a row, "" for one without any mapped cell."""
        width = len(cells)
        values = [cells[index] if index < width else None for index in self._indexes]
        values = [value.strip() if type(value) is str else value for value in values]
        return self._digest.of(values) if any(value not in (None, "") for value in values) else ""


def is_list_of_problems(rows: Iterable[Sequence[Any]]) -> bool:
    """Whether these rows are the head of a list of problems that we wrote."""
    wanted = set()
    for locale in ("de", "en"):
        with use_locale(locale):
            wanted.add(tuple(str(heading) for heading in PROBLEM_HEADINGS))
    return any(tuple(row[: len(PROBLEM_HEADINGS)]) in wanted for row in rows)


def heading_of(facts: Sequence[Sequence[Any]]) -> str:
    """What the column of findings is called in a file that was marked before, "" if it says nothing."""
    return str(facts[0][1] or "") if facts and len(facts[0]) > 1 and facts[0][0] == "heading" else ""


def facts_of(
    run: ImportRun, heading: str, digests: dict[str, dict[int, str]], earlier: Sequence[Sequence[Any]]
) -> list[tuple[str, str]]:
    """The rows of the sheet of facts: those of this run, then those of earlier runs of the same file.

    `heading` is that of the column of findings; `digests`: sheet -> row -> digest.
    """
    rows = [("heading", heading), ("run", _name_of(run))]
    for sheet, found in digests.items():
        for part in batches(found.items(), _IN_ONE_CELL):
            rows.append((sheet, " ".join(f"{row}:{digest}" for row, digest in part)))
    rows += [(str(row[0] or ""), str(row[1] or "")) for row in earlier[1:] if len(row) > 1]
    return rows[: _MOST // _IN_ONE_CELL]


def taken_digests(facts: Sequence[Sequence[Any]], entity: str) -> dict[str, int]:
    """Digest -> how many rows of that content were taken over and stand."""
    found: dict[str, int] = {}
    own: Counter[str] = Counter()
    done: set[tuple[str, int]] = set()
    for row in facts[1:]:
        first, text = (str(cell or "") for cell in (*row, "", "")[:2])
        if first == "run":
            found = {digest: max(own[digest], found.get(digest, 0)) for digest in {**found, **own}}
            own, done = Counter(), _places_of(text, entity)
            continue
        for pair in text.split() if done else ():
            number, _colon, digest = pair.partition(":")
            if is_number(number, 8) and (first[:60], int(number)) in done:
                own[digest] += 1
    return {digest: max(own[digest], found.get(digest, 0)) for digest in {**found, **own}}


def _places_of(name: str, entity: str) -> set[tuple[str, int]]:
    """Sheet and number of each row that the run of this name has taken over; none if it was taken back."""
    number = name.partition(" ")[0]
    if not is_number(number):
        return set()
    run = ImportRun.get_or_none(ImportRun.id == int(number), ImportRun.entity == entity)
    if run is None or _name_of(run) != name or run.change_set_id is None or taken_back([run.change_set_id]):
        return set()
    return _taken_places(run)


def _name_of(run: ImportRun) -> str:
    """The number of a run that was only rehearsed is given out again, so its beginning belongs to its name."""
    return f"{run.id} {run.started_at:%Y-%m-%dT%H:%M:%S.%f}"


def _taken_places(run: ImportRun) -> set[tuple[str, int]]:
    """Sheet and number of each row of a run that was written as a whole."""
    places: dict[tuple[str, int], bool] = {}
    made = _made(run)
    for row in ImportRow.select().where(ImportRow.run == run.id).iterator():
        written = row.state in WRITTEN and not is_left_out(row)
        if row.state == "conflict":
            written = written and all(name in row.decisions for name, cell in row.plan.items() if is_conflict(cell))
        if row.state == "new":
            written = written and (row.entity, source_of(row)) in made
        place = row.sheet, row.row_number
        places[place] = places.get(place, True) and written
    return {place for place, written in places.items() if written}


def _made(run: ImportRun) -> set[tuple[str, str]]:
    """Table and place in the file of the records that a run has made and that are still there."""
    query = ChangeRecord.select(ChangeRecord.entity, ChangeRecord.record_id, ChangeRecord.source)
    query = query.where(ChangeRecord.change_set == run.change_set_id, ChangeRecord.action == "create")
    by_table: dict[str, dict[int, str]] = {}
    for entity, key, source in query.tuples():
        by_table.setdefault(entity, {})[key] = source
    found: set[tuple[str, str]] = set()
    for entity, sources in by_table.items():
        spec = known_specs().get(entity)
        if spec is None:
            continue
        key_field = spec.model._meta.primary_key
        for part in batches(sorted(sources), CHUNK):
            present = spec.model.select(key_field).where(key_condition(key_field, part)).tuples()
            found.update((entity, sources[row[0]]) for row in present)
    return found
