// The window of a row: all its fields. Enter (in a text of several lines: Ctrl+Enter) takes over what was typed and closes, Esc closes
// without. What was taken over stands in the table and goes with the form when it is saved. The fields of a stored row are fetched
// when its window opens for the first time.

import { startLookups } from "./lookups.js";
import { say } from "./messages.js";
import { getFragment } from "./requests.js";

const named = (dialog) => [...dialog.querySelectorAll("input[name], select[name], textarea[name]")];
const isBox = (field) => field.type === "checkbox";

function wordsOf(field) {
  if (isBox(field)) return field.checked ? "✓" : "";
  if (field.tagName === "SELECT") return field.selectedOptions[0]?.text ?? "";
  return field.value;
}

export class RowWindow {
  constructor(grid) {
    this.grid = grid;
    const { section } = grid;
    section.addEventListener("keydown", (event) => event.target.closest("[data-window]") && this.press(event));
    section.addEventListener("click", (event) => event.target.closest("[data-take]") && this.take(event.target.closest("dialog")));
    // Events of dialogs do not bubble.
    section.addEventListener("close", (event) => event.target.matches?.("[data-window]") && this.closed(event.target), true);
  }

  async open(row) {
    const dialog = row.querySelector("[data-window]");
    if (dialog.open) return;
    if (!dialog.querySelector("[data-cards]").children.length && !(await this.fetch(row, dialog))) return;
    this.before = named(dialog).map((field) => [field, isBox(field) ? field.checked : field.value]);
    this.taken = false;
    dialog.showModal();
    const first = [...dialog.querySelectorAll("[data-cards] :is(input:not([type=hidden]), select, textarea)")].filter((field) => !field.disabled && !field.readOnly && field.offsetParent);
    (first.find((field) => field.getAttribute("aria-invalid")) ?? first.find((field) => field.name.endsWith("-name_1")) ?? first[0])?.focus();
  }

  async fetch(row, dialog) {
    const { dataset } = this.grid.section;
    const url = new URL(dataset.rowUrl, location.href);
    url.searchParams.set("row", `${dataset.grid}-${row.dataset.row}`);
    try {
      const cards = dialog.querySelector("[data-cards]");
      cards.innerHTML = await getFragment(url, "row");
      this.grid.unsaved.keep(cards);
      startLookups(cards);
      return true;
    } catch {
      say(dataset.failed, "bad");
      return false;
    }
  }

  press(event) {
    const dialog = event.target.closest("[data-window]");
    const combination = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.isComposing && (combination || event.target.matches("input, select"))) {
      event.preventDefault();
      event.stopPropagation();
      this.take(dialog);
    } else if (event.key.toLowerCase() === "s" && combination) {
      event.preventDefault();
      event.stopPropagation();
      if (!dialog.querySelector("[data-take]")) return;
      this.take(dialog);
      document.querySelector("[data-save]")?.click();
    }
  }

  take(dialog) {
    if (!dialog.querySelector("[data-take]")) return dialog.close();
    const row = dialog.closest("tbody");
    for (const cell of row.querySelectorAll("td[data-of]")) {
      const field = dialog.querySelector(`[name="${CSS.escape(cell.dataset.of)}_text"]`) ?? dialog.querySelector(`[name="${CSS.escape(cell.dataset.of)}"]`);
      if (!field) continue;
      cell.querySelector("[data-text]").textContent = wordsOf(field);
      cell.classList.toggle("changed", Boolean(field.closest(".field.changed")));
    }
    this.taken = true;
    if (row.classList.contains("fresh")) row.classList.add("touched", "taken");
    dialog.close();
    this.grid.recount();
    this.grid.unsaved.show();
  }

  closed(dialog) {
    const row = dialog.closest("tbody");
    if (!this.taken) {
      for (const [field, value] of this.before) {
        if (isBox(field)) field.checked = value;
        else if (field.value !== value) field.value = value;
        else continue;
        this.grid.unsaved.look(field);
      }
      if (row.matches(".fresh:not(.taken)")) {
        row.remove();
        this.grid.mark(null);
        this.grid.recount();
        this.grid.unsaved.show();
        return this.grid.focus(this.grid.rows.at(-1));
      }
    }
    this.grid.focus(row);
  }
}
