// The list's page: row cursor, marking, filters, preview; or, while cells are edited, the cursor over cells.
import { startCells } from "./cells.js";
import { startCursor } from "./cursor.js";
import { startFilters } from "./filters.js";
import { startPreview } from "./preview.js";
import { startSelection } from "./selection.js";

const table = document.getElementById("list");
startSelection(document.getElementById("marked"), table);
startFilters();
startPreview(document.getElementById("preview"), table);
const cells = document.getElementById("cells");
if (table && cells) startCells(cells, table);
else if (table) startCursor(table);
