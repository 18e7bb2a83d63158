// The editor of a saved mapping: a column „Von“ is picked, a field „Nach“ is given to it; each field once.

import { startLookups } from "./lookups.js";
import { watch } from "./wholepage.js";

startLookups();

const form = document.getElementById("schema");
const columns = form.querySelector("[data-columns]");
const values = form.querySelector("[data-values]");
const targets = [...form.querySelectorAll("[data-target]")];
const find = form.querySelector("[data-find-field]");
let picked = null;
const table = form.querySelector("select[name='entity']");
const unsaved = watch(form, (event) => event.target !== find && event.target !== table);

const rows = () => [...columns.querySelectorAll("[data-column]")];
const input = (row, name) => row.querySelector(`input[name="${name}"]`);
const sourceOf = (row) => input(row, "source").value;
const targetOf = (row) => input(row, "target").value;
const isDelete = () => form.elements.mode.value === "delete";

function draw() {
  const assigned = new Map(rows().map((row) => [targetOf(row).replace("!", ""), row]));
  assigned.delete("");
  for (const row of rows()) {
    row.querySelector("[data-pick]").setAttribute("aria-pressed", String(row === picked));
    row.classList.toggle("is-picked", row === picked);
    row.querySelector("[data-free]").hidden = !targetOf(row);
    const label = row.querySelector("[data-label]");
    label.classList.toggle("sub", !targetOf(row));
    if (!targetOf(row)) label.textContent = form.dataset.unassigned;
  }
  for (const button of targets) {
    const row = assigned.get(button.dataset.target.replace("!", ""));
    const isMark = button.closest("[data-only-delete]") !== null;
    const isOwn = row && targetOf(row) === button.dataset.target;
    button.disabled = Boolean(row) || (isMark && !isDelete());
    if (isOwn) button.dataset.source = sourceOf(row);
    else delete button.dataset.source;
  }
}

function pick(row) {
  picked = row;
  draw();
}

function pickNext(row) {
  const all = rows();
  const later = [...all.slice(all.indexOf(row) + 1), ...all].find((each) => !targetOf(each));
  pick(later ?? null);
  later?.scrollIntoView({ block: "nearest" });
}

function assign(button) {
  if (!picked || button.disabled) return;
  unsaved.note();
  input(picked, "target").value = button.dataset.target;
  picked.querySelector("[data-label]").textContent = button.textContent;
  pickNext(picked);
}

function addColumn(name) {
  const source = name.trim();
  const known = rows().find((row) => sourceOf(row) === source);
  if (known || !source) return known;
  const row = form.querySelector("[data-new-column]").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-pick]").textContent = source;
  input(row, "source").value = source;
  columns.append(row);
  unsaved.note();
  return row;
}

columns.addEventListener("click", (event) => {
  const row = event.target.closest("[data-column]");
  if (!row) return;
  if (event.target.closest("[data-free]")) {
    unsaved.note();
    input(row, "target").value = "";
    pick(row);
    row.querySelector("[data-pick]").focus();
  } else if (event.target.closest("[data-remove]")) {
    unsaved.note();
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (picked === row) picked = null;
    draw();
    (next?.querySelector("[data-pick]") ?? form.querySelector("[data-add-name]")).focus();
  } else if (event.target.closest("[data-pick]")) {
    pick(row);
  }
});

form.querySelector("[data-targets]").addEventListener("click", (event) => {
  const button = event.target.closest("[data-target]");
  if (button) assign(button);
});

const matches = () => {
  const words = find.value.trim().toLocaleLowerCase();
  return (text) => !words || text.toLocaleLowerCase().includes(words);
};

find.addEventListener("input", () => {
  const fits = matches();
  for (const group of form.querySelectorAll("[data-targets] > details")) {
    const found = [...group.querySelectorAll("li")].filter((item) => {
      item.hidden = !fits(item.textContent);
      return !item.hidden;
    });
    group.hidden = Boolean(find.value.trim()) && !found.length;
    if (find.value.trim()) group.open = found.length > 0;
  }
});

find.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && find.value) {
    event.preventDefault();
    find.value = "";
    find.dispatchEvent(new Event("input"));
  }
  if (event.key !== "Enter") return;
  event.preventDefault();
  const first = targets.find((button) => !button.disabled && !button.closest("[hidden]"));
  if (!first || !find.value.trim()) return;
  assign(first);
  find.value = "";
  find.dispatchEvent(new Event("input"));
});

function addTyped() {
  const field = form.querySelector("[data-add-name]");
  const row = addColumn(field.value);
  if (!row) return;
  field.value = "";
  pick(row);
  field.focus();
}

form.querySelector("[data-add]").addEventListener("click", addTyped);
form.querySelector("[data-add-name]").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  addTyped();
});

// What is assigned on this page may have values, too.
function offerTargets(select) {
  const known = new Set([...select.options].map((option) => option.value));
  for (const row of rows()) {
    if (!targetOf(row) || known.has(targetOf(row))) continue;
    select.append(new Option(row.querySelector("[data-label]").textContent, targetOf(row)));
  }
}

values.addEventListener("focusin", (event) => event.target.matches("select") && offerTargets(event.target));
values.addEventListener("click", (event) => {
  if (!event.target.closest("[data-remove]")) return;
  unsaved.note();
  event.target.closest("[data-value]").remove();
  form.querySelector("[data-add-value]").focus();
});
form.querySelector("[data-add-value]").addEventListener("click", () => {
  const row = form.querySelector("[data-new-value]").content.firstElementChild.cloneNode(true);
  values.append(row);
  row.querySelector("select").focus();
});

// What was chosen is read at once.
form.elements.sample.addEventListener("change", (event) => event.target.files.length && form.requestSubmit(form.querySelector("[data-read]")));

form.elements.mode.addEventListener("change", draw);
// Another table has other fields.
table?.addEventListener("change", (event) => {
  unsaved.forget();
  location.search = `?entity=${encodeURIComponent(event.target.value)}`;
});

pick(rows().find((row) => !targetOf(row)) ?? null);
form.dataset.ready = "";
