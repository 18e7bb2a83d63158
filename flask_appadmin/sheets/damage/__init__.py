"""What a spreadsheet program did to the values of a file, named by its cause, with evidence and a way back.

Shape: a `SheetDoctor` looks at the cells of one sheet while its rows are planned. A cell whose value is known (at
export, or as it stands now) is compared with it: „1067“ was „01067“. Of any other cell its own form and that of its
column speak. What was found is gathered in `Damages`, one `Damage` per sheet, column and cause, stored with the run.
What people chose about a damage is kept in the options under its key: "repair" or "keep". Without a choice the row is
an error, so that nothing is repaired or written silently. A sheet in which columns were sorted apart, or keys were
exchanged, is refused as a whole (`DamagedSheet`), since no cell of it can be trusted.
The doctor asks `suspecting` for the form of a cell and `known_values` for a cell beside the value it had; both know the
`traces` and `misreadings`. `damages` gathers what was found and has the sentences.
Row numbers are those of the spreadsheet. A repair is a cell, read like any other, or the value it had.
Source: goals M4 and section 4; trust cases 109 to 113.
"""
