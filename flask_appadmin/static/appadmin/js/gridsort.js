// Sorts the rows of a table by one column, as numbers, dates or words; rows that are not stored yet stay at the end.

const GERMAN_DATE = /^(\d{1,2})\.(\d{1,2})\.(\d{4})/;
const GERMAN_NUMBER = /^-?[\d.]+(,\d+)?$/;

function textOf(cell) {
  const control = cell.querySelector("select, textarea, input:not([type=hidden])");
  if (!control || control.closest("dialog")) return cell.textContent.trim();
  if (control.type === "checkbox") return control.checked ? "1" : "0";
  if (control.tagName === "SELECT") return control.selectedOptions[0]?.text ?? "";
  return control.value.trim();
}

// Dates and numbers come before words, nothing comes last.
function keyOf(text) {
  const date = GERMAN_DATE.exec(text);
  if (date) return [0, `${date[3]}${date[2].padStart(2, "0")}${date[1].padStart(2, "0")}`];
  if (GERMAN_NUMBER.test(text)) return [1, Number(text.replaceAll(".", "").replace(",", "."))];
  return text ? [2, text] : [3, ""];
}

function compare([kind, value], [otherKind, otherValue]) {
  if (kind !== otherKind) return kind - otherKind;
  if (kind === 1) return value - otherValue;
  return value.localeCompare(otherValue, "de", { numeric: true });
}

export function sortRows(table, head) {
  const falling = head.getAttribute("aria-sort") === "ascending";
  for (const each of head.parentElement.children) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const rows = [...table.tBodies].filter((row) => !row.classList.contains("fresh"));
  const fresh = [...table.tBodies].filter((row) => row.classList.contains("fresh"));
  const keys = new Map(rows.map((row) => [row, keyOf(textOf(row.rows[0].cells[head.cellIndex]))]));
  rows.sort((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    if ((a[0] === 3) !== (b[0] === 3)) return a[0] - b[0];
    return falling ? compare(b, a) : compare(a, b);
  });
  table.append(...rows, ...fresh);
}
