// Child records as rows of a table. New rows come from the grid's <template> under keys n1, n2 …; rows to be deleted are struck through
// and go when the form is saved; a new row that is deleted is gone at once. The server counts by key, never by position.
// Rows are edited in place, or in a window of their own (rowwindow.js). What can be done with a row stands as buttons above the table
// and in its menu (gridmenu.js).

import { ask } from "./ask.js";
import { GridMenu } from "./gridmenu.js";
import { sortRows } from "./gridsort.js";
import { startLookups } from "./lookups.js";
import { say } from "./messages.js";
import { getFragment } from "./requests.js";
import { RowWindow } from "./rowwindow.js";

const inputs = ":scope > tr:first-child > td > input:not([type=hidden]), :scope > tr:first-child > td > .lookup > input:not([type=hidden]), :scope > tr:first-child > td select, :scope > tr:first-child > td textarea";
const cells = (row) => [...row.querySelectorAll(inputs)].filter((cell) => !cell.disabled && !cell.readOnly && !cell.closest("dialog"));

class ChildGrid {
  constructor(section, unsaved) {
    this.section = section;
    this.unsaved = unsaved;
    this.table = section.querySelector("table");
    this.blank = section.querySelector("template");
    this.buttons = [...section.querySelectorAll("[data-command]")];
    this.window = section.matches(".with-windows") ? new RowWindow(this) : null;
    this.menu = new GridMenu(this);
    this.row = null;
    section.addEventListener("click", (event) => this.click(event));
    section.addEventListener("change", (event) => event.target.name?.endsWith("-delete") && this.strike(event.target.closest("tbody"), event.target.checked));
    section.addEventListener("keydown", (event) => this.press(event));
    section.addEventListener("focusin", (event) => this.mark(event.target.closest("tbody[data-row]") ?? this.row));
    section.addEventListener("mousedown", (event) => this.point(event));
    section.addEventListener("dblclick", (event) => this.window && event.target.closest("td:not(.tools)") && this.run("edit"));
    for (const field of section.querySelectorAll(".folded .req input")) field.required = false;
    this.walkable();
  }

  get rows() {
    return [...this.table.tBodies];
  }

  // --- the marked row and the commands ------------------------------------------------------------------------------

  mark(row) {
    this.row?.classList.remove("current");
    this.row = row?.isConnected ? row : null;
    this.row?.classList.add("current");
    for (const button of this.buttons) button.disabled = !this.allows(button.dataset.command);
    if (this.window && this.row) for (const each of this.rows) each.rows[0].tabIndex = each === this.row ? 0 : -1;
  }

  allows(command) {
    return command === "new" || Boolean(this.row && (command !== "delete" || !this.row.classList.contains("deleted")));
  }

  run(command) {
    if (!this.allows(command)) return;
    if (command === "new") this.add();
    else if (command === "edit") this.window?.open(this.row);
    else if (command === "delete") this.remove(this.row);
  }

  // Rows with a window are walked as wholes: one of them is reached with Tab.
  walkable() {
    if (this.window && !this.rows.some((row) => row.rows[0].tabIndex === 0) && this.rows.length) this.rows[0].rows[0].tabIndex = 0;
  }

  focus(row) {
    if (!row) return this.section.querySelector("[data-command]")?.focus();
    const target = this.window ? row.rows[0] : cells(row)[0];
    target?.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  point(event) {
    const row = event.target.closest("tbody[data-row]");
    if (!row || event.target.closest("dialog")) return;
    this.mark(row);
    if (this.window && !event.target.closest("td.tools")) row.rows[0].focus();
  }

  // --- rows come and go ----------------------------------------------------------------------------------------------

  freshKey() {
    const taken = new Set(this.rows.map((row) => row.dataset.row));
    let number = 1;
    while (taken.has(`n${number}`)) number++;
    return `n${number}`;
  }

  add() {
    // Where typing alone makes no row, it begins in a window of the server (windows.js).
    if (!this.blank) return this.section.querySelector("a[data-command=new]")?.click();
    // Where empty rows stand ready, the first of them is the new one.
    const ready = this.section.dataset.rowLabel && this.rows.find((row) => row.matches(".fresh:not(.touched)"));
    if (ready) return this.focus(ready);
    const key = this.freshKey();
    const holder = document.createElement("template");
    holder.innerHTML = this.blank.innerHTML.replaceAll("__key__", key).replaceAll("{n}", this.rows.length + 1);
    const row = document.importNode(holder.content.querySelector("tbody"), true);
    this.table.append(row);
    this.unsaved.keep(row);
    startLookups(row);
    this.recount();
    this.mark(row);
    if (this.window) {
      this.window.open(row);
    } else {
      // A number that is given by itself has a placeholder that says so.
      (cells(row).find((cell) => !cell.placeholder) ?? cells(row)[0])?.focus();
      row.scrollIntoView({ block: "nearest" });
    }
    return row;
  }

  recount() {
    const tag = this.section.querySelector("[data-row-count]");
    const standing = this.rows.filter((row) => !row.classList.contains("deleted") && !(this.section.dataset.rowLabel && row.matches(".fresh:not(.touched)")));
    tag.textContent = (standing.length + Number(tag.dataset.rest)).toLocaleString("de-DE");
    this.table.hidden = !this.rows.length;
    this.section.querySelector("[data-empty]").hidden = this.rows.length > 0;
    this.walkable();
  }

  titleOf(row) {
    const words = this.window
      ? [...row.querySelectorAll("[data-text]")].map((cell) => cell.textContent)
      : cells(row).map((cell) => (cell.type === "checkbox" ? "" : cell.tagName === "SELECT" ? (cell.selectedOptions[0]?.text ?? "") : cell.value));
    const told = words.map((word) => word.trim()).filter((word) => word && word !== "✓");
    return told.slice(0, 3).join(" ") || row.querySelector('th[scope="row"]')?.textContent || "…";
  }

  async remove(row) {
    const empty = row.matches(".fresh:not(.touched)");
    const { asks, yes, no } = this.section.dataset;
    if (asks && !empty && !(await ask(asks.replace("{title}", this.titleOf(row)), yes, no))) return this.focus(row);
    const after = row.nextElementSibling ?? row.previousElementSibling;
    const box = row.querySelector('input[name$="-delete"]');
    if (!box) return;
    box.checked = true;
    box.dispatchEvent(new Event("change", { bubbles: true }));
    this.focus(after?.matches("tbody") ? after : row.isConnected ? row : null);
  }

  toggle(row) {
    const box = row.querySelector('input[name$="-delete"]');
    if (!box) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  strike(row, deleted) {
    if (row.classList.contains("fresh")) {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      const hadFocus = row.contains(document.activeElement);
      row.remove();
      this.mark(null);
      if (hadFocus) this.focus(next?.matches("tbody") ? next : null);
    } else {
      row.classList.toggle("deleted", deleted);
      this.mark(this.row);
    }
    this.recount();
    this.unsaved.show();
  }

  // --- more rows, and their order -------------------------------------------------------------------------------------

  // The next rows of a long table; false when there are none, or they did not come.
  async more() {
    const link = this.section.querySelector("[data-more-rows]");
    if (!link || link.matches(".loading")) return false;
    link.classList.add("loading");
    const url = new URL(this.section.dataset.rowUrl, location.href);
    url.searchParams.set("rows", this.section.dataset.grid);
    url.searchParams.set("skip", this.rows.filter((row) => !row.classList.contains("fresh")).length);
    try {
      const holder = document.createElement("template");
      holder.innerHTML = await getFragment(url, "rows");
      const part = holder.content.querySelector("table");
      const known = new Set(this.rows.map((row) => row.dataset.row));
      const fresh = this.rows.find((row) => row.classList.contains("fresh")) ?? null;
      for (const row of [...part.tBodies]) {
        if (known.has(row.dataset.row)) continue;
        this.table.insertBefore(row, fresh);
        this.unsaved.keep(row);
        startLookups(row);
      }
      this.section.append(holder.content.querySelector('input[name="_base"]'));
      const rest = Number(part.dataset.rest);
      this.section.querySelector("[data-row-count]").dataset.rest = rest;
      if (rest) link.textContent = link.dataset.words.replace("{n}", Math.min(rest, part.tBodies.length || rest, 50)).replace("{rest}", rest);
      else link.parentElement.remove();
      this.recount();
      return true;
    } catch {
      say(this.section.dataset.failed, "bad");
      return false;
    } finally {
      link.classList.remove("loading");
    }
  }

  async sort(head) {
    while (this.section.querySelector("[data-more-rows]")) if (!(await this.more())) return;
    sortRows(this.table, head);
  }

  // --- mouse and keys -------------------------------------------------------------------------------------------------

  async click(event) {
    const command = event.target.closest("[data-command]");
    if (command?.matches("button")) this.run(command.dataset.command);
    const head = event.target.closest("[data-sort]");
    if (head) this.sort(head.closest("th"));
    if (event.target.closest("[data-more-rows]") && !event.ctrlKey) {
      event.preventDefault();
      const before = this.rows.length;
      if (await this.more()) this.focus(this.rows[before]);
    }
    const cross = event.target.closest('input[name$="-delete"]');
    if (cross?.checked && this.section.dataset.asks) {
      // The cross is „Löschen“ with the mouse: it asks, too.
      event.preventDefault();
      this.remove(cross.closest("tbody"));
    }
    const more = event.target.closest("[data-more]");
    if (!more) return;
    const row = more.closest("tbody").querySelector("tr.more");
    const folded = row.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(!folded));
    if (!folded) row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  }

  press(event) {
    if (event.target.closest("dialog")) return;
    const row = event.target.closest("tbody[data-row]");
    const inFirst = row && event.target.closest("tr") === row.rows[0];
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      event.preventDefault();
      this.menu.openAt(event.target);
    } else if (event.key === "Insert" && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      this.add();
    } else if (event.key === "Delete" && event.ctrlKey && row) {
      event.preventDefault();
      this.toggle(row);
    } else if (this.window) {
      this.walk(event, row);
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

  // Rows as wholes: arrows walk, Enter opens, Entf deletes.
  walk(event, row) {
    if (!row || event.target !== row.rows[0] || event.ctrlKey || event.altKey || event.metaKey) return;
    const rows = this.rows;
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (rows[to]) this.focus(rows[to]);
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      this.run("edit");
    } else if (event.key === "Delete") {
      event.preventDefault();
      this.run("delete");
    }
  }
}

export function startChildGrids(form, unsaved) {
  const grids = new Map();
  const start = (part) => {
    for (const section of part.querySelectorAll("[data-grid]")) grids.set(section, new ChildGrid(section, unsaved));
  };
  start(form);
  form.addEventListener("panel", (event) => start(event.detail));
  // Somebody wants to see a field: folded rows and windows open.
  form.addEventListener("reveal", (event) => {
    const row = event.target.closest("tbody[data-row]");
    if (!row) return;
    const grid = grids.get(row.closest("[data-grid]"));
    grid.mark(row);
    if (event.target.closest("dialog")) grid.window?.open(row);
    else event.target.closest("tr.more")?.classList.remove("folded");
  });
  // Einfg belongs to the table worked on last, or the first one on the tab.
  let last = null;
  document.addEventListener("focusin", (event) => {
    const section = event.target.closest("[data-grid]");
    if (event.target.closest("dialog") && !section) return;
    if (section !== last && grids.has(last)) grids.get(last).mark(null);
    last = section ?? last;
  });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Insert" || event.ctrlKey || event.shiftKey || event.altKey || event.target.closest("[data-grid]") || document.querySelector("dialog[open]")) return;
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
