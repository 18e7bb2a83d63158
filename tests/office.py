"""LibreOffice, for the tests in which a spreadsheet program holds our files: it saves, turns and edits them.

Shape: `Office` calls `soffice` without a screen, with a profile folder of its own, so that it meets neither the
settings nor a running program of whoever tests. `python -m tests.office` (`make office`) installs Debian's package
where that may be done, and never fails: without the program the tests that need it are skipped, by name, with the
sentence NO_OFFICE. Units: seconds. Errors: AssertionError with what the program said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from tests.engines import install_debian_packages

#: What the program runs to edit a file: a macro of the profile folder, which needs no package beside the program.
_MACRO = """Sub Edit
Dim hidden(0) As New com.sun.star.beans.PropertyValue
hidden(0).Name = "Hidden"
hidden(0).Value = True
book = StarDesktop.loadComponentFromURL({}, "_blank", 0, hidden())
{}
Dim kind(0) As New com.sun.star.beans.PropertyValue
kind(0).Name = "FilterName"
kind(0).Value = "Calc MS Excel 2007 XML"
book.storeToURL({}, kind())
book.close(True)
StarDesktop.terminate()
End Sub
"""
_TYPED = "book.Sheets.getByName({}).getCellRangeByName({}).String = {}"
_MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Edit" script:language="StarBasic">
{}</script:module>
"""
_LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false"
 library:passwordprotected="false"><library:element library:name="Edit"/></library:library>
"""

#: KONTOR_TEST_OFFICE names another program, or "no" for none.
NO_OFFICE = (
    "LibreOffice was not found: files that a spreadsheet program saved are not tested in this run "
    "(make office installs it on Debian as root; KONTOR_TEST_OFFICE names the program)"
)
_PACKAGE = "libreoffice-calc-nogui"
#: The first start makes the profile folder.
_SECONDS = 120


def find_office() -> str:
    """The path of the program, "" where there is none."""
    named = os.environ.get("KONTOR_TEST_OFFICE", "")
    if named == "no":
        return ""
    return shutil.which(named or "soffice") or shutil.which(named or "libreoffice") or ""


class Office:
    """Calls of the program with one profile folder."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save_as(self, source: Path, kind: str) -> Path:
        """Opens a file and saves it as this kind ("xlsx", "ods", "pdf"); the path of what it wrote."""
        (written,) = self.save_all([source], kind)
        return written

    def save_all(self, sources: list[Path], kind: str) -> list[Path]:
        """The same for several files in one start of the program."""
        target = self._folder / kind
        said = self._run("--convert-to", kind, "--outdir", str(target), *map(str, sources))
        written = [target / f"{source.stem}.{kind}" for source in sources]
        assert all(path.is_file() for path in written), said
        return written

    def edit(self, source: Path, cells: Mapping[tuple[str, str], str]) -> Path:
        """Opens a workbook, types texts into cells ((sheet, "C5") -> text), saves it as xlsx; the path of the copy."""
        target = self._folder / f"{source.stem}-bearbeitet.xlsx"
        lines = [_TYPED.format(*(_basic(part) for part in (*place, text))) for place, text in cells.items()]
        macro = _MACRO.format(_basic(source.as_uri()), "\n".join(lines), _basic(target.as_uri()))
        library = self._folder / "profile" / "user" / "basic" / "Standard"
        if not library.is_dir():
            # The first start fills the profile folder, over whatever lies there.
            self._run("--terminate_after_init")
        (library / "Edit.xba").write_text(_MODULE.format(escape(macro)), "utf-8")
        (library / "script.xlb").write_text(_LIBRARY, "utf-8")
        said = self._run("macro:///Standard.Edit.Edit")
        assert target.is_file(), said
        return target

    def _run(self, *arguments: str) -> str:
        command = [self._program, "--headless", "--norestore", "--nolockcheck", "--nologo"]
        command.append(f"-env:UserInstallation={(self._folder / 'profile').as_uri()}")
        ended = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=_SECONDS)
        return f"{ended.returncode}: {ended.stdout}{ended.stderr}"


def _basic(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def main() -> int:
    """Says whether the program is there, and installs it where it may be installed."""
    if not find_office() and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages(_PACKAGE)
    if not find_office():
        print(NO_OFFICE, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
