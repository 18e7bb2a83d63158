// Knows what is changed and not saved: changed fields are yellow, the count stands in the line below the title, and the browser asks
// before the page is left. A field set back to what was stored is not a change. Sending the form is no leaving.

const counted = (field) => field.name && !field.name.startsWith("_") && field.name !== "csrf_token" && field.dataset.uncounted === undefined;

function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") {
    const options = [...field.options];
    // A select without a stored choice shows its first option.
    if (!options.some((option) => option.defaultSelected)) return field.selectedIndex > 0;
    return options.some((option) => option.selected !== option.defaultSelected);
  }
  if (field.type === "hidden") return field.value !== (field.dataset.stored ?? field.defaultValue);
  return field.value !== field.defaultValue;
}

export function startUnsaved(form) {
  const line = document.querySelector("[data-state]");
  const before = Number(line?.dataset.before ?? 0);
  const discard = document.querySelector("[data-discard]");
  const toolbar = document.querySelector(".toolbar");
  const names = new Set();
  let sending = false;

  // Hidden inputs change their defaultValue with their value: what was stored is kept beside it.
  const keep = (part) => {
    for (const field of part.querySelectorAll('input[type="hidden"]')) field.dataset.stored ??= field.value;
  };

  const changes = () => names.size + form.querySelectorAll("tbody.fresh.touched").length + before;
  const words = (count) => (count === 0 ? "" : count === 1 ? line.dataset.one : line.dataset.many.replace("{n}", count));
  const show = () => {
    const count = changes();
    if (line) line.textContent = words(count);
    if (discard) discard.hidden = count === 0;
    // Why it was changed is asked for once there is something to save; the place is kept for it.
    toolbar?.classList.toggle("changed", count > 0);
    askWhy();
  };

  // Some changes have to say why: their place for it says so as soon as one of them is made.
  const reason = document.getElementById("f-_reason");
  const plain = reason?.placeholder;
  const asking = (reason?.dataset.neededFor ?? "").split(" ").filter(Boolean).map((name) => name.split(":"));
  const needsWhy = (typed) => {
    // A masked field is typed anew beside what is stored.
    const name = typed.replace(/_new$/, "");
    // What was empty before is a first entry, which nobody has to explain.
    const field = form.elements[typed];
    if (name === typed && field instanceof HTMLInputElement && field.type !== "hidden" && !field.defaultValue) return false;
    if (name !== typed && field instanceof HTMLInputElement && !field.closest(".masked-value")?.querySelector("output")?.textContent.trim()) return false;
    return asking.some(([table, field]) => (field ? name.startsWith(`${table}-`) && !name.startsWith(`${table}-n`) && name.endsWith(`-${field}`) : name === table));
  };
  const askWhy = () => {
    if (!reason || !asking.length) return;
    const needed = [...names].some(needsWhy);
    reason.classList.toggle("needed", needed || reason.getAttribute("aria-invalid") === "true");
    reason.placeholder = needed ? reason.dataset.needed : plain;
    if (needed) reason.setAttribute("aria-required", "true");
    else reason.removeAttribute("aria-required");
  };

  const look = (field) => {
    if (!counted(field)) return;
    const row = field.closest("tbody.row");
    if (row?.classList.contains("fresh")) {
      row.classList.add("touched");
    } else {
      const changed = isChanged(field);
      // The key and the text of a lookup are one field.
      const name = field.name.replace(/_text$/, "");
      const other = form.elements[name === field.name ? `${name}_text` : name];
      const both = changed || (other instanceof HTMLInputElement && other !== field && isChanged(other));
      if (both) names.add(name);
      else names.delete(name);
      (field.closest(".field") ?? field.closest("td"))?.classList.toggle("changed", both);
    }
    show();
  };

  form.addEventListener("input", (event) => look(event.target));
  form.addEventListener("change", (event) => look(event.target));
  form.addEventListener("submit", () => (sending = true));
  addEventListener("pageshow", () => (sending = false));
  addEventListener("beforeunload", (event) => {
    if (sending || (!names.size && !before && !form.querySelector("tbody.fresh.touched"))) return;
    event.preventDefault();
    event.returnValue = form.dataset.leave;
  });

  keep(form);
  toolbar?.classList.toggle("changed", before > 0);
  // After "back" the browser fills in what was typed: look at all of it once.
  for (const field of form.elements) if (counted(field) && isChanged(field)) look(field);
  return { look, show, keep, count: changes, words: () => words(changes()), leave: () => (sending = true) };
}
