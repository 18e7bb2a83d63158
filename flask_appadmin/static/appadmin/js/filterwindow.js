// The window in which a filter is put together: rows and groups. The server draws each row; here they are added, taken
// away, and read again into the tree that the server understands (see views/list_page/filter_panel.py).

import { holding } from "./heldkeys.js";
import { startLookups } from "./lookups.js";
import { getFragment } from "./requests.js";

const own = (group) => [...group.querySelector("[data-nodes]").children];

function read(node) {
  const kind = node.dataset.node;
  if (kind === "kept") return { kept: JSON.parse(node.dataset.pairs) };
  if (kind === "child") return { child: node.dataset.child, no: node.querySelector("[data-no]").value === "1", nodes: own(node).map(read) };
  if (kind === "group") return { how: node.querySelector("[data-how]").value, nodes: own(node).map(read) };
  return { field: node.querySelector("[data-field]").value, op: node.querySelector("[data-op]")?.value ?? "", values: valuesOf(node) };
}

function valuesOf(row) {
  const boxes = [...row.querySelectorAll("[data-value]")].filter((box) => box.type !== "checkbox" || box.checked);
  return boxes.map((box) => box.value || (box.type === "hidden" ? box.nextElementSibling.value : ""));
}

export function startFilterWindow(form, close) {
  const prefixOf = (node) => node.closest("[data-prefix]").dataset.prefix;

  // The field of a row is looked up among those of its group.
  function prepare(part) {
    for (const box of part.querySelectorAll(".lookup.field")) {
      const url = new URL(form.dataset.fields, location.href);
      url.searchParams.set("within", prefixOf(box.closest("[data-node]").parentElement));
      box.dataset.lookup = url.pathname + url.search;
    }
    startLookups(part);
  }

  async function redraw(row, focus) {
    const url = new URL(form.dataset.rowUrl, location.href);
    url.searchParams.set("field", row.querySelector("[data-field]").value);
    url.searchParams.set("within", prefixOf(row.parentElement));
    const operator = row.querySelector("[data-op]");
    if (operator && focus === "values") {
      url.searchParams.set("op", operator.value);
      for (const value of valuesOf(row)) url.searchParams.append("value", value);
    }
    const drawn = document.createElement("div");
    drawn.innerHTML = await getFragment(url, "filter_row");
    const made = drawn.firstElementChild;
    // Who has gone on to another place meanwhile stays there.
    const stays = document.activeElement !== document.body && !row.contains(document.activeElement);
    row.replaceWith(made);
    prepare(made);
    if (stays) return;
    (focus === "operator" ? made.querySelector("[data-op], [data-no]") : made.querySelector("[data-value]:not([type=hidden]), .values .lookup input:not([type=hidden])") ?? made.querySelector("[data-op]"))?.focus();
  }

  function add(group, blank) {
    const made = form.querySelector(blank).content.firstElementChild.cloneNode(true);
    if (made.dataset.prefix !== undefined) made.dataset.prefix = prefixOf(group);
    group.querySelector("[data-nodes]").append(made);
    prepare(made);
    return made;
  }

  const addRow = (group) => {
    const row = add(group, "[data-blank-row]");
    row.querySelector(".field input:not([type=hidden])").focus();
    return row;
  };

  form.addEventListener("change", (event) => {
    const row = event.target.closest('[data-node="row"]');
    if (event.target.matches("[data-field]") && event.target.value) holding(() => redraw(row, "operator"));
    else if (event.target.matches("[data-op]")) holding(() => redraw(row, "values"));
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const group = button.closest("fieldset");
    if (button.matches("[data-add-row]")) addRow(group);
    else if (button.matches("[data-add-group]")) addRow(add(group, "[data-blank-group]"));
    else if (button.matches("[data-more-value]")) {
      const boxes = [...button.parentElement.querySelectorAll(":scope > input[data-value], :scope > .lookup")];
      const copy = boxes.at(-1).cloneNode(true);
      delete copy.dataset.ready;
      copy.querySelector?.(".listbox")?.remove();
      for (const input of copy.matches("input") ? [copy] : copy.querySelectorAll("input")) input.value = "";
      button.before(copy, " ");
      prepare(button.parentElement);
      (copy.matches("input") ? copy : copy.querySelector("input:not([type=hidden])")).focus();
    } else if (button.matches("[data-remove-node]")) {
      const node = button.closest("[data-node]");
      const rest = node.parentElement.closest("fieldset");
      // The outermost group stays; taking it away empties it.
      if (!rest) for (const inner of own(node)) inner.remove();
      else node.remove();
      (rest ?? node).querySelector("[data-add-row]").focus();
    }
  });

  form.addEventListener("submit", () => {
    form.elements.tree.value = JSON.stringify(read(form.querySelector("[data-node]")));
  });
  form.querySelector("[data-close-panel]").addEventListener("click", (event) => {
    event.preventDefault();
    close();
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());

  prepare(form);
  const wrong = form.querySelector(".row.bad [data-value]:not([type=hidden])") ?? form.querySelector(".row.bad .field input:not([type=hidden])");
  (wrong ?? [...form.querySelectorAll(".field input:not([type=hidden])")].at(-1))?.focus();
}
