"""Label sheets: what is measured in the printed PDF must stand where the sheet's maker put the label."""

from __future__ import annotations

import io
import itertools
from collections import defaultdict
from pathlib import Path

import pytest
from pypdf import PdfReader

from flask_appadmin.errors import LabelError
from flask_appadmin.labels import (
    A4_SHEET,
    SINGLE_LABEL,
    LabelFormat,
    LabelSheet,
    SheetGeometry,
    count_pages,
    factory_formats,
    print_labels,
)
from flask_appadmin.labels.fitting import text_width
from flask_appadmin.labels.formats import geometry_of

MM = 72 / 25.4
ADDRESS = ["Müller & Söhne GmbH", "z. Hd. Frau Weiß", "Hauptstraße 5", "01067 Dresden", "ÖSTERREICH"]

GEOMETRIES = {row["name"]: geometry_of(row) for row in factory_formats()}
L7160 = GEOMETRIES["Avery Zweckform L7160 (3 x 7)"]


def printed(labels, geometry=L7160, **options):
    """The PDF that is printed for the labels, and what was said about it."""
    stream = io.BytesIO()
    result = print_labels(stream, labels, geometry, **options)
    stream.seek(0)
    return PdfReader(stream), result


def texts_of(page):
    """Every text of a page as (text, left in mm, base line in mm from the top, size in points)."""
    height = float(page.mediabox.height)
    found = []

    def visit(text, matrix, text_matrix, _font, size):
        if text.strip():
            x, y = text_matrix[4] + matrix[4], text_matrix[5] + matrix[5]
            found.append((text.strip("\n"), x / MM, (height - y) / MM, size))

    page.extract_text(visitor_text=visit)
    return found


def label_at(geometry, x, y):
    """The position whose label holds this point of the page, or None."""
    for position in range(1, geometry.per_page + 1):
        left, top = geometry.corner(position)
        if left <= x <= left + geometry.label_width and top <= y <= top + geometry.label_height:
            return position
    return None


@pytest.mark.req("NE-14", partly=True)
@pytest.mark.parametrize(
    ("code", "position", "left", "top"),
    [
        # Measured with a ruler's logic from the makers' figures: margin + n x pitch.
        ("L7160 (3 x 7)", 21, 7.2 + 2 * 66.04, 15.15 + 6 * 38.1),
        ("L7163 (2 x 7)", 2, 4.67 + 101.6, 15.15),
        ("L7651 (5 x 13)", 65, 4.67 + 4 * 40.64, 10.9 + 12 * 21.17),
        ("3475 (3 x 8)", 5, 70, 4.43 + 36),
        ("5160 (3 x 10)", 30, 4.78 + 2 * 69.85, 12.7 + 9 * 25.4),
        ("3652 (3 x 7)", 1, 0, 0),
    ],
)
def test_a_label_stands_where_the_maker_put_it(code, position, left, top):
    name = next(name for name in GEOMETRIES if name.endswith(code))
    geometry = GEOMETRIES[name]
    reader, _result = printed([ADDRESS[:4]], geometry, start=position)
    texts = texts_of(reader.pages[0])
    assert [text for text, *_ in texts] == ADDRESS[:4]
    inset_left, inset_top, _right, inset_bottom = geometry.insets
    for _text, x, _y, _size in texts:
        assert x == pytest.approx(left + inset_left, abs=0.2)
    # The block of lines stands in the middle of the height: its first capital and last base line are equally far off.
    size = texts[0][3]
    ascent, descent = 0.93 * size / MM, 0.24 * size / MM
    middle = (texts[0][2] - ascent + texts[-1][2] + descent) / 2
    assert middle == pytest.approx(top + (inset_top + geometry.label_height - inset_bottom) / 2, abs=0.2)


def test_the_page_has_the_size_of_the_sheet_and_is_not_scaled_when_printed():
    reader, _result = printed([ADDRESS], GEOMETRIES["Avery 5160 (3 x 10)"])
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx((612, 792), abs=0.1)
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/PrintScaling"] == "/None"


@pytest.mark.parametrize("name", sorted(GEOMETRIES))
def test_no_text_leaves_its_label_on_any_sheet(name):
    geometry = GEOMETRIES[name]
    long = ["Vereinigte Donaudampfschifffahrtsgesellschaften mbH & Co. KGaA", *ADDRESS, "Haus Ü", "Etage 7", "W" * 90]
    reader, result = printed([long] * geometry.per_page, geometry)
    assert result.pages == 1
    seen = defaultdict(list)
    for text, x, base, size in texts_of(reader.pages[0]):
        right = x + text_width(text.rstrip("\n"), size) / MM
        top, bottom = base - 0.928 * size / MM, base + 0.236 * size / MM
        place = label_at(geometry, x + 0.01, base)
        assert place is not None
        assert label_at(geometry, right - 0.05, top + 0.05) == place
        assert label_at(geometry, right - 0.05, bottom - 0.05) == place
        # Neither may it stand where a printer leaves the page white.
        assert geometry.is_single or (x > 4.4 and right < geometry.page_width - 4.2)
        assert size >= 5.99
        seen[place].append(text)
    assert sorted(seen) == list(range(1, geometry.per_page + 1))


@pytest.mark.req("NE-14")
def test_ten_labels_are_ten_single_pages_or_one_sheet_and_25_are_two_sheets():
    single, sheet = GEOMETRIES[SINGLE_LABEL], GEOMETRIES[A4_SHEET]
    reader, result = printed([ADDRESS] * 10, single)
    assert (len(reader.pages), result.labels) == (10, 10)
    assert (float(reader.pages[0].mediabox.width) / MM, float(reader.pages[0].mediabox.height) / MM) == pytest.approx(
        (89, 36), abs=0.05
    )
    assert len(printed([ADDRESS] * 10, sheet)[0].pages) == 1
    assert len(printed([ADDRESS] * 25, sheet)[0].pages) == 2


def test_a_used_sheet_is_continued_at_the_chosen_position():
    reader, result = printed([["Erste"], ["Zweite"], ["Dritte"]], start=20)
    places = [[(text, label_at(L7160, x + 0.01, y)) for text, x, y, _size in texts_of(page)] for page in reader.pages]
    assert places == [[("Erste", 20), ("Zweite", 21)], [("Dritte", 1)]]
    assert result.sentence() == "3 Etiketten auf 2 Seiten."


def test_positions_already_used_are_left_out_on_the_first_sheet_only():
    reader, _result = printed([[str(number)] for number in range(1, 24)], skip={1, 3})
    first = {label_at(L7160, x + 0.01, y): text for text, x, y, _size in texts_of(reader.pages[0])}
    second = {label_at(L7160, x + 0.01, y): text for text, x, y, _size in texts_of(reader.pages[1])}
    assert 1 not in first
    assert 3 not in first
    assert (first[2], first[4], first[21]) == ("1", "2", "19")
    assert second == {1: "20", 2: "21", 3: "22", 4: "23"}


@pytest.mark.req("NE-17", partly=True)
def test_copies_stand_side_by_side_and_zero_is_refused():
    reader, result = printed([["Alpha"], ["Zeta"]], copies=3)
    assert [text for text, *_ in texts_of(reader.pages[0])] == ["Alpha"] * 3 + ["Zeta"] * 3
    assert result.labels == 6
    for copies in (0, -1, 101):
        with pytest.raises(LabelError, match="1 bis 100"):
            printed([["Alpha"]], copies=copies)


@pytest.mark.parametrize(
    ("labels", "options", "pages"),
    [(0, {}, 0), (1, {}, 1), (21, {}, 1), (22, {}, 2), (21, {"start": 2}, 2), (7, {"copies": 3, "skip": {5}}, 2)],
)
def test_pages_are_counted_before_printing_and_the_count_is_right(labels, options, pages):
    assert count_pages(labels, L7160, **options) == pages
    if labels:
        assert len(printed([ADDRESS] * labels, **options)[0].pages) == pages


def test_umlauts_greek_and_cyrillic_can_be_read_and_searched_in_the_pdf():
    lines = ["Öçżěščřžýáíé ÄÖÜ ẞß", "Ελληνική Εταιρεία Ά.Ε.", "Общество «Ромашка» Київ", "Łódź, Győr, Şişli – 5 € №"]
    reader, result = printed([lines])
    assert [text for text, *_ in texts_of(reader.pages[0])] == lines
    assert result.warnings == []


def test_letters_typed_as_base_letter_and_accent_are_printed_as_one():
    reader, _result = printed([["Mu\u0308ller"]])
    assert [text for text, *_ in texts_of(reader.pages[0])] == ["Müller"]


def test_markup_and_pdf_operators_in_names_are_text():
    lines = ["<b>Fett</b> & <font color=red>rot", "Tom\\' (ET) Tj", "{{ 7*7 }} %(name)s", '<img src="file:///etc/x"/>']
    reader, result = printed([lines])
    assert [text for text, *_ in texts_of(reader.pages[0])] == lines
    assert result.warnings == []


def test_line_breaks_tabs_and_control_characters_become_blanks():
    reader, _result = printed([["Eins\n\tzwei\x00\u200b", "  Drei   vier ", "", "   "]])
    assert [text for text, *_ in texts_of(reader.pages[0])] == ["Eins zwei", "Drei vier"]


def test_characters_the_font_lacks_are_shown_as_a_box_and_reported():
    reader, result = printed([["株式会社 Tokyo"]])
    assert [text for text, *_ in texts_of(reader.pages[0])] == ["□□□□ Tokyo"]
    assert [warning.sentence() for warning in result.warnings] == [
        "Etikett 1: Die Schrift hat keine Zeichen für „株式会社“."
    ]


def test_a_long_line_is_set_smaller_and_the_others_keep_their_size():
    reader, result = printed([["Landwirtschaftliche Hauptgenossenschaft", "Hof 1", "8010 Graz"]])
    sizes = [size for *_rest, size in texts_of(reader.pages[0])]
    assert 6 <= sizes[0] < 10
    assert sizes[1:] == [10, 10]
    assert result.warnings == []


def test_a_very_long_line_is_broken_at_a_blank_where_the_label_has_room():
    name = "Gesellschaft für Unternehmensberatung und Softwareentwicklung mbH"
    reader, result = printed([[name, "Hof 1", "8010 Graz"]])
    texts = [text for text, *_ in texts_of(reader.pages[0])]
    assert " ".join(texts[:2]) == name
    assert texts[2:] == ["Hof 1", "8010 Graz"]
    assert result.warnings == []


def test_a_line_too_long_for_the_smallest_letters_is_cut_and_reported():
    reader, result = printed([["D" * 100, "8010 Graz"], ["Kurz"]])
    texts = [text for text, *_ in texts_of(reader.pages[0])]
    assert texts[0].startswith("DDDDD")
    assert texts[0].endswith("D…")
    assert texts[1:] == ["8010 Graz", "Kurz"]
    assert [(warning.label, warning.kind) for warning in result.warnings] == [(1, "cut")]


def test_too_many_lines_stand_closer_and_then_give_way_from_the_middle():
    small = GEOMETRIES["Avery Zweckform 3667 (4 x 16)"]
    reader, result = printed([["Firma", "Abteilung", "Zimmer", "Gang", "Flur", "Straße 1", "8010 Graz"]], small)
    texts = texts_of(reader.pages[0])
    words = [text for text, *_ in texts]
    assert words[0] == "Firma"
    assert words[-2:] == ["Straße 1", "8010 Graz"]
    assert {warning.kind for warning in result.warnings} == {"lines"}
    steps = [below[2] - above[2] for above, below in itertools.pairwise(texts)]
    assert min(steps) * MM >= 6


def test_an_empty_label_takes_no_place_and_is_reported():
    reader, result = printed([[""], ["Alpha"]])
    assert [(text, label_at(L7160, x + 0.01, y)) for text, x, y, _ in texts_of(reader.pages[0])] == [("Alpha", 1)]
    assert [(warning.label, warning.kind) for warning in result.warnings] == [(1, "empty")]


@pytest.mark.req("NE-13", partly=True)
def test_nothing_to_print_is_refused():
    with pytest.raises(LabelError, match="keine Etiketten"):
        printed([])


def test_a_failed_print_leaves_the_file_that_was_there(tmp_path: Path):
    target = tmp_path / "etiketten.pdf"
    target.write_bytes(b"old")

    def labels():
        yield ADDRESS
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        print_labels(target, labels(), L7160)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    print_labels(target, [ADDRESS], L7160)
    assert len(PdfReader(target).pages) == 1


def test_warnings_are_kept_up_to_a_limit_and_counted_beyond():
    sheet = LabelSheet(io.BytesIO(), L7160)
    for _number in range(1500):
        sheet.add(["D" * 100])
    result = sheet.save()
    assert (len(result.warnings), result.further_warnings) == (1000, 500)


@pytest.mark.parametrize("start", [0, 22, -3])
def test_a_start_position_that_the_sheet_does_not_have_is_refused(start):
    with pytest.raises(LabelError, match="1 bis 21"):
        printed([ADDRESS], start=start)


def test_a_sheet_without_a_free_position_is_refused():
    with pytest.raises(LabelError, match="keine Position"):
        printed([ADDRESS], start=20, skip=[20, 21])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"columns": 0}, "mindestens eine Spalte"),
        ({"columns": 4}, "passen nicht auf die Seite"),
        ({"rows": 8}, "passen nicht auf die Seite"),
        ({"label_width": 2}, "mindestens 5 mm"),
        ({"margin_left": -1}, "nicht negativ"),
        ({"pitch_x": 60}, "überlappen"),
    ],
)
def test_a_sheet_that_cannot_exist_is_refused(changes, sentence):
    values = {
        "page_width": 210,
        "page_height": 297,
        "columns": 3,
        "rows": 7,
        "label_width": 63.5,
        "label_height": 38.1,
        "margin_left": 7.2,
        "margin_top": 15.15,
        "pitch_x": 66.04,
        "pitch_y": 38.1,
    }
    SheetGeometry(**values)
    with pytest.raises(LabelError, match=sentence):
        SheetGeometry(**values | changes)


def test_the_factory_formats_are_complete_and_can_be_printed():
    rows = factory_formats()
    assert len(rows) == 58
    assert len({row["name"] for row in rows}) == 58
    assert max(len(row["name"]) for row in rows) <= 60
    assert [row["name"] for row in rows[:2]] == [SINGLE_LABEL, A4_SHEET]
    assert GEOMETRIES[SINGLE_LABEL].per_page == 1
    assert GEOMETRIES[A4_SHEET].per_page == 24
    assert all(list(LabelFormat.validate(row, "create")) == [] for row in rows)


def test_a_format_that_does_not_fit_its_page_is_refused_when_it_is_saved():
    (fault,) = LabelFormat.validate(factory_formats()[1] | {"columns": 4}, "edit")
    assert fault.field == "label_width"
    assert "passen nicht auf die Seite" in fault.sentence()


def test_the_catalogue_agrees_with_the_makers_sheets():
    source = Path(__file__).parents[3] / "shared" / "data" / "labels" / "label_formats.tsv"
    if not source.exists():
        pytest.skip("the collection of label sheets is not here")
    head, *lines = (line.split("\t") for line in source.read_text(encoding="utf-8").splitlines())
    for line in lines:
        fact = dict(zip(head, line, strict=True))
        geometry = next(value for name, value in GEOMETRIES.items() if f" {fact['code']} (" in name)
        assert (geometry.columns, geometry.rows) == (int(fact["columns"]), int(fact["rows"]))
        for mine, theirs in [
            (geometry.label_width, "label_width_mm"),
            (geometry.label_height, "label_height_mm"),
            (geometry.margin_left, "margin_left_mm"),
            (geometry.margin_top, "margin_top_mm"),
            (geometry.pitch_x, "pitch_x_mm"),
            (geometry.pitch_y, "pitch_y_mm"),
            (geometry.page_width, "page_width_mm"),
        ]:
            assert mine == pytest.approx(float(fact[theirs]), abs=0.001)
