"""Import on the web: bring a file, map its columns, look at every cell that would change, apply, and take back.

Shape: a run walks through its states (`ImportRun.state`), and `/admin/imports/run?id=…` leads to the page of the state
it is in; a file for each page. Small files are read and planned in the request, larger ones as jobs; the browser may be
closed meanwhile. A run belongs to whoever began it; for everybody else it does not exist.
"""
