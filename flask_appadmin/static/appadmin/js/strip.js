// The strip of the marked rows keeps one line: buttons that do not fit move into the menu „Mehr“, and come back when they do.

import { onKey } from "./keys.js";

// M goes to what can be done with the marked rows; the arrows lead along the line.
export function startStripKeys(strip) {
  const actions = strip.querySelector(".strip-actions");
  const stops = () => [...actions.querySelectorAll(":scope > button, :scope > details > summary")];
  onKey(["m", "M"], () => stops()[0]?.focus());
  actions.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = stops();
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    all[(at + step + all.length) % all.length].focus();
  });
}

function moreMenu(actions) {
  const words = actions.dataset.more;
  const there = [...actions.querySelectorAll(":scope > details")].find((menu) => menu.querySelector("summary").textContent === words);
  if (there) return there;
  const menu = document.createElement("details");
  menu.className = "drop";
  const summary = document.createElement("summary");
  summary.className = "btn";
  summary.textContent = words;
  const box = document.createElement("div");
  box.className = "drop-box";
  menu.append(summary, box);
  actions.append(menu);
  return menu;
}

export function fitStrip(strip) {
  const actions = strip.querySelector(".strip-actions");
  const held = document.activeElement;
  const heldMenu = actions.contains(held) ? held.closest("details")?.querySelector("summary").textContent : "";
  const firstMenu = actions.querySelector(":scope > details");
  for (const button of actions.querySelectorAll("button[data-moved]")) {
    button.className = "";
    delete button.dataset.moved;
    actions.insertBefore(button, firstMenu);
  }
  for (const menu of actions.querySelectorAll(":scope > details")) if (!menu.querySelector("button")) menu.remove();
  for (;;) {
    const buttons = actions.querySelectorAll(":scope > button");
    if (strip.scrollWidth <= strip.clientWidth + 1 || !buttons.length) break;
    const button = buttons[buttons.length - 1];
    button.className = "entry";
    button.dataset.moved = "";
    moreMenu(actions).querySelector(".drop-box").prepend(button);
  }
  if (held === document.activeElement) return;
  if (strip.contains(held)) held.focus();
  // The menu was made anew; who stood on it stands on the new one.
  else if (heldMenu) [...actions.querySelectorAll(":scope > details > summary")].find((summary) => summary.textContent === heldMenu)?.focus();
}
