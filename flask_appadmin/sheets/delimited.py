"""Reads delimited text (csv, txt, pasted cells): which encoding, which separator, which quotes, and then the rows.

Every guess comes with what speaks for it, as codes and counts; `detection/evidence` makes German sentences of them. An
operator may name encoding and separator; then nothing is guessed.
Shape: `read_text(raw)` gives the `TextFormat` and the decoded text; `rows(text, format)` yields lists of texts, []
for a blank line. Row 1 is the first line behind a `sep=` line, as a spreadsheet program counts.
Errors: `Refused`. Source: RFC 4180; spec trust bad inputs 101 to 107.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from flask_appadmin.sheets.limits import ReadLimits, Refused

SEPARATORS = (";", ",", "\t", "|")
#: What an operator may choose, in the order of the choice.
ENCODINGS = ("utf-8", "cp1252", "iso-8859-1", "utf-16", "mac_roman", "cp850")
_SAMPLE_LINES = 600
_SAMPLE_CHARACTERS = 1 << 18
#: Marks the end of the text for the csv parser; a cell that swallows it was never closed.
_END = "\ue0ff end of text \ue0ff"


class TextFormat:
    """How a text file is written, and why we think so."""

    encoding: str = "utf-8"
    #: "given", "bom", "valid", "ascii", "shape" (UTF-16 without BOM), "letters" (umlauts fit), "unsure", "mixed".
    encoding_reason: str = "ascii"
    #: Non-ASCII characters that speak for the encoding.
    special_characters: int = 0
    #: A word that only this encoding reads, and its line.
    example: str = ""
    example_line: int = 0
    #: Other encodings that would read the file too.
    encoding_alternatives: list[str]
    #: Lines that were not UTF-8 in a file that else is (read as Windows-1252).
    mixed_lines: list[int]
    #: Characters that were lost before (U+FFFD stands in their place), and the first line with one.
    lost_characters: int = 0
    lost_line: int = 0
    separator: str = ";"
    #: "given", "line" (sep=), "consistent", "best", "none".
    separator_reason: str = "none"
    #: Columns of most rows, and how many rows of the sample have so many.
    usual_columns: int = 1
    sample_rows: int = 0
    sample_fitting: int = 0
    quote: str = '"'
    #: "\r\n", "\n", "\r" or "mixed".
    line_end: str = "\n"
    #: Lines of the file before row 1 (the `sep=` line).
    skipped_lines: int = 0
    #: The old end-of-file mark 1A was cut off.
    end_mark: bool = False

    def __init__(self, **found: Any) -> None:
        self.encoding_alternatives = []
        self.mixed_lines = []
        for name, value in found.items():
            setattr(self, name, value)


def _decode_guess(raw: bytes, found: TextFormat) -> str:
    boms = (
        (codecs.BOM_UTF8, "utf-8", 3),
        (codecs.BOM_UTF32_LE, "utf-32-le", 4),
        (codecs.BOM_UTF32_BE, "utf-32-be", 4),
        (codecs.BOM_UTF16_LE, "utf-16-le", 2),
        (codecs.BOM_UTF16_BE, "utf-16-be", 2),
    )
    for bom, encoding, length in boms:
        if raw.startswith(bom):
            found.encoding, found.encoding_reason = encoding, "bom"
            if encoding == "utf-8":
                try:
                    return raw[length:].decode("utf-8")
                except UnicodeDecodeError:
                    return _decode_mixed(raw[length:], found)
            return raw[length:].decode(encoding, "replace")
    wide = _wide_encoding(raw)
    if wide:
        found.encoding, found.encoding_reason = wide, "shape"
        return raw.decode(wide, "replace")
    if raw.isascii():
        found.encoding, found.encoding_reason = "utf-8", "ascii"
        return raw.decode("ascii")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        found.encoding, found.encoding_reason = "utf-8", "valid"
        found.special_characters = len(re.findall(r"[^\x00-\x7f]", text))
        _take_example(text, found)
        return text
    sequences = len(_SEQUENCE.findall(raw))
    odd = len(re.findall(rb"[\x80-\xff]", _SEQUENCE.sub(b"", raw)))
    if sequences >= 3 and sequences > 2 * odd:
        return _decode_mixed(raw, found)
    return _decode_bytewise(raw, found)


def _wide_encoding(raw: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark, told by where the NUL bytes stand; "" for neither."""
    head = raw[:4096]
    if len(head) < 4 or b"\0" not in head:
        return ""
    quarter = max(len(head) // 4, 1)
    nuls = [head[offset::4].count(0) / quarter for offset in range(4)]
    if len(raw) % 4 == 0 and min(nuls[1:]) > 0.9 and nuls[0] < 0.1:
        return "utf-32-le"
    if len(raw) % 4 == 0 and min(nuls[:3]) > 0.9 and nuls[3] < 0.1:
        return "utf-32-be"
    if len(raw) % 2 == 0:
        even, odd = (nuls[0] + nuls[2]) / 2, (nuls[1] + nuls[3]) / 2
        if odd > 0.5 and even < 0.05:
            return "utf-16-le"
        if even > 0.5 and odd < 0.05:
            return "utf-16-be"
    return ""


def _decode_mixed(raw: bytes, found: TextFormat) -> str:
    found.encoding, found.encoding_reason = "utf-8", "mixed"
    lines = []
    for number, line in enumerate(raw.splitlines(keepends=True), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            if len(found.mixed_lines) < 100:
                found.mixed_lines.append(number)
            lines.append(line.decode("cp1252", "replace"))
    return "".join(lines)


#: A character of two to four bytes in UTF-8.
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UMLAUTS = frozenset("äöüßÄÖÜ")
_LETTERS = frozenset("éèáàâêëîïíìôóòúùûñçÉÀÈÁÂÊÓÍÚÇÑãõÃÕøØåÅæÆœŒšŽžŠýÿ")
_SIGNS = frozenset("€–—„“”’‘§°·®©²³…«»½¼µ£\u00a0´¨•™±×")


def _score(text: str) -> float:
    """How much a text reads like German or another language of the west: more is better."""
    score = 0.0
    for place, character in enumerate(text):
        if character.isascii():
            continue
        before = text[place - 1] if place else " "
        after = text[place + 1] if place + 1 < len(text) else " "
        in_word = before.isalpha() or after.isalpha()
        if character in _UMLAUTS:
            # A capital behind a small letter is the mark of a wrong guess.
            score += -1 if character.isupper() and before.islower() else 2 if in_word else 0.5
        elif character in _LETTERS:
            score += -1 if character.isupper() and before.islower() else 1
        elif character in _SIGNS:
            score += -1 if before.isalpha() and after.isalpha() and character not in "’´" else 0.3
        else:
            score -= 2
    return score


def _decode_bytewise(raw: bytes, found: TextFormat) -> str:
    """One of the encodings with a byte per character, by how its letters read."""
    pieces = []
    length = 0
    for match in re.finditer(rb"[^\r\n]{0,12}[\x80-\xff][^\r\n]{0,24}", raw):
        pieces.append(match[0])
        length += len(match[0])
        if length > 40_000:
            break
    sample = b"\n".join(pieces)
    scores: dict[str, float] = {}
    for encoding in ("cp1252", "mac_roman", "cp850"):
        try:
            scores[encoding] = _score(sample.decode(encoding))
        except UnicodeDecodeError:
            scores[encoding] = _score(sample.decode(encoding, "replace")) - 5
    # Windows is by far the most frequent; another one must read clearly better.
    best = max(scores, key=lambda encoding: scores[encoding] + (0.5 if encoding == "cp1252" else 0))
    others = sorted((score for encoding, score in scores.items() if encoding != best), reverse=True)
    sure = scores[best] > 0 and scores[best] >= 1.5 * max(others[0], 0.1)
    found.encoding_alternatives = [encoding for encoding in scores if encoding != best and scores[encoding] > 0]
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", raw):
        best = "iso-8859-1"
    found.encoding, found.encoding_reason = best, "letters" if sure else "unsure"
    found.special_characters = len(re.findall(rb"[\x80-\xff]", raw))
    try:
        text = raw.decode(best)
    except UnicodeDecodeError:
        # The five bytes without a character in Windows-1252.
        text = raw.decode(best, "replace")
    _take_example(text, found)
    return text


def _take_example(text: str, found: TextFormat) -> None:
    match = re.search(r"\w{0,20}[äöüßÄÖÜ]\w{0,20}", text) or re.search(r"\w{0,20}[^\W\d_a-zA-Z]\w{0,20}", text)
    if match is not None:
        found.example = match[0]
        found.example_line = text.count("\n", 0, match.start()) + 1


def _line_end(text: str) -> str:
    windows = text.count("\r\n")
    mac = text.count("\r") - windows
    unix = text.count("\n") - windows
    kinds = [name for name, count in (("\r\n", windows), ("\n", unix), ("\r", mac)) if count]
    return kinds[0] if len(kinds) == 1 else "mixed" if kinds else "\n"


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE_CHARACTERS:
        return text
    sample = text[:_SAMPLE_CHARACTERS]
    cut = max(sample.rfind("\n"), sample.rfind("\r"))
    return sample[: cut + 1] if cut > 0 else sample


def _guess_quote(sample: str) -> str:
    doubles = len(re.findall(r'(?:^|[;,\t|])"', sample, re.MULTILINE))
    singles = len(re.findall(r"(?:^|[;,\t|])'[^'\r\n]*'(?=[;,\t|\r\n]|$)", sample, re.MULTILINE))
    lines = len(sample.splitlines())
    return "'" if singles >= 2 * lines and doubles == 0 else '"'


def _guess_separator(sample: str, found: TextFormat) -> None:
    best: tuple[float, int] | None = None
    for separator in SEPARATORS:
        if separator not in sample:
            continue
        counts: Counter[int] = Counter()
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, quotechar=found.quote)
            for number, row in enumerate(reader):
                if number >= _SAMPLE_LINES:
                    break
                if row:
                    counts[len(row)] += 1
        except csv.Error:
            continue
        total = counts.total()
        if not total:
            continue
        columns, fitting = max(counts.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        if columns < 2:
            continue
        share = fitting / total
        # Many columns that agree in every row are no accident; two columns here and there may be text.
        score = share * share * min(columns, 12) ** 0.5
        if best is None or score > best[0]:
            best = (score, fitting)
            found.separator = separator
            found.separator_reason = "consistent" if share > 0.9 else "best"
            found.usual_columns, found.sample_rows, found.sample_fitting = columns, total, fitting
    if best is None:
        found.separator_reason = "none"
        # Nothing is split; a tab is the least likely to stand in a text.
        found.separator = "\t"


def read_text(raw: bytes, limits: ReadLimits, encoding: str = "", separator: str = "") -> tuple[TextFormat, str]:
    """The format of a text file and its text from row 1 on. Raises `Refused` for what is not text."""
    # The limit of the library is in the way of our own, which can name the place.
    csv.field_size_limit(1 << 30)
    found = TextFormat()
    if encoding:
        found.encoding, found.encoding_reason = encoding, "given"
        try:
            text = raw.decode(encoding, "strict" if encoding.startswith("utf") else "replace")
        except (UnicodeDecodeError, LookupError) as error:
            raise Refused("wrong_encoding", encoding=encoding) from error
        text = text.removeprefix("\ufeff")
    else:
        text = _decode_guess(raw, found)
    if "\x1a" in text[-3:]:
        text = text.rstrip("\x1a\r\n \0") + "\n"
        found.end_mark = True
    if "\0" in text:
        raise Refused("nul_bytes", line=text.count("\n", 0, text.index("\0")) + 1)
    if _is_binary(text):
        raise Refused("not_a_table", kind="unknown")
    if not text.strip():
        raise Refused("empty")
    found.lost_characters = text.count("\ufffd")
    if found.lost_characters:
        found.lost_line = text.count("\n", 0, text.index("\ufffd")) + 1
    found.line_end = _line_end(text)
    directive = re.match(r'"?sep=(.)"?[^\S\r\n]*(?:\r\n|\r|\n|$)', text)
    if directive is not None:
        text = text[directive.end() :]
        found.skipped_lines = 1
    sample = _sample(text)
    found.quote = _guess_quote(sample)
    _guess_separator(sample, found)
    if directive is not None and directive[1] not in '"\r\n':
        found.separator, found.separator_reason = directive[1], "line"
    if separator:
        found.separator, found.separator_reason = separator, "given"
    return found, text


def _is_binary(text: str) -> bool:
    head = text[:65536]
    odd = sum(1 for character in head if character < " " and character not in "\t\n\r\f\v\x1a")
    return odd > max(len(head) // 100, 3)


def rows(text: str, text_format: TextFormat, limits: ReadLimits) -> Iterator[list[str]]:
    """The rows of a text; [] for a blank line. Raises `Refused` for an open quote and for what exceeds the limits."""
    stream = io.StringIO(text, newline="")
    reader = csv.reader(_with_end(stream), delimiter=text_format.separator, quotechar=text_format.quote)
    start = 1
    longest = limits.cell_characters
    try:
        for number, row in enumerate(reader, start=1):
            if row and row[-1].endswith(_END):
                if row != [_END]:
                    raise Refused("open_quote", line=start + text_format.skipped_lines)
                return
            if number > limits.rows:
                raise Refused("too_many_rows", sheet="", limit=limits.rows)
            if len(row) > limits.columns:
                while row and not row[-1]:
                    row.pop()
                if len(row) > limits.columns:
                    raise Refused("too_many_columns", sheet="", cell="", row=number, limit=limits.columns)
            for column, cell in enumerate(row):
                if len(cell) > longest:
                    raise Refused("cell_too_long", sheet="", row=number, column=column, limit=longest, line=start)
            yield row
            start = reader.line_num + 1
    except csv.Error as error:
        raise Refused("damaged_row", line=start + text_format.skipped_lines) from error


def _with_end(stream: io.StringIO) -> Iterator[str]:
    line = "\n"
    for line in stream:
        yield line
    if not line.endswith(("\n", "\r")):
        yield "\n"
    yield _END


def is_quote_suspect(cell: str, text_format: TextFormat) -> bool:
    """Whether a cell looks as if a missing quotation mark made it swallow the rows behind it."""
    breaks = cell.count("\n")
    return breaks > 2 and cell.count(text_format.separator) >= breaks * max(text_format.usual_columns - 1, 1)


def facts(text_format: TextFormat) -> dict[str, Any]:
    """The format as JSON values; `TextFormat(**facts)` is the same again."""
    return {name: getattr(text_format, name) for name in TextFormat.__annotations__}
