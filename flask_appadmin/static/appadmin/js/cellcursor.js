// Walks over the cells of a list in edit mode and turns the one in use into an input. The cursor is the focus of the cell.

import { CellEditor } from "./celleditor.js";

const remembered = (table) => `appadmin:cell:${table.dataset.list}`;
const isTyped = (event) => (event.key.length === 1 || event.key === "Dead") && ((!event.ctrlKey && !event.altKey && !event.metaKey) || event.getModifierState("AltGraph"));

// Rows and columns of what a spreadsheet puts on the clipboard; a quoted value may hold tabs and line breaks.
export function readBlock(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    const row = rows.at(-1);
    if (quoted && sign === '"' && text[at + 1] === '"') {
      row[row.length - 1] += text[++at];
    } else if (sign === '"' && (quoted || row.at(-1) === "")) {
      quoted = !quoted;
    } else if (!quoted && sign === "\t") {
      row.push("");
    } else if (!quoted && sign === "\n") {
      rows.push([""]);
    } else if (quoted || sign !== "\r") {
      row[row.length - 1] += sign;
    }
  }
  if (rows.length > 1 && rows.at(-1).join("") === "") rows.pop();
  return rows;
}

class CellCursor {
  constructor(cells) {
    this.cells = cells;
    this.table = cells.table;
    this.editor = null;
    this.current = null;
  }

  here() {
    return this.current;
  }

  go(td) {
    if (!td) return false;
    td.tabIndex = 0;
    td.focus();
    td.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  // The cell with the focus is the one that Tab comes back to.
  enter(td) {
    if (this.current && this.current !== td) this.current.tabIndex = -1;
    this.current = td;
    td.tabIndex = 0;
  }

  move(down, right) {
    const rows = this.cells.rows;
    const row = Math.min(Math.max(rows.indexOf(this.current.parentElement) + down, 0), rows.length - 1);
    const column = Math.min(Math.max(this.current.cellIndex + right, 0), this.cells.columns.length - 1);
    this.go(rows[row].cells[column]);
  }

  // The next cell that can be edited, over the ends of rows; false at the end of the table.
  step(forth) {
    const stops = this.cells.rows.flatMap((row) => [...row.cells].filter((td) => td === this.current || !td.classList.contains("fixed")));
    return this.go(stops[stops.indexOf(this.current) + (forth ? 1 : -1)]);
  }

  // --- the input ----------------------------------------------------------------------------------------------------

  open(td, typed = false) {
    this.finish();
    const cell = this.cells.cellOf(td);
    if (!cell || cell.column.kind === "check") return false;
    this.go(td);
    this.editor = new CellEditor(td, cell.column.template, cell.now, typed);
    this.editor.box.addEventListener("focusout", (event) => {
      // Another window is no other cell.
      if (this.editor && document.hasFocus() && !this.editor.box.contains(event.relatedTarget)) this.finish();
    });
    return true;
  }

  // What was typed becomes a change of the page; nothing is saved.
  finish() {
    const editor = this.editor;
    if (!editor) return;
    this.editor = null;
    const content = editor.read();
    editor.close();
    this.cells.set(this.cells.cellOf(editor.cell), content);
  }

  cancel() {
    const editor = this.editor;
    this.editor = null;
    editor.close();
    this.go(editor.cell);
  }

  toggle(cell) {
    this.cells.set(cell, { value: !cell.now.value, text: "" });
  }

  // --- keys ---------------------------------------------------------------------------------------------------------

  press(event) {
    const td = event.target.closest("td");
    if (!td || !td.parentElement.dataset.keyOf || event.isComposing) return;
    const done = this.editor ? this.pressInEditor(event) : this.pressOnCell(event, td);
    if (done === null) return;
    // Letters typed here are no keys of the page.
    event.stopPropagation();
    if (done) event.preventDefault();
  }

  // Answers true: done; false: the browser goes on with it; null: not ours.
  pressInEditor(event) {
    const { key } = event;
    const walk = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "s") return null;
    if (event.altKey && !event.getModifierState("AltGraph")) return null;
    if (key === "Escape") this.cancel();
    else if (key === "Enter" && !(event.shiftKey && this.editor.input.tagName === "TEXTAREA")) {
      this.finish();
      this.move(event.shiftKey ? -1 : 1, 0);
    } else if (key === "Tab") {
      this.finish();
      return this.step(!event.shiftKey);
    } else if (walk && this.editor.walks && !event.shiftKey && !event.ctrlKey) {
      this.finish();
      this.move(...walk);
    } else return false;
    return true;
  }

  pressOnCell(event, td) {
    const { key } = event;
    const control = event.ctrlKey || event.metaKey;
    const cell = this.cells.cellOf(td);
    if (isTyped(event) && !(cell?.column.kind === "check" && key === " ")) {
      if (cell?.column.kind === "check" || !this.open(td, true)) return true;
      return false; // the letter goes into the input, which has the focus now
    }
    if (control && key.toLowerCase() === "z" && !event.shiftKey) return this.undo();
    if (event.altKey && key === "ArrowDown") return this.open(td);
    if (event.altKey) return null;
    const rows = this.cells.rows;
    const walk = {
      ArrowUp: [control ? -rows.length : -1, 0],
      ArrowDown: [control ? rows.length : 1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      Enter: [event.shiftKey ? -1 : 1, 0],
      Home: [control ? -rows.length : 0, -this.cells.columns.length],
      End: [control ? rows.length : 0, this.cells.columns.length],
      PageUp: [-this.pageRows(), 0],
      PageDown: [this.pageRows(), 0],
    }[key];
    if (walk && !(control && (key === "Enter" || key.startsWith("Page")))) this.move(...walk);
    else if (control) return null;
    else if (key === "Tab") return this.step(!event.shiftKey);
    else if (key === "F2") this.open(td);
    else if (key === " " && cell) this.toggle(cell);
    else if (key === "Escape" && cell) this.cells.restore(cell);
    else if (key === "Delete" && cell) this.cells.set(cell, { value: cell.column.kind === "check" ? false : "", text: "" });
    else if (key === "Backspace") this.open(td, true);
    else return null;
    return true;
  }

  // The last entry; where there is none, what was saved a moment ago, as the toast offers it.
  undo() {
    const td = this.cells.back();
    if (td) this.go(td);
    else document.querySelector("#toast .undo")?.click();
    return true;
  }

  pageRows() {
    return Math.max(5, Math.floor(this.table.parentElement.clientHeight / 30) - 3);
  }

  // --- coming back after saving -------------------------------------------------------------------------------------

  remember() {
    if (!this.current) return;
    const name = this.cells.columns[this.current.cellIndex].name;
    sessionStorage.setItem(remembered(this.table), JSON.stringify([this.current.parentElement.dataset.keyOf, name]));
  }

  begin() {
    const [key, name] = JSON.parse(sessionStorage.getItem(remembered(this.table)) ?? "[]");
    sessionStorage.removeItem(remembered(this.table));
    const rows = this.cells.rows;
    const row = rows.find((each) => each.dataset.keyOf === key) ?? rows[0];
    const wanted = this.cells.columns.findIndex((column) => column.name === name);
    this.go(row.cells[wanted] ?? row.querySelector("td:not(.fixed)") ?? row.cells[0]);
  }
}

export function startCellCursor(cells) {
  const cursor = new CellCursor(cells);
  const { table } = cells;
  const cellAt = (event) => {
    const td = event.target.closest?.("td");
    return td?.parentElement.dataset.keyOf ? td : null;
  };

  table.addEventListener("keydown", (event) => cursor.press(event));
  table.addEventListener("click", (event) => {
    const td = cellAt(event);
    if (!td || event.target.closest("a, .cell-editor")) return;
    if (event.target.matches("input[type=checkbox]")) {
      cells.set(cells.cellOf(td), { value: event.target.checked, text: "" });
      cursor.go(td);
    } else if (cursor.here() === td && cells.cellOf(td)?.column.kind !== "check") cursor.open(td);
    else cursor.go(td);
  });
  table.addEventListener("copy", (event) => {
    const td = cellAt(event);
    if (!td || cursor.editor || !getSelection().isCollapsed) return;
    event.clipboardData.setData("text/plain", td.innerText.trim());
    event.preventDefault();
  });
  table.addEventListener("paste", (event) => {
    const td = cellAt(event);
    if (!td || cursor.editor) return;
    event.preventDefault();
    cells.paste(td, readBlock(event.clipboardData.getData("text/plain")));
  });
  const explain = (event) => {
    const td = cellAt(event);
    if (!td?.classList.contains("fixed") || "explained" in td.dataset) return;
    const isCut = td.scrollWidth > td.clientWidth + 1;
    td.title = [isCut ? td.textContent.trim() : "", cells.reasonOf(td)].filter(Boolean).join(" – ");
    td.dataset.explained = "";
    delete td.dataset.cut;
  };
  table.addEventListener("mouseover", explain);
  table.addEventListener("focusin", (event) => {
    explain(event);
    const td = cellAt(event);
    if (td) cursor.enter(td);
  });
  cursor.begin();
  return cursor;
}
