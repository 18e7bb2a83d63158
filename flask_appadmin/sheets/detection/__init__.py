"""What the rows of a file are: the heading row, the range in use, and per column how dates and numbers are written.

Everything found carries its evidence, so that an operator can judge and overrule it; what can be read in two ways is
said to be so and never guessed. Nothing here changes a cell.
Shape: `sheet.detect(workbook)` gives a `Detection`; `sheet.SheetSurvey` does the same for rows that arrive one by one.
`headings` finds the heading row, `columns` counts what stands below it, `notation` tells how one text is written,
`remarks` says what the file as a whole shows, `evidence` has the sentence for each thing that was noticed. Row numbers
count from 1, columns from 0.
Units: hints look at the first 20,000 rows below the headings. Errors: none. Source: spec goals I14; bad inputs 101 to
109.
"""
