"""Records that go, with the files that go with them: `let_go` is what pages, imports, jobs and the command line call.

Files that name somebody who is anonymised (uploads, exports, what waits for other systems) are
removed.

Shape: a file is read as it is and, where it is a package (xlsx, ods), part by part, in the encodings spreadsheets come
in. It goes as a whole: nobody edits an operator's file. Runs of imports whose upload went say so.
Errors: a file that cannot be read is removed, too; what nobody can look into nobody can clear.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from flask_appadmin.changes import ANONYMISE, REFUSE, Deletion, Departure, carry_on, end_deletion
from flask_appadmin.changes.anonymising import Person, persons_of
from flask_appadmin.changes.running import visible_keys
from flask_appadmin.history import ChangeRecord
from flask_appadmin.rights import Operator
from flask_appadmin.sheets import storage
from flask_appadmin.sheets.outbox import laid_down
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.specs import ModelSpec

_ENCODINGS = ("utf-8", "cp1252", "utf-16-le")
_BLOCK = 1 << 20
#: The name of a file is the beginning of what a record keeps; copies of the record have a word behind it.
_NAME_LENGTH = 32
#: So many records are let go between two looks at the files.
_AT_A_TIME = 50


def let_go(
    instance: Path,
    spec: ModelSpec,
    departures: dict[int, Departure],
    operator: Operator,
    *,
    reason: str = "",
    progress: Callable[[int], None] = lambda done: None,
    result: Deletion | None = None,
) -> Deletion:
    """Deletes, anonymises or leaves each of these records, as planned by `departures_of`, with the files in the
    instance's folder that belong to those who are anonymised. Files of deleted records stay: they may come back.

    `result` is what to go on with, and has what was done where `progress` raises."""
    operator.require(f"{spec.right}.delete")
    result = Deletion() if result is None else result
    result.refused.update({key: list(each.reasons) for key, each in departures.items() if each.outcome == REFUSE})
    keys = [key for key in departures if key not in result.refused]
    try:
        for start in range(0, len(keys), _AT_A_TIME):
            part = {key: departures[key] for key in keys[start : start + _AT_A_TIME]}
            _let_some_go(instance, spec, part, operator, result, reason, _beyond(start, progress))
    finally:
        done = {*result.deleted, *result.anonymised, *result.refused}
        result.left = [key for key in keys if key not in done]
        end_deletion(spec, result)
    return result


def _beyond(begun: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: progress(begun + done)


def _let_some_go(
    instance: Path,
    spec: ModelSpec,
    departures: dict[int, Departure],
    operator: Operator,
    result: Deletion,
    reason: str,
    progress: Callable[[int], None],
) -> None:
    progress(0)
    going = [key for key, departure in departures.items() if departure.outcome == ANONYMISE]
    persons = {key: list(persons_of(spec, [key])) for key in sorted(visible_keys(operator, spec, going))}
    if persons:
        # Before the records: when this stops half-way, a file has to be uploaded once more, and that is all.
        forget_files(instance, [person for found in persons.values() for person in found])
    try:
        carry_on(spec, departures, operator, result, reason=reason, progress=progress)
    finally:
        # Documents are no copies of anything: they go only when nobody is left beside whom they lie.
        gone = [key for key in result.anonymised if key in persons]
        forget_documents(instance, [person for key in gone for person in persons[key]])


def forget_files(instance: Path, persons: Iterable[Person]) -> int:
    """Removes what names one of these persons; answers how many files went."""
    persons = list(persons)
    needles = _needles({word for person in persons for word in person.words})
    gone = 0
    for store in (storage.uploads(instance), storage.exports(instance)):
        paths = sorted(store.folder.iterdir()) if store.folder.is_dir() else []
        names = {path.name for path in paths if path.is_file() and _contains(path, needles)}
        if store.folder.name == "uploads":
            names |= _named_by_rows(persons) & {path.name for path in paths}
            ImportRun.update(storage_name="").where(ImportRun.storage_name.in_(sorted(names))).execute()
        for name in names:
            (store.folder / name).unlink(missing_ok=True)
        gone += len(names)
    for path in laid_down(instance):
        if _contains(path, needles):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def forget_documents(instance: Path, persons: Iterable[Person]) -> int:
    """Removes the files that lay beside persons who are anonymised now, but for those that a copy still leads to."""
    store = storage.documents(instance)
    gone = 0
    for person in persons:
        for name in {file[:_NAME_LENGTH] for file in person.files}:
            children = [child for child in person.spec.children if "storage_name" in child.by_name]
            if store.has(name) and not any(_leads_to(child, name) for child in children):
                store.remove(name)
                gone += 1
    return gone


def _leads_to(spec: ModelSpec, name: str) -> bool:
    """Whether a row leads to the file, or one that was deleted and may come back."""
    if spec.model.select().where(spec.model.storage_name.startswith(name)).exists():
        return True
    removed = (ChangeRecord.entity == spec.name) & (ChangeRecord.action == "delete")
    return bool(ChangeRecord.select().where(removed & ChangeRecord.old_value.contains(name)).exists())


def _needles(words: Iterable[str]) -> list[bytes]:
    found = set()
    for word in words:
        for text in (word, escape(word), word.replace('"', '""')):
            for encoding in _ENCODINGS:
                found.add(text.encode(encoding, "ignore"))
    return sorted(needle for needle in found if len(needle) > 3)


def _named_by_rows(persons: Iterable[Person]) -> set[str]:
    """Uploads whose rows were found to be about one of the persons."""
    names: set[str] = set()
    for person in persons:
        for entity, keys in person.rows.items():
            own = (ImportRow.entity == entity) & ImportRow.record_id.in_(sorted(keys))
            runs = ImportRow.select(ImportRow.run).where(own)
            query: Any = ImportRun.select(ImportRun.storage_name).where(ImportRun.id.in_(runs))
            names.update(row[0] for row in query.tuples())
        by_set = ImportRun.change_set.in_(sorted(person.change_sets))
        names.update(row[0] for row in ImportRun.select(ImportRun.storage_name).where(by_set).tuples())
    return names - {""}


def _contains(path: Path, needles: list[bytes]) -> bool:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                for name in package.namelist():
                    with package.open(name) as part:
                        if _is_in(part, needles):
                            return True
            return False
        with path.open("rb") as file:
            return _is_in(file, needles)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return True


def _is_in(file: Any, needles: list[bytes]) -> bool:
    return any(needle in block for block in _blocks(file, max(map(len, needles), default=1)) for needle in needles)


def _blocks(file: BinaryIO, overlap: int) -> Iterator[bytes]:
    tail = b""
    while block := file.read(_BLOCK):
        yield tail + block
        tail = block[-overlap:]
