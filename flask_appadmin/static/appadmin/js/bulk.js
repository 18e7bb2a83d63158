// Bulk change: the first input ticks the box of a setting; each change asks for the preview again; the button says what it will do.

import { startLookups } from "./lookups.js";
import { say } from "./messages.js";
import { getJSON, postFragment, RequestFault } from "./requests.js";

const WAIT_MS = 350;
// So long the page asks in the background what many records have today; afterwards only where a box is ticked.
const TODAY_MS = 10_000;

function start(form) {
  const rows = [...form.querySelectorAll("[data-setting]")];
  const box = (row) => row.querySelector('input[name="change"]');
  const mode = (row) => row.querySelector("[data-mode]");
  const chosen = (row) => mode(row).selectedOptions[0];
  const first = (row) =>
    [...row.querySelectorAll(".value input:not([type=hidden]), .value select, .value textarea, .args input")].find((control) => control.offsetParent);

  // Shows the inputs that what is chosen asks for; without a tick they only look closed, and the first key opens them.
  function arrange(row) {
    const ticked = box(row).checked;
    row.classList.toggle("on", ticked);
    if (!ticked) mode(row).value = "";
    else if (!mode(row).value) mode(row).value = mode(row).options[1].value;
    const value = mode(row).value;
    const labels = chosen(row).dataset.arguments?.split("|") ?? [];
    const plain = !value || value === "set" || !row.querySelector("[data-args]");
    row.querySelector(".value").hidden = (!plain && value !== "") || value === "clear";
    const args = row.querySelector("[data-args]");
    if (!args) return;
    args.hidden = !labels.length;
    [...args.children].forEach((input, index) => {
      input.hidden = index >= labels.length;
      input.placeholder = labels[index] ?? "";
      if (index === 0) value === "copy" ? input.setAttribute("list", args.dataset.list) : input.removeAttribute("list");
    });
  }

  function tick(row) {
    if (box(row).checked) return;
    box(row).checked = true;
    arrange(row);
    count();
    today([row.dataset.setting]);
  }

  function count() {
    for (const section of form.querySelectorAll("[data-section]")) {
      const number = section.querySelectorAll('input[name="change"]:checked').length;
      section.querySelector("[data-ticked]").textContent = number ? `✓ ${number}` : "";
    }
  }

  let timer = 0;
  let request = null;
  const part = (name) => form.querySelector(`[data-part="${name}"]`);

  async function preview() {
    request?.abort();
    request = new AbortController();
    part("preview").classList.add("stale");
    const button = part("confirm").querySelector("button");
    button.disabled = true;
    try {
      const html = await postFragment(form.dataset.preview, "bulk_preview", form, { signal: request.signal });
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const without = document.activeElement?.name === "_without_refused";
      for (const name of ["preview", "confirm"]) {
        const fresh = holder.content.querySelector(`[data-part="${name}"]`);
        if (fresh) part(name).replaceWith(fresh);
      }
      if (without) form.querySelector('[name="_without_refused"]')?.focus();
      startLookups(form);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      part("preview").classList.remove("stale");
      asked = "";
      say((fault instanceof RequestFault && fault.message) || form.dataset.failed, "bad");
    }
  }
  // Leaving a text box reports a change that typing has reported already; a preview of the same values would only take
  // the button away from under the click.
  const values = () => {
    const open = new Set(["_without_refused", ...rows.filter((row) => box(row).checked).flatMap((row) => [...row.querySelectorAll("[name]")].map((control) => control.name))]);
    return JSON.stringify([...new FormData(form)].filter(([name]) => open.has(name)));
  };
  let asked = values();
  const soon = () => {
    const now = values();
    if (now === asked) return;
    asked = now;
    clearTimeout(timer);
    part("confirm").querySelector("button").disabled = true;
    timer = setTimeout(preview, WAIT_MS);
  };

  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-setting]");
    if (row) {
      const control = event.target;
      if (control === mode(row)) box(row).checked = control.value !== "";
      else if (control !== box(row) && control.name) tick(row);
      arrange(row);
      count();
      if (control === box(row) && control.checked) {
        today([row.dataset.setting]);
        first(row)?.focus();
      }
    }
    if (row || event.target.name === "_without_refused") soon();
  });
  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-setting]");
    if (!row || !event.target.name || event.target === box(row) || event.target === mode(row)) return;
    tick(row);
    soon();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.matches("textarea, button, a, summary")) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) part("confirm").querySelector("button:not(:disabled)")?.click();
    else if (event.target === find) {
      const found = rows.find((row) => row.offsetParent);
      if (found) first(found)?.focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    part("confirm").querySelector("button:not(:disabled)")?.click();
  });

  const sections = [...form.querySelectorAll("[data-section]")];
  const find = form.querySelector("[data-find-setting]");
  const only = form.querySelector("[data-only-changed]");
  const fold = form.querySelector("[data-fold]");
  const jump = form.querySelector("[data-jump]");
  const narrow = () => {
    const words = find.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.querySelector("label").textContent.toLowerCase().includes(words) || (only.checked && !box(row).checked);
    for (const section of sections) {
      section.hidden = ![...section.querySelectorAll("[data-setting]")].some((row) => !row.hidden);
      if (words || only.checked) section.open = true;
    }
  };
  find.addEventListener("input", narrow);
  only.addEventListener("change", narrow);
  fold.addEventListener("click", () => {
    const open = sections.some((section) => section.open);
    for (const section of sections) section.open = !open;
    fold.textContent = open ? fold.dataset.open : fold.dataset.close;
  });
  jump.addEventListener("change", () => {
    const section = document.getElementById(jump.value);
    jump.value = "";
    if (!section) return;
    section.open = true;
    section.scrollIntoView({ block: "start" });
    section.querySelector("summary").focus();
  });

  // What many records have today is asked for while the page is read already.
  const known = new Set();
  async function today(names) {
    const wanted = names.filter((name) => !known.has(name) && !name.includes("."));
    if (!form.dataset.today || !wanted.length) return [];
    const url = `${form.dataset.today}&names=${encodeURIComponent(wanted.join(","))}`;
    try {
      const answer = await getJSON(url, { headers: { "X-Fragment": "bulk_today", Accept: "application/json" } });
      for (const [name, [words, counts]] of Object.entries(answer.today)) {
        const cell = rows.find((row) => row.dataset.setting === name)?.querySelector("[data-now]");
        known.add(name);
        if (!cell) continue;
        cell.textContent = words;
        cell.title = counts;
      }
      return answer.rest;
    } catch {
      return []; // The page does without: the preview counts what is ticked.
    }
  }
  async function allToday() {
    const until = Date.now() + TODAY_MS;
    let rest = rows.map((row) => row.dataset.setting);
    while (rest.length && Date.now() < until) rest = await today(rest);
  }

  rows.forEach(arrange);
  count();
  narrow(); // what was typed before this script was there
  allToday();
}

const form = document.getElementById("bulk");
if (form) start(form);
