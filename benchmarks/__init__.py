"""The figures of the design, each beside its floor in the same run: `python -m benchmarks`, or `make bench`.

Shape: `stock.py` makes a database of demo customers once and keeps it; each file named after a group of work yields
`Figure`s, every one with the time of Kontor and the time of its floor; `floors.py` does the bare work and nothing else;
`measuring.py` times both in turn, reads the peak of memory in processes of their own, and draws the table.
Units: seconds, megabytes (1,000,000 bytes), customers a second. Nothing here fails because something is slow.
Environment: KONTOR_BENCH is the folder of the databases (default `benchmarks/.out`, which git ignores).
Source: design.md section 12.
"""
