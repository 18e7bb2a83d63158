// The form's page: tabs, child grids, unsaved changes, the keys of saving and stepping.
import { startBeginning } from "./beginning.js";
import { startChildGrids } from "./childgrids.js";
import { startCompanions } from "./companions.js";
import { startFieldSearch } from "./fieldsearch.js";
import { startHelpLine } from "./helpline.js";
import { startLeaving } from "./leaving.js";
import { startOpenNumber } from "./opennumber.js";
import { startPassing } from "./passing.js";
import { startProposals } from "./proposals.js";
import { startReveal } from "./reveal.js";
import { startRowTools } from "./rowtools.js";
import { startTabs } from "./tabs.js";
import { startUnsaved } from "./unsaved.js";

const form = document.getElementById("form");
if (form) {
  const unsaved = startUnsaved(form);
  startChildGrids(form, unsaved);
  startRowTools(form);
  startTabs(form, unsaved);
  startReveal(form, unsaved);
  startFieldSearch(form);
  startBeginning(form);
  startHelpLine(form);
  startPassing(form);
  startOpenNumber(form);
  startProposals(form, unsaved);
  startCompanions(form, unsaved);
  startLeaving(form, unsaved);

  document.addEventListener("keydown", (event) => {
    const combination = event.ctrlKey || event.metaKey;
    if (!combination || event.altKey || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const save = document.querySelector("[data-save]");
    if (key === "s" && save) {
      event.preventDefault();
      // What is being typed becomes a change first.
      document.activeElement?.dispatchEvent(new Event("change", { bubbles: true }));
      if (!event.repeat) save.click();
    } else if (key === "enter" && save) {
      event.preventDefault();
      (document.querySelector('[name="_then"][value="close"]') ?? save).click();
    }
  });

  // A new record is begun by typing.
  const isNew = !form.elements.id?.value;
  if (isNew && document.activeElement === document.body && !form.querySelector('[aria-invalid="true"]')) {
    const first = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].find((field) => field.offsetParent && !field.disabled && !field.readOnly);
    first?.focus({ preventScroll: true });
  }

  // Enter goes on to the next field, as at the desk; saving is a key of its own.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.matches("textarea, button, a, summary") || event.target.closest("[data-grid]")) return;
    event.preventDefault();
    const stops = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((stop) => stop.offsetParent && !stop.disabled && !stop.readOnly);
    stops[stops.indexOf(event.target) + (event.shiftKey ? -1 : 1)]?.focus();
  });

  // One click, one save: the server refuses the second by its key, the button shows it.
  form.addEventListener("submit", () => {
    setTimeout(() => document.querySelectorAll('[form="form"]').forEach((button) => (button.disabled = true)));
  });
  addEventListener("pageshow", () => document.querySelectorAll('[form="form"]').forEach((button) => (button.disabled = false)));
}
