// The list's page: row cursor, marking, filters, preview.
import { startCursor } from "./cursor.js";
import { startFilters } from "./filters.js";
import { startPreview } from "./preview.js";
import { startSelection } from "./selection.js";

const table = document.getElementById("list");
startSelection(document.getElementById("marked"), table);
startFilters();
startPreview(document.getElementById("preview"), table);
if (table) startCursor(table);
