// Bulk change: a setting is open once its box is ticked; each change asks for the preview again; the button says what it will do.

import { startLookups } from "./lookups.js";
import { say } from "./messages.js";
import { postFragment, RequestFault } from "./requests.js";

const WAIT_MS = 350;

function start(form) {
  const rows = [...form.querySelectorAll("[data-setting]")];
  const box = (row) => row.querySelector('input[name="change"]');

  function open(row) {
    const ticked = box(row).checked;
    row.classList.toggle("on", ticked);
    const mode = row.querySelector("[data-mode]");
    const clears = mode?.value === "clear";
    for (const control of row.querySelectorAll(".editor input, .editor select, .editor textarea")) control.disabled = !ticked;
    row.querySelector(".value").classList.toggle("off", ticked && clears);
    if (clears) for (const control of row.querySelectorAll(".value input, .value select, .value textarea")) control.disabled = true;
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
      for (const name of ["preview", "confirm"]) {
        const fresh = holder.content.querySelector(`[data-part="${name}"]`);
        if (fresh) part(name).replaceWith(fresh);
      }
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
  const values = () => JSON.stringify([...new FormData(form)].filter(([name]) => name !== "plan" && name !== "_reason"));
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
      open(row);
      if (event.target === box(row) && event.target.checked) row.querySelector(".value input:not([type=hidden]), .value select, .value textarea")?.focus();
    }
    if (row || event.target.name === "_without_refused") soon();
  });
  form.addEventListener("input", (event) => event.target.closest("[data-setting]") && event.target.name && soon());
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.matches("textarea, button, a")) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) part("confirm").querySelector("button:not(:disabled)")?.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    part("confirm").querySelector("button:not(:disabled)")?.click();
  });

  // A click on a closed editor opens it.
  form.addEventListener("click", (event) => {
    const row = event.target.closest("td.editor")?.closest("[data-setting]");
    if (row && !box(row).checked) box(row).click();
  });

  const find = form.querySelector("[data-find-setting]");
  const only = form.querySelector("[data-only-changed]");
  const narrow = () => {
    const words = find.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.querySelector("label").textContent.toLowerCase().includes(words) || (only.checked && !box(row).checked);
    for (const section of form.querySelectorAll("[data-section]")) section.hidden = ![...section.querySelectorAll("[data-setting]")].some((row) => !row.hidden);
  };
  find?.addEventListener("input", narrow);
  only?.addEventListener("change", narrow);

  rows.forEach(open);
}

const form = document.getElementById("bulk");
if (form) start(form);
