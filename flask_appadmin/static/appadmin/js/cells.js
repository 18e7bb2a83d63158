// Editing in the list: what was changed and is not saved, what the server says of it, saving and leaving.
// Nothing is saved by leaving a cell. All changes go in one request and are saved together or not at all.

import { startCellCursor } from "./cellcursor.js";
import { say } from "./messages.js";
import { postJSON, RequestFault } from "./requests.js";

const GERMAN = document.documentElement.lang.startsWith("de");
const EMPTY = { value: "", text: "" };
const YES = ["ja", "j", "yes", "y", "1", "wahr", "true", "x", "✓"];
const NO = ["nein", "n", "no", "0", "falsch", "false", "-", ""];

const fill = (pattern, parts) => pattern.replace(/\{(\w+)\}/g, (_all, name) => parts[name]);
const made = (tag, css, ...children) => {
  const element = document.createElement(tag);
  if (css) element.className = css;
  element.append(...children);
  return element;
};

// "2500" is "2.500,00": the same number as people type it. What was typed with points is left to the server.
const plainNumber = (text) => (/^\d+,\d*?0*$/.test(text) && GERMAN ? text.replace(/,?0*$/, "") : text);

// A cell that can be edited: where it stands, what is stored, what was typed, what the server said.
class Cell {
  constructor(td, key, column, entry) {
    this.td = td;
    this.key = key;
    this.column = column;
    this.keep(entry);
    this.typed = null;
    this.sentence = "";
    this.conflict = null;
  }

  get id() {
    return `${this.key}/${this.column.name}`;
  }

  keep([base, typed, title]) {
    this.base = base;
    this.stored = this.column.kind === "check" ? { value: base === true, text: "" } : base === null ? EMPTY : { value: String(typed ?? base), text: "" };
    if (this.column.kind === "lookup") this.stored.text = title ?? "";
    else if (this.column.kind === "select") this.stored.text = this.column.words.get(this.stored.value) ?? this.stored.value;
    else if (this.column.kind !== "check") this.stored.text = this.stored.value;
  }

  get now() {
    return this.typed ?? this.stored;
  }

  isStored(content) {
    if (this.column.kind === "number" && plainNumber(content.value) === plainNumber(this.stored.value.replaceAll(".", ""))) return true;
    if (content.value !== this.stored.value) return false;
    // A record that is only named, as pasted text, is found by the server.
    return !this.column.reference || content.value !== "" || content.text.trim() === "";
  }
}

class Cells {
  constructor(bar, table) {
    this.bar = bar;
    this.table = table;
    const content = JSON.parse(bar.querySelector("template[data-content]").content.textContent);
    this.columns = content.columns;
    this.entries = content.rows;
    this.known = new Map(); // td -> Cell
    this.original = new WeakMap(); // td -> its nodes as the server drew them
    this.past = []; // what Ctrl+Z takes back: lists of [cell, what was typed before]
    this.rowSentences = new Map(); // row key -> sentence
    this.leaving = false;
    this.sending = false;
    // What was typed outlives a reload of this very page, for the same operator in the same window.
    this.draft = `appadmin:cells:${bar.dataset.operator}:${location.pathname}${location.search}`;
    for (const column of this.columns) {
      column.template = bar.querySelector(`template[data-cell="${CSS.escape(column.name)}"]`);
      column.words = new Map([...(column.template?.content.querySelectorAll("option") ?? [])].map((option) => [option.value, option.text]));
    }
    this.prepare();
  }

  get rows() {
    return [...this.table.tBodies[0].rows].filter((row) => row.dataset.keyOf);
  }

  get changed() {
    return [...this.known.values()].filter((cell) => cell.typed);
  }

  cellOf(td) {
    const known = this.known.get(td);
    if (known) return known;
    const column = this.columns[td.cellIndex];
    const key = td.parentElement.dataset.keyOf;
    const entry = this.entries[key]?.[td.cellIndex];
    if (!column || column.fixed || !entry) return null;
    const cell = new Cell(td, key, column, entry);
    this.known.set(td, cell);
    return cell;
  }

  reasonOf(td) {
    return this.columns[td.cellIndex]?.fixed || this.bar.dataset.once;
  }

  prepare() {
    this.table.classList.add("editing");
    this.table.setAttribute("role", "grid");
    for (const row of this.rows) {
      for (const [index, column] of this.columns.entries()) {
        const td = row.cells[index];
        const entry = this.entries[row.dataset.keyOf]?.[index];
        if (column.fixed || !entry) {
          td.classList.add("fixed");
          td.setAttribute("aria-readonly", "true");
        } else if (column.kind === "check") {
          const box = made("input");
          box.type = "checkbox";
          box.tabIndex = -1;
          box.checked = entry[0] === true;
          box.setAttribute("aria-label", column.label);
          td.replaceChildren(box);
        }
      }
    }
    this.holdWidths();
  }

  // Columns keep their widths, whatever is typed into them (columns.js does the same when one is drawn wider).
  holdWidths() {
    const heads = [...this.table.tHead.rows[0].cells];
    const columns = [...this.table.querySelectorAll("col")];
    if (columns.length !== heads.length || this.table.classList.contains("sized")) return;
    const widths = heads.map((head) => head.getBoundingClientRect().width);
    for (const [index, column] of columns.entries()) column.width = Math.ceil(widths[index]);
    this.table.classList.add("sized");
  }

  // --- changing -----------------------------------------------------------------------------------------------------

  set(cell, content, step = null) {
    const before = cell.typed;
    const next = cell.isStored(content) ? null : content;
    if (before === next || (before && next && before.value === next.value && before.text === next.text)) return;
    if (step) step.push([cell, before]);
    else this.past.push([[cell, before]]);
    cell.typed = next;
    cell.sentence = "";
    if (!next) cell.conflict = null;
    this.draw(cell);
    this.show();
  }

  restore(cell) {
    if (cell.typed) this.set(cell, cell.stored);
  }

  back() {
    const step = this.past.pop();
    if (!step) return null;
    for (const [cell, before] of step.toReversed()) {
      cell.typed = before && !cell.isStored(before) ? before : null;
      this.draw(cell);
    }
    this.show();
    return step[0][0].td;
  }

  discard() {
    const step = [];
    for (const cell of this.changed) this.set(cell, cell.stored, step);
    if (step.length) this.past.push(step);
    this.rowSentences.clear();
    this.drawFaults();
    this.show();
  }

  // What a spreadsheet has on the clipboard, from this cell on to the right and down.
  paste(td, block) {
    const rows = this.rows;
    const [top, left] = [rows.indexOf(td.parentElement), td.cellIndex];
    const step = [];
    let misfits = 0;
    for (const [down, values] of block.entries()) {
      for (const [right, text] of values.entries()) {
        const target = rows[top + down]?.cells[left + right];
        const cell = target && this.cellOf(target);
        const content = cell && contentOf(cell.column, text.trim());
        if (content) this.set(cell, content, step);
        else misfits += 1;
      }
    }
    if (step.length) this.past.push(step);
    if (misfits) say(fill(this.bar.dataset.misfit, { n: misfits }), "warn");
  }

  // --- drawing ------------------------------------------------------------------------------------------------------

  draw(cell) {
    const { td, column } = cell;
    const changed = cell.typed !== null;
    td.classList.toggle("changed", changed);
    if (column.kind === "check") {
      td.querySelector("input").checked = cell.now.value === true;
    } else if (changed) {
      if (!this.original.has(td)) this.original.set(td, [...td.childNodes]);
      td.replaceChildren(cell.now.text);
    } else if (this.original.has(td)) {
      td.replaceChildren(...this.original.get(td));
    }
    if (changed) td.title = fill(this.bar.dataset.old, { text: this.words(cell, cell.stored) });
    else td.removeAttribute("title");
    delete td.dataset.cut;
    this.drawFaultsOf(td.parentElement);
  }

  words(cell, content) {
    if (cell.column.kind === "check") return content.value ? this.bar.dataset.yes : this.bar.dataset.no;
    return content.text || this.bar.dataset.empty;
  }

  show() {
    const { bar } = this;
    const changed = this.changed;
    const [n, m] = [changed.length, new Set(changed.map((cell) => cell.key)).size];
    bar.classList.toggle("dirty", n > 0);
    bar.classList.remove("refused");
    const data = bar.dataset;
    bar.querySelector("[data-state]").textContent = n === 0 ? "" : fill(n === 1 ? data.one : m === 1 ? data.row : data.many, { n, m });
    const save = bar.querySelector("[data-save]");
    save.disabled = n === 0 || this.sending;
    if (n > 0) save.querySelector("[data-save-text]").textContent = this.saveText(n);
    bar.querySelector("[data-discard]").hidden = n === 0;
    this.keepDraft();
  }

  keepDraft() {
    const typed = this.leaving ? [] : this.changed.map((cell) => [cell.key, cell.column.name, cell.typed, cell.base]);
    if (typed.length) sessionStorage.setItem(this.draft, JSON.stringify(typed));
    else sessionStorage.removeItem(this.draft);
  }

  // A cell that was changed by somebody else since then keeps what was shown at the time: saving will ask.
  bringDraft() {
    for (const [key, name, typed, base] of JSON.parse(sessionStorage.getItem(this.draft) ?? "[]")) {
      const row = this.rows.find((each) => each.dataset.keyOf === key);
      const td = row?.cells[this.columns.findIndex((column) => column.name === name)];
      const cell = td && this.cellOf(td);
      if (!cell || cell.isStored(typed)) continue;
      Object.assign(cell, { typed, base });
      this.draw(cell);
    }
    this.show();
  }

  saveText(n) {
    return fill(n === 1 ? this.bar.dataset.saveOne : this.bar.dataset.saveMany, { n });
  }

  drawFaults() {
    for (const row of this.rows) this.drawFaultsOf(row);
  }

  // Faults stand in words in a line below their row.
  drawFaultsOf(row) {
    if (row.nextElementSibling?.matches(".row-errors")) row.nextElementSibling.remove();
    const cells = [...row.cells].map((td) => this.known.get(td)).filter((cell) => cell);
    for (const cell of cells) {
      const isBad = Boolean(cell.sentence || cell.conflict);
      cell.td.classList.toggle("bad", isBad);
      if (isBad) cell.td.setAttribute("aria-invalid", "true");
      else cell.td.removeAttribute("aria-invalid");
    }
    const lines = cells.flatMap((cell) => this.faultLines(cell));
    const sentence = this.rowSentences.get(row.dataset.keyOf);
    if (sentence && cells.some((cell) => cell.typed)) lines.unshift(made("p", "err", sentence));
    if (!lines.length) return;
    const td = made("td", "", ...lines);
    td.colSpan = this.columns.length;
    row.after(made("tr", "row-errors", td));
  }

  faultLines(cell) {
    const lines = [];
    if (cell.sentence) lines.push(made("p", "err", made("b", "", `${cell.column.label}:`), ` ${cell.sentence}`));
    if (cell.conflict) {
      const { sentence, mine, theirs } = cell.conflict;
      const buttons = [
        [fill(this.bar.dataset.mine, { text: mine }), () => this.decide(cell, false)],
        [fill(this.bar.dataset.theirs, { text: theirs }), () => this.decide(cell, true)],
      ].map(([text, act]) => {
        const button = made("button", "", text);
        button.type = "button";
        button.addEventListener("click", act);
        return button;
      });
      lines.push(made("p", "err", made("b", "", `${cell.column.label}:`), ` ${sentence}`, ...buttons));
    }
    return lines;
  }

  // From now on the cell stands beside what the other one saved: kept as typed, or given up for it.
  decide(cell, isTheirs) {
    const typed = cell.typed;
    cell.keep(cell.conflict.entry);
    cell.conflict = null;
    this.original.set(cell.td, [cell.stored.text]);
    cell.typed = isTheirs || !typed || cell.isStored(typed) ? null : typed;
    this.draw(cell);
    this.show();
    this.focus(cell.td);
  }

  // --- saving -------------------------------------------------------------------------------------------------------

  async save() {
    const changed = this.changed;
    if (!changed.length || this.sending) return false;
    this.sending = true;
    this.show();
    const changes = changed.map((cell) => ({
      key: Number(cell.key),
      field: cell.column.name,
      value: cell.typed.value,
      ...(cell.column.reference && !cell.typed.value ? { text: cell.typed.text } : {}),
      base: cell.base,
    }));
    try {
      await postJSON(this.bar.dataset.url, { changes });
      this.goAway();
      return true;
    } catch (fault) {
      this.sending = false;
      this.show();
      this.refuse(fault, changed);
      return false;
    }
  }

  refuse(fault, sent) {
    const answer = (fault instanceof RequestFault && fault.answer) || {};
    const status = fault instanceof RequestFault ? fault.cause : 0;
    if (status === 401) return say(this.bar.dataset.signedOut, "bad");
    if (!fault.message || status === 0 || status >= 500) return say(fault instanceof RequestFault && fault.message ? fault.message : this.bar.dataset.failed, "bad");
    for (const cell of sent) {
      cell.sentence = "";
      cell.conflict = null;
    }
    this.rowSentences.clear();
    if (status === 403) {
      // Without the right the value on the screen is the stored one again.
      for (const cell of sent) if (!answer.fields || answer.fields.includes(cell.column.name)) this.restore(cell);
    }
    const find = (key, name) => sent.find((cell) => cell.key === String(key) && cell.column.name === name);
    for (const { key, field, sentence } of answer.cells ?? []) {
      const cell = find(key, field);
      if (cell) cell.sentence = sentence;
    }
    for (const conflict of answer.conflicts ?? []) {
      const cell = find(conflict.key, conflict.field);
      if (cell) cell.conflict = conflict;
    }
    for (const { key, sentence } of answer.rows ?? []) this.rowSentences.set(String(key), sentence);
    for (const key of answer.gone ?? []) this.rowSentences.set(String(key), this.bar.dataset.gone);
    this.drawFaults();
    const row = this.table.querySelector("tr.row-errors");
    if (!row) return say(fault.message, "bad");
    this.bar.classList.add("refused");
    this.bar.querySelector("[data-state]").textContent = fault.message;
    const place = row.previousElementSibling.querySelector("td.bad") ?? row.previousElementSibling.querySelector("td.changed");
    const decision = this.known.get(place)?.conflict && row.querySelector("button");
    if (decision) decision.focus();
    else this.focus(place);
  }

  focus(td) {
    td.tabIndex = 0;
    td.focus();
  }

  goAway() {
    this.leaving = true;
    this.keepDraft();
  }

  // --- leaving ------------------------------------------------------------------------------------------------------

  // Asks what becomes of unsaved cells, then goes on by `go`; stays where saving was refused.
  async leave(go) {
    const dialog = document.getElementById("leave-cells");
    const n = this.changed.length;
    dialog.querySelector("h2").textContent = fill(n === 1 ? this.bar.dataset.unsavedOne : this.bar.dataset.unsavedMany, { n });
    dialog.querySelector('[data-answer="save"]').textContent = this.saveText(n);
    dialog.returnValue = "stay";
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    if (dialog.returnValue === "discard") this.goAway();
    else if (dialog.returnValue !== "save" || !(await this.save())) return;
    go();
  }
}

function contentOf(column, text) {
  if (column.kind === "check") {
    const word = text.toLowerCase();
    return YES.includes(word) ? { value: true, text: "" } : NO.includes(word) ? { value: false, text: "" } : null;
  }
  if (column.kind === "lookup") return { value: "", text };
  if (column.kind !== "select") return { value: text, text };
  const wanted = text.toLowerCase();
  const found = [...column.words].find(([value, words]) => words.toLowerCase() === wanted || value.toLowerCase() === wanted);
  return found ? { value: found[0], text: found[1] } : { value: column.reference ? "" : text, text };
}

export function startCells(bar, table) {
  const cells = new Cells(bar, table);
  const cursor = startCellCursor(cells);

  const save = async () => {
    cursor.finish();
    if (!(await cells.save())) return;
    cursor.remember();
    location.reload();
  };
  bar.querySelector("[data-save]").addEventListener("click", save);
  bar.querySelector("[data-discard]").addEventListener("click", () => {
    cells.discard();
    cursor.here()?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]") || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (!event.repeat) save();
  });

  for (const button of document.querySelectorAll("#leave-cells [data-answer]")) button.addEventListener("click", () => button.closest("dialog").close(button.dataset.answer));
  // On the window, so that whatever stays on the page has had its say before.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.getAttribute("href").startsWith("#")) return;
    cursor.finish();
    if (cells.leaving || !cells.changed.length) return;
    event.preventDefault();
    cells.leave(() => location.assign(link.href));
  });
  addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    cursor.finish();
    if (cells.leaving || !cells.changed.length) return;
    event.preventDefault();
    cells.leave(() => event.target.requestSubmit(event.submitter));
  });
  addEventListener("beforeunload", (event) => {
    if (cells.leaving || !cells.changed.length) return;
    event.preventDefault();
    event.returnValue = "";
  });
  cells.bringDraft();
}
