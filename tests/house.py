"""Reads the house: which file imports what, who writes records, what templates contain.

Shape: every rule is a function that takes files and returns sentences, one per breach, each beginning with the place
(`file:line`); an empty list means that the rule holds. `tests/test_house.py` asks them. Nothing here imports the
application: files are read as text and with `ast`.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYER = "flask_appadmin"

#: Folders that are not the house: what tools and a running Kontor leave behind. Their names begin so.
_NOT_OURS = (".venv", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".out", "__pycache__")
_NOT_OURS_AT_THE_TOP = ("instance", "build", "dist")

_TEXT = {
    "", ".py", ".html", ".css", ".js", ".mjs", ".svg", ".md", ".txt", ".po", ".tsv", ".csv", ".json", ".toml", ".lock",
    ".cfg", ".ini", ".sh", ".yml", ".yaml", ".xml", ".in",
}  # fmt: skip


@dataclass(frozen=True)
class HouseFile:
    """A file of the house; `place` is its path from the root of the repository, with slashes."""

    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def suffix(self) -> str:
        return Path(self.place).suffix

    def line_of(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1


def files(*suffixes: str, below: Iterable[str] = ("",)) -> list[HouseFile]:
    """The text files with these suffixes (all when none are named) below these folders or at these places."""
    wanted = suffixes or tuple(_TEXT)
    starts = tuple(below)
    return [file for file in _whole_house() if file.suffix in wanted and file.place.startswith(starts)]


@cache
def _whole_house() -> tuple[HouseFile, ...]:
    found = []
    for folder, subfolders, names in os.walk(ROOT):
        top = Path(folder) == ROOT
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in _NOT_OURS and not name.endswith(".egg-info") and not (top and name in _NOT_OURS_AT_THE_TOP)
        )
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in _TEXT:
                # A sample in another encoding is content, not a text of ours.
                with contextlib.suppress(UnicodeDecodeError):
                    found.append(HouseFile(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
    return tuple(found)


def product_files(*suffixes: str) -> list[HouseFile]:
    """What runs at an operator's: everything but tests, benchmarks and tools."""
    return files(*suffixes, below=(LAYER + "/", *PRODUCT))


# -------------------------------------------------------------------------------------------------------------- imports

#: The arrows between the rooms of Kontor: each may import what stands to its right.
ROOMS = ("admin_app", "views", "actions", "models", "domain", LAYER)
#: The schema steps stand beside the models: admin_app runs them, they may name what stands right of the views.
SCHEMA_STEPS = "migrations"
#: Their files, for the rules that look at the product only.
PRODUCT = (
    "admin_app.py", "models.py", "views/", "actions/", "domain/", "migrations/",
    "templates/", "static/", "translations/",
)  # fmt: skip

#: The lines of the layer from the top; a file imports from lines below and, in its own line, from its right.
LINES: tuple[tuple[str, ...], ...] = (
    ("registry", "views", "security", "shell", "checks"),
    ("schema", "forms", "listviews", "indexing", "lists", "layouts", "drafts", "presence"),
    ("bulk", "copying", "sheets", "labels", "duplicates", "merging", "splitting"),
    (
        "loading",
        "worklists",
        "selections",
        "changes",
        "filters",
        "queries",
        "conditions",
        "history",
        "search",
        "jobs",
        "naming",
        "arrangements",
        "customfields",
        "rights",
        "backup",
        "database",
    ),
    ("specs", "fieldtypes", "passwords"),
    ("errors", "i18n", "digits"),
)
_LINE_NAMES = ("web", "pages", "work", "records", "meaning", "words")

#: Packages that belong to a line of the layer: (package, highest number of the line that may import it, why).
PACKAGES = (
    (("flask", "flask_babel", "flask_login", "flask_security", "flask_wtf", "werkzeug"), 0, "only the web line does"),
    (("wtforms", "wtfpeewee"), 1, "forms belong to the pages line and above"),
    (("xlsxwriter", "python_calamine", "reportlab"), 2, "spreadsheets and labels belong to the work line and above"),
)
FLASK_ADMIN = (f"{LAYER}/views.py", f"{LAYER}/registry.py", f"{LAYER}/views/", f"{LAYER}/registry/")

_PLACE_IN_LAYER = {room: (number, index) for number, line in enumerate(LINES) for index, room in enumerate(line)}


@dataclass(frozen=True)
class Import:
    """One imported module, in full ("flask_appadmin.specs"), and where."""

    module: str
    line: int


def imports_of(file: HouseFile) -> list[Import]:
    """All modules a file imports, also inside functions; names for the type checker only do not count."""
    found: list[Import] = []

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                for other in child.orelse:
                    visit(other)
                continue
            if isinstance(child, ast.Import):
                found.extend(Import(alias.name, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                module = _absolute(file.place, child)
                # `from flask_appadmin import specs` names the room, not only the package.
                found.extend(Import(f"{module}.{alias.name}", child.lineno) for alias in child.names)
            visit(child)

    visit(file.tree)
    return found


def _absolute(place: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = place.split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def wrong_arrows(house: Iterable[HouseFile]) -> list[str]:
    """Imports that the drawing of the rooms does not have."""
    wrong: list[str] = []
    for file in house:
        room = file.place.removesuffix(".py").split("/")[0]
        if room == LAYER:
            wrong += _wrong_in_layer(file)
        elif room in ROOMS or room == SCHEMA_STEPS:
            wrong += _wrong_between_rooms(file, room)
    return wrong


def _wrong_between_rooms(file: HouseFile, room: str) -> Iterator[str]:
    own = ROOMS.index(room) if room in ROOMS else ROOMS.index("actions")
    for imported in imports_of(file):
        target = imported.module.split(".")[0]
        where = f"{file.place}:{imported.line}"
        if target in ROOMS and ROOMS.index(target) < own:
            yield f"{where} imports {target}; {room} may import only what stands to its right: {' → '.join(ROOMS)}."
        elif target == SCHEMA_STEPS and room not in ("admin_app", SCHEMA_STEPS):
            yield f"{where} imports {target}; only admin_app runs the schema steps."
        elif target in ("tests", "benchmarks"):
            yield f"{where} imports {target}; the product does not know how it is tested."
        elif target == "flask_admin":
            yield f"{where} imports flask_admin; only {LAYER}/views.py and {LAYER}/registry.py know its inside."
        elif room in ("actions", "models", "domain", SCHEMA_STEPS) and _is_web(target):
            yield f"{where} imports {target}; {room} runs without a request (only admin_app and views know Flask)."


def _wrong_in_layer(file: HouseFile) -> Iterator[str]:
    room = _room_in_layer(file.place)
    if room and room not in _PLACE_IN_LAYER:
        yield (
            f"{file.place}:1 is no room of {LAYER}; its rooms are drawn in tests/house.py (LINES). "
            "Either the function belongs into one of them, or the drawing gets a new room with the lead's consent."
        )
        return
    # The package's own file stands below everything: whoever imports a room imports it first.
    line, index = _PLACE_IN_LAYER[room] if room else (len(LINES), 0)
    for imported in imports_of(file):
        where = f"{file.place}:{imported.line}"
        parts = imported.module.split(".")
        target = parts[0]
        if target in ROOMS and target != LAYER:
            yield f"{where} imports {target}; {LAYER} knows no application."
        elif target in ("tests", "benchmarks", SCHEMA_STEPS):
            yield f"{where} imports {target}; {LAYER} stands alone."
        elif target == "flask_admin" and not file.place.startswith(FLASK_ADMIN):
            yield f"{where} imports flask_admin; only {LAYER}/views.py and {LAYER}/registry.py know its inside."
        elif target == LAYER and len(parts) > 1 and parts[1] in _PLACE_IN_LAYER and parts[1] != room:
            there = _PLACE_IN_LAYER[parts[1]]
            if not (there[0] > line or (there[0] == line and there[1] > index)):
                name = room or "__init__"
                yield (
                    f"{where} imports {parts[1]}; {name} may import from the lines below its own"
                    + (f" ({_LINE_NAMES[line]}: {'  '.join(LINES[line])}) and from its right." if room else ".")
                )
        else:
            for packages, highest, why in PACKAGES:
                if target in packages and line > highest:
                    yield f"{where} imports {target}; {why}, and {room or '__init__'} stands below."


def _room_in_layer(place: str) -> str:
    """The room a file of the layer belongs to: its own name, or that of its folder; "" for the package's own file."""
    second = place.split("/")[1].removesuffix(".py")
    return "" if second == "__init__" else second


def _is_web(target: str) -> bool:
    return target in PACKAGES[0][0]


def unknown_rooms(house: Iterable[HouseFile]) -> list[str]:
    """Python files at the top or in folders that the drawing does not have."""
    known = {*ROOMS, SCHEMA_STEPS, "tests", "benchmarks"}
    return [
        f"{file.place}:1 stands in no room; the rooms are {', '.join(sorted(known))}."
        for file in house
        if file.place.removesuffix(".py").split("/")[0] not in known
    ]


def nameless_rooms(house: Iterable[HouseFile]) -> list[str]:
    """Files whose name says nothing."""
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "stuff", "tools"}
    return [
        f"{file.place}:1 is named after nothing; the function goes where its word lives."
        for file in house
        if empty & set(file.place.removesuffix(file.suffix).split("/"))
    ]


# ---------------------------------------------------------------------------------------------------------------- words

_CUSTOMER = re.compile(r"\w*(?:customer|kund)\w*", re.I)
#: German words that contain "kund" and mean something else.
_NOT_CUSTOMER = re.compile(r"(sekund|urkund|erkund|bekund|gekund|rund|grundkund)", re.I)


def customer_words(house: Iterable[HouseFile]) -> list[str]:
    """Where the layer speaks of customers."""
    return [
        f"{file.place}:{file.line_of(found.start())} says „{found.group()}“; {LAYER} knows no customers."
        for file in house
        for found in _CUSTOMER.finditer(file.text)
        if not _NOT_CUSTOMER.search(found.group())
    ]


# --------------------------------------------------------------------------------------------------------------- writes

#: Peewee's methods that write, whatever they are called on.
_WRITING_METHODS = {
    "save", "delete_instance", "insert_many", "insert_from", "bulk_create", "bulk_update", "replace_many",
    "get_or_create", "set_by_id", "delete_by_id", "on_conflict", "on_conflict_ignore", "on_conflict_replace",
}  # fmt: skip
#: Peewee's methods that share their name with those of dicts, lists and texts: they count on a model only.
_WRITING_ON_A_MODEL = {"create", "insert", "update", "delete", "replace", "truncate_table"}
_NAMES_OF_MODELS = re.compile(r"^(_?model|.*_model|record_class|through)$")
#: Written SQL. DDL is not looked for: the schema steps and `database.py` make tables, records are what this is about.
_TABLE = r"(?P<{}>[\w\"{{}}.%]+)"
_WRITING_SQL = re.compile(
    rf"\b(?:(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|DELETE\s+FROM|TRUNCATE\s+TABLE|MERGE\s+INTO)"
    rf"\s+{_TABLE.format('a')}|UPDATE\s+{_TABLE.format('b')}\s+(?:AS\s+\w+\s+)?SET\b"
    rf"|COPY\s+{_TABLE.format('c')}\s*(?:\([^)]*\)\s*)?FROM\b)"
)


@dataclass(frozen=True)
class Write:
    """One place that writes: into which model or table (as the code names it), and how."""

    place: str
    table: str
    how: str

    def __str__(self) -> str:
        return f"{self.place} writes into {self.table}: {self.how}"


def writes(file: HouseFile) -> list[Write]:
    """The places where a file writes into the database, however."""
    found: list[Write] = []
    docstrings = _docstrings(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method, receiver = node.func.attr, node.func.value
            on_model = method in _WRITING_ON_A_MODEL and _looks_like_a_model(receiver)
            if on_model or (method in _WRITING_METHODS and not _is_no_record(receiver)):
                found.append(Write(f"{file.place}:{node.lineno}", _written_by(receiver), f"{method}()"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found += _written_by_sql(file, node, node.value)
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            # What stands whole in one part of the text is found there.
            if not any(isinstance(part, ast.Constant) and _WRITING_SQL.search(str(part.value)) for part in node.values):
                found += _written_by_sql(file, node, text)
    return found


def _written_by(receiver: ast.expr) -> str:
    """`Job` for `Job.update(…)`, and for `Job.insert(…).on_conflict(…)` too."""
    while isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute):
        receiver = receiver.func.value
    return ast.unparse(receiver)


def _written_by_sql(file: HouseFile, node: ast.expr, text: str) -> list[Write]:
    written = _WRITING_SQL.search(text)
    if not written:
        return []
    table = next(name for name in written.groups() if name)
    return [Write(f"{file.place}:{node.lineno}", table, written.group())]


def _looks_like_a_model(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(_NAMES_OF_MODELS.match(name)) or (name[:1].isupper() and not name.isupper())


def _is_no_record(node: ast.expr) -> bool:
    """Things with a `save` that are no records: canvases, workbooks, images, uploaded files and where they are kept."""
    name = ast.unparse(node).split(".")[-1].lstrip("_")
    return name in {
        "canvas",
        "pdf",
        "sheet",
        "workbook",
        "book",
        "image",
        "picture",
        "upload",
        "uploaded",
        "file",
        "store",
    }


def _docstrings(tree: ast.Module) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


# ------------------------------------------------------------------------------------------------------------ templates

_INLINE = (
    (re.compile(r"""[\s"']on[a-z]+\s*=\s*["'{\\]""", re.I), "an inline event handler"),
    (re.compile(r"""<[a-z][^<>]*\sstyle\s*=\s*["'{\\]""", re.I), "a style attribute"),
    (re.compile(r"<style\b", re.I), "an inline style sheet"),
    (re.compile(r"""<script\b(?![^>]*\bsrc\s*=)(?![^>]*type=\\?["']application/json)""", re.I), "an inline script"),
    (re.compile(r"javascript:", re.I), "a javascript: address"),
)
_UNSAFE_SCRIPT = (
    (re.compile(r"\beval\s*\("), "eval"),
    (re.compile(r"\bnew\s+Function\s*\("), "new Function"),
    (re.compile(r"""setAttribute\(\s*["'](style|on[a-z]+)["']"""), "setAttribute with a style or a handler"),
    (re.compile(r"\bdocument\.write\b"), "document.write"),
)
_COMMENTS = {
    ".html": re.compile(r"\{#.*?#\}|<!--.*?-->", re.S),
    ".css": re.compile(r"/\*.*?\*/", re.S),
    ".js": re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.S),
    ".mjs": re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.S),
    ".svg": re.compile(r"<!--.*?-->", re.S),
}


def inline_code(house: Iterable[HouseFile]) -> list[str]:
    """What a strict content security policy refuses, in templates, scripts and HTML that Python writes."""
    found: list[str] = []
    for file in house:
        for text, first_line in _texts(file):
            patterns = _UNSAFE_SCRIPT + _INLINE[1:] if file.suffix in (".js", ".mjs") else _INLINE
            for pattern, what in patterns:
                for match in pattern.finditer(text):
                    line = first_line + text.count("\n", 0, match.start())
                    found.append(f"{file.place}:{line} has {what}: {match.group().strip()}")
    return found


_OUTSIDE = re.compile(r"""https?://[^\s"'<>)]+|(?:src|href|action)\s*=\s*["']//[^"']+|url\(\s*["']?//[^)]+""", re.I)
#: Names, not addresses: nothing is fetched from there.
_NAMESPACES = ("http://www.w3.org/",)


def outside_urls(house: Iterable[HouseFile]) -> list[str]:
    """Addresses of other hosts in what a browser loads."""
    found = []
    for file in house:
        for text, first_line in _texts(file):
            for match in _OUTSIDE.finditer(text):
                if not match.group().startswith(_NAMESPACES):
                    line = first_line + text.count("\n", 0, match.start())
                    found.append(f"{file.place}:{line} leads to another host: {match.group()}")
    return found


def _texts(file: HouseFile) -> Iterator[tuple[str, int]]:
    """What a browser may get from a file, without comments, and the number of its first line."""
    if file.suffix == ".py":
        docstrings = _docstrings(file.tree)
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield node.value, node.lineno
        return
    comment = _COMMENTS.get(file.suffix)
    # A comment leaves its line breaks, so that places stay right.
    yield (comment.sub(lambda found: "\n" * found.group().count("\n"), file.text) if comment else file.text), 1


# --------------------------------------------------------------------------------------------------- what stays at home

_ADDRESS = re.compile(r"https?://|file:/|--(?:extra-)?index-url|--find-links|--trusted-host", re.I)
_MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|root|home/[a-z]\w*|Users/[A-Za-z]\w*)/[\w.-]+")
_REGISTRY_HOST = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org)\b", re.I)


_SCRIPT_IMPORT = re.compile(r"""^import\s*\{([^}]*)\}\s*from\s*["']([^"']+)["']""", re.MULTILINE)
_SCRIPT_EXPORT = re.compile(r"^export\s+(?:async\s+)?(?:function|class|const|let)\s+(\w+)", re.MULTILINE)


def missing_exports(house: Iterable[HouseFile]) -> list[str]:
    """Names that a script imports from another which does not offer them: the browser would run neither."""
    scripts = {file.place: file for file in house}
    breaches = []
    for file in scripts.values():
        for found in _SCRIPT_IMPORT.finditer(file.text):
            source = os.path.normpath(Path(file.place).parent / found[2])
            offered = set(_SCRIPT_EXPORT.findall(scripts[source].text)) if source in scripts else set()
            wanted = {name.split(" as ")[0].strip() for name in found[1].split(",")} - {""}
            place = f"{file.place}:{file.line_of(found.start())}"
            breaches += [f"{place}: {source} offers no {name}" for name in sorted(wanted - offered)]
    return breaches


def addresses(house: Iterable[HouseFile]) -> list[str]:
    """Addresses of package hosts in lock files."""
    return [
        f"{file.place}:{file.line_of(found.start())} names an address: {found.group()}"
        for file in house
        for found in _ADDRESS.finditer(file.text)
    ]


def machine_paths(house: Iterable[HouseFile]) -> list[str]:
    """Paths of one particular machine, and hosts of registries."""
    return [
        f"{file.place}:{file.line_of(found.start())} belongs to one machine: {found.group()}"
        for file in house
        for pattern in (_MACHINE_PATH, _REGISTRY_HOST)
        for found in pattern.finditer(file.text)
    ]
