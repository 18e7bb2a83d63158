// The list's page: row cursor, marking, filters, views, columns, preview; or, while cells are edited, the cursor over cells.
import { startCells } from "./cells.js";
import { startColumns } from "./columns.js";
import { startConditions } from "./conditions.js";
import { startCursor } from "./cursor.js";
import { startFilters } from "./filters.js";
import { startPreview } from "./preview.js";
import { startScroll } from "./scroll.js";
import { startSelection } from "./selection.js";
import { startViews } from "./views.js";

const table = document.getElementById("list");
startSelection(document.getElementById("marked"), table);
startFilters();
startViews();
startConditions();
startPreview(document.getElementById("preview"), table);
if (table) {
  startColumns(table);
  startScroll(table.parentElement, table);
}
const cells = document.getElementById("cells");
if (table && cells) startCells(cells, table);
else if (table) startCursor(table);
