"""Notes are written into a workbook (xlsx, xlsm) that somebody else made, and everything else in it stays as it is.

Shape: `workbook.annotate` copies the archive part by part. Only what has to carry a note is altered, and there only by
putting something in: a cell with the state at the end of each row, a rule that colours cells while that cell says
something (worksheet.py), comments with their shapes (comments.py), two sheets, some formats at the end of the lists of
formats. So cells, widths, filters, drop-downs, formulas and pivot tables keep their bytes. Macros are left out: what is
handed back is an xlsx. What an earlier call wrote is taken out first. A colour is a rule and not a format: the cell
keeps the operator's own, and the colour goes with the text of its row. What is to be written stands in notes.py, the
pieces of XML in xmlparts.py.
Units: rows from 1, columns from 0. Memory: the texts before and behind the rows of a sheet, and its comments.
Errors: `NotAnnotatable` for a workbook that is written in an unusual way; nothing is half done then.
Source: goal M3; ECMA-376 part 1, 18.3.1.99 (order of the elements of a worksheet).
"""
