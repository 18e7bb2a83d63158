"""Table <-> spreadsheet: reading, understanding and writing files of rows.

Shape: `reading` turns a file into sheets of rows (in a limited child process), `detection` says what the rows are
(heading row, dates, decimals) and why, `writing` makes xlsx and csv. These know no models. `planning` compares rows
with records. Rows are tuples of cells without empty cells at the end; a cell is str, int, float, bool, date,
datetime, time or None. Row numbers count from 1 as the operator sees them in the spreadsheet; columns are indexes
from 0 with letters beside them.
"""
