// Filter bar and filter panel. Choices filter at once, text on Enter; the panel opens in place and shows what fits the field.

import { closeMenus } from "./menus.js";
import { startLookups } from "./lookups.js";
import { getFragment } from "./requests.js";

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

function startPanel(form, close) {
  const kinds = JSON.parse(form.dataset.kinds);
  const choices = JSON.parse(form.dataset.choices);
  const lookups = JSON.parse(form.dataset.lookups);
  const field = form.elements.add_field;
  const operator = form.elements.add_op;
  const place = form.querySelector("[data-values]");
  const kept = [place.querySelector("input")?.value ?? ""];
  let wantedOperator = operator.value;

  const operators = () => kinds[field.selectedOptions[0]?.dataset.kind] ?? [];

  function showValues() {
    const [, , values] = operators().find(([name]) => name === operator.value) ?? ["", "", 1];
    const fewChoices = choices[field.value];
    const long = lookups[field.value];
    const kind = field.selectedOptions[0]?.dataset.kind ?? "text";
    place.closest(".value").hidden = values === 0;
    place.replaceChildren();
    if (values === 0) return;
    if (fewChoices) {
      const box = element("span", { class: "choices" });
      for (const [value, text] of fewChoices) {
        const tick = element("input", { type: "checkbox", name: "add_value", value });
        tick.checked = kept.includes(value);
        box.append(element("label", { class: "check" }, tick, text));
      }
      place.append(box);
      return;
    }
    for (let index = 0; index < values; index++) {
      if (index) place.append(form.dataset.and);
      if (long) {
        place.append(
          element(
            "span",
            { class: "lookup", "data-lookup": long, "data-none": form.dataset.none },
            element("input", { type: "hidden", name: "add_value" }),
            element("input", { role: "combobox", "aria-autocomplete": "list", autocomplete: "off" }),
          ),
        );
      } else {
        const numeric = ["number", "integer", "decimal", "money"].includes(kind);
        const input = element("input", { name: "add_value", autocomplete: "off", "aria-labelledby": "filter-value-name", inputmode: numeric ? "decimal" : "text" });
        if (kind.startsWith("date")) input.placeholder = "TT.MM.JJJJ";
        input.value = kept[index] ?? "";
        place.append(input);
      }
    }
    startLookups(place);
  }

  function showOperators() {
    const list = operators();
    operator.replaceChildren(...list.map(([value, text]) => new Option(text, value)));
    if (list.some(([value]) => value === wantedOperator)) operator.value = wantedOperator;
    operator.disabled = !list.length;
    showValues();
  }

  field.addEventListener("change", () => {
    kept.length = 0;
    showOperators();
  });
  operator.addEventListener("change", () => {
    wantedOperator = operator.value;
    showValues();
  });
  field.addEventListener("dblclick", () => operator.focus());
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    operator.focus();
  });

  const find = form.querySelector("[data-find-field]");
  find?.addEventListener("input", () => {
    const words = find.value.trim().toLowerCase();
    let first = null;
    for (const group of field.querySelectorAll("optgroup")) {
      let any = false;
      for (const option of group.children) {
        option.hidden = !option.textContent.toLowerCase().includes(words);
        any ||= !option.hidden;
        first ??= option.hidden ? null : option;
      }
      group.hidden = !any;
    }
    if (first && words) {
      first.selected = true;
      showOperators();
    }
  });
  find?.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") field.focus();
    else if (event.key === "Enter" && field.value) operator.focus();
    else return;
    event.preventDefault();
  });

  form.querySelector("[data-close-panel]").addEventListener("click", (event) => {
    event.preventDefault();
    close();
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  if (field.value) showOperators();
  else place.closest(".value").hidden = true;
  (field.value ? operator : find ?? field).focus();
}

export function startFilters() {
  const quick = document.querySelector("[data-quick]");
  quick?.addEventListener("change", (event) => {
    if (event.target.matches('select, input[type="hidden"]')) quick.requestSubmit();
  });
  // A box stands for a link, which knows the marked rows.
  document.addEventListener("change", (event) => event.target.matches("[data-follow]") && event.target.closest("label").querySelector("a").click());
  // An emptied search field (its own ✕) means: show all again.
  quick?.addEventListener("search", (event) => event.target.value || quick.requestSubmit());
  // Empty fields stay out of the address.
  quick?.addEventListener("submit", () => {
    for (const field of quick.elements) if (field.name && !field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of quick?.elements ?? []) field.disabled = false;
  });

  const panel = document.getElementById("filter-panel");
  if (!panel) return;
  let opener = null;
  const close = () => {
    panel.hidden = true;
    panel.replaceChildren();
    opener?.focus();
  };
  const start = () => startPanel(panel.querySelector("form"), close);
  if (!panel.hidden) start();
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-filter-panel]");
    if (!link) {
      if (!panel.hidden && !panel.contains(event.target) && event.target.isConnected && !event.target.closest(".listbox")) close();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    closeMenus();
    opener = link;
    if (!panel.hidden) return close();
    try {
      panel.innerHTML = await getFragment(link.href, "filter_panel");
      panel.hidden = false;
      start();
    } catch {
      location.assign(link.href);
    }
  });
}
