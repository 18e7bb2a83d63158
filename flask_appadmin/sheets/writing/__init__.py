"""Writes tables as xlsx (XlsxWriter, constant memory) and as csv (German formats), both without live formulas.

In a workbook every text is written as text, so nothing has to be altered; in csv a text that a spreadsheet program
would take for a formula gets an apostrophe in front (formulas.py). Everything that cannot be written exactly (too many
rows, a text too long, a character that is none) raises; nothing is cut silently.
Shape: `workbook.WorkbookWriter` makes a file with any number of tables (tables.py), an instructions sheet, a hidden
sheet of lists for drop-downs and hidden sheets of facts; `csv_file.CsvWriter` makes one table. A table has one row of
headings, then rows of values in the order of its `columns.SheetColumn`s.
Units: widths in characters of the normal font; datetimes are naive local times; decimals are `Decimal`.
Errors: `SheetError`, naming the cell. Source: spec trust F4, F5; goals E2 to E6; 1,048,576 rows and 32,767 characters
per cell are limits of the format (Excel specification).
"""
