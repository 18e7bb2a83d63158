// Child records as rows of inputs. New rows come from the grid's <template> under keys n1, n2 …; rows to be deleted are struck through
// and go when the form is saved; a new row that is deleted is gone at once. The server counts by key, never by position.

import { startLookups } from "./lookups.js";

const cells = (row) => [...row.querySelectorAll(":scope > tr:first-child input:not([type=hidden]):not([name$='-delete']), :scope > tr:first-child select, :scope > tr:first-child textarea")].filter((cell) => !cell.disabled && !cell.readOnly);

class ChildGrid {
  constructor(section, form, unsaved) {
    this.section = section;
    this.form = form;
    this.unsaved = unsaved;
    this.table = section.querySelector("table");
    this.blank = section.querySelector("template");
    section.addEventListener("click", (event) => this.click(event));
    section.addEventListener("change", (event) => event.target.name?.endsWith("-delete") && this.strike(event.target.closest("tbody"), event.target.checked));
    section.addEventListener("keydown", (event) => this.press(event));
    for (const field of section.querySelectorAll(".folded .req input")) field.required = false;
  }

  get rows() {
    return [...this.table.tBodies];
  }

  freshKey() {
    const taken = new Set(this.rows.map((row) => row.dataset.row));
    let number = 1;
    while (taken.has(`n${number}`)) number++;
    return `n${number}`;
  }

  add() {
    if (!this.blank) return null;
    const key = this.freshKey();
    const holder = document.createElement("template");
    holder.innerHTML = this.blank.innerHTML.replaceAll("__key__", key);
    const table = holder.content.querySelector("tbody");
    const row = document.importNode(table, true);
    this.table.hidden = false;
    this.section.querySelector("[data-empty]").hidden = true;
    this.table.append(row);
    this.unsaved.keep(row);
    startLookups(row);
    this.recount();
    // A number that is given by itself has a placeholder that says so.
    (cells(row).find((cell) => !cell.placeholder) ?? cells(row)[0])?.focus();
    row.scrollIntoView({ block: "nearest" });
    return row;
  }

  recount() {
    this.section.querySelector("[data-row-count]").textContent = this.rows.filter((row) => !row.classList.contains("deleted")).length;
    this.table.hidden = !this.rows.length;
    this.section.querySelector("[data-empty]").hidden = this.rows.length > 0;
  }

  strike(row, deleted) {
    if (row.classList.contains("fresh")) {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      if (next?.matches("tbody")) cells(next)[0]?.focus();
      else this.section.querySelector("[data-add-row]")?.focus();
    } else {
      row.classList.toggle("deleted", deleted);
    }
    this.recount();
    this.unsaved.show();
  }

  click(event) {
    if (event.target.closest("[data-add-row]")) this.add();
    const more = event.target.closest("[data-more]");
    if (!more) return;
    const row = more.closest("tbody").querySelector("tr.more");
    const folded = row.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(!folded));
    if (!folded) row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  }

  press(event) {
    const row = event.target.closest("tbody");
    const inFirst = row && event.target.closest("tr") === row.rows[0];
    if (event.key === "Insert" && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      this.add();
    } else if (event.key === "Delete" && event.ctrlKey && row) {
      event.preventDefault();
      const box = row.querySelector('input[name$="-delete"]');
      if (!box) return;
      box.checked = !box.checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (event.key === "Tab" && !event.shiftKey && inFirst && row === this.rows.at(-1) && event.target === cells(row).at(-1) && this.blank && row.matches(".touched, :not(.fresh)")) {
      event.preventDefault();
      this.add();
    } else if (event.key === "Enter" && row && !event.ctrlKey && !event.altKey && event.target.matches("input, select")) {
      event.preventDefault();
      if (!inFirst) return;
      const column = cells(row).indexOf(event.target);
      const rows = this.rows;
      const target = rows[rows.indexOf(row) + (event.shiftKey ? -1 : 1)];
      if (target) cells(target)[column]?.focus();
      else if (!event.shiftKey && row.matches(".touched, :not(.fresh)")) this.add();
    }
  }
}

export function startChildGrids(form, unsaved) {
  const grids = new Map();
  const start = (part) => {
    for (const section of part.querySelectorAll("[data-grid]")) grids.set(section, new ChildGrid(section, form, unsaved));
  };
  start(form);
  form.addEventListener("panel", (event) => start(event.detail));
  // Einfg belongs to the table worked on last, or the first one on the tab.
  let last = null;
  form.addEventListener("focusin", (event) => (last = event.target.closest("[data-grid]") ?? last));
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Insert" || event.ctrlKey || event.shiftKey || event.altKey || event.target.closest("[data-grid], dialog")) return;
      const shown = [...grids.keys()].filter((section) => section.offsetParent);
      const grid = grids.get(shown.includes(last) ? last : shown[0]);
      if (!grid?.blank) return;
      event.preventDefault();
      event.stopPropagation();
      grid.add();
    },
    true,
  );
}
