// The list's page: row cursor, marking, filters.
import { startCursor } from "./cursor.js";
import { startFilters } from "./filters.js";
import { startSelection } from "./selection.js";

const table = document.getElementById("list");
startSelection(document.getElementById("marked"), table);
startFilters();
if (table) startCursor(table);
