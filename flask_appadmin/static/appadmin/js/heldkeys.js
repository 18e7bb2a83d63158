// Keys pressed while the page waits for an answer that moves the focus are held back and given to what has it afterwards,
// so that nobody who types ahead loses a letter or has it taken for a command. `holding(work)` awaits `work()`.

let waiting = 0;
let held = [];

const reach = 'a[href], button:not([disabled]), input:not([disabled]):not([type="hidden"]), select:not([disabled]), textarea:not([disabled]), summary';

function step(from, back) {
  const stops = [...document.querySelectorAll(reach)].filter((stop) => stop.offsetParent && stop.tabIndex >= 0);
  stops[stops.indexOf(from) + (back ? -1 : 1)]?.focus();
}

function write(field, letter) {
  const known = new KeyboardEvent("keydown", { key: letter, bubbles: true, cancelable: true });
  if (!field.dispatchEvent(known)) return;
  if (field.matches("select")) {
    const options = [...field.options];
    const after = [...options.slice(field.selectedIndex + 1), ...options.slice(0, field.selectedIndex)];
    const next = after.find((option) => option.text.toLowerCase().startsWith(letter.toLowerCase()));
    if (!next) return;
    field.value = next.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (field.matches('input[type="checkbox"], button')) {
    if (letter === " ") field.click();
  } else if ("selectionStart" in field && field.selectionStart !== null) {
    field.setRangeText(letter, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true, data: letter, inputType: "insertText" }));
  }
}

function give({ key, shiftKey }) {
  const field = document.activeElement;
  if (!field || field === document.body) return;
  if (key === "Tab") {
    if (field.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }))) step(field, shiftKey);
  } else if (key.length === 1) write(field, key);
  else if (field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })) && key === "Enter") {
    if (field.matches("button, a, summary")) field.click();
    else field.form?.requestSubmit();
  }
}

function giveAll() {
  // A key may set off the next wait; the rest stays held.
  while (!waiting && held.length) give(held.shift());
}

function hold(event) {
  if (!event.isTrusted || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.key.length > 1 && !["Tab", "Enter", "ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  held.push({ key: event.key, shiftKey: event.shiftKey });
}

export async function holding(work, first = null) {
  if (!waiting++) addEventListener("keydown", hold, true);
  if (first) held.push({ key: first.key, shiftKey: first.shiftKey });
  try {
    return await work();
  } finally {
    if (!--waiting) {
      removeEventListener("keydown", hold, true);
      giveAll();
    }
  }
}
