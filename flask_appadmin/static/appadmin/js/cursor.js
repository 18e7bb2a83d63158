// The row cursor is the focus: it stands on the row's box (or its first link), so that screen readers follow.
// Coming back to a list, the cursor returns to the row that was opened.

import { inWindow, isTyping, onKey } from "./keys.js";

const stop = (row) => row?.querySelector("td.box input, a");
const remembered = (table) => `appadmin:row:${table.dataset.list}`;

export function startCursor(table) {
  const rows = () => [...table.tBodies[0].rows];
  const current = () => document.activeElement?.closest?.("#list tbody tr") ?? null;

  const go = (row) => {
    if (!row) return false;
    stop(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    return true;
  };

  const move = (step, extend) => {
    const all = rows();
    const from = all.indexOf(current());
    const target = from < 0 ? all[step > 0 ? 0 : all.length - 1] : all[from + step];
    if (!target) {
      if (!extend && from >= 0) document.querySelector(`[data-page="${step > 0 ? "next" : "previous"}"]`)?.focus();
      return;
    }
    go(target);
    if (extend) table.dispatchEvent(new CustomEvent("stretch", { detail: { from: from < 0 ? target : all[from], to: target } }));
  };

  const open = (row) => {
    if (!row?.dataset.url) return false;
    sessionStorage.setItem(remembered(table), row.dataset.keyOf);
    location.assign(row.dataset.url);
    return true;
  };

  onKey(["j", "J", "ArrowDown"], (event) => {
    if (event.target.closest?.("details.drop, .listbox")) return false;
    move(1, event.shiftKey);
  });
  onKey(["k", "K", "ArrowUp"], (event) => {
    if (event.target.closest?.("details.drop, .listbox")) return false;
    move(-1, event.shiftKey);
  });
  onKey(["Home"], () => go(rows()[0]));
  onKey(["End"], () => go(rows().at(-1)));
  onKey(["PageDown", "PageUp"], (event) => {
    const all = rows();
    const from = all.indexOf(current());
    const page = Math.max(5, Math.floor(table.parentElement.clientHeight / 30) - 2);
    const to = Math.min(Math.max(from + (event.key === "PageDown" ? page : -page), 0), all.length - 1);
    if (to === from) document.querySelector(`[data-page="${event.key === "PageDown" ? "next" : "previous"}"]`)?.click();
    else go(all[to]);
  });
  onKey(["Enter"], (event) => (event.target.matches("td.box input") ? open(current()) : false));
  onKey([" "], (event) => {
    if (event.target.matches("input, button, a, summary") || !current()) return false;
    table.dispatchEvent(new CustomEvent("mark", { detail: { row: current() } }));
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "a") return;
    if (event.defaultPrevented || isTyping(event.target) || inWindow()) return;
    event.preventDefault();
    table.dispatchEvent(new CustomEvent("markpage"));
  });

  table.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (row && event.target.closest("a")) sessionStorage.setItem(remembered(table), row.dataset.keyOf);
  });
  table.addEventListener("dblclick", (event) => {
    const row = event.target.closest("tbody tr");
    if (row && !event.target.closest("a, button, input, .box")) open(row);
  });

  const key = sessionStorage.getItem(remembered(table));
  const back = key && table.querySelector(`tr[data-key-of="${CSS.escape(key)}"]`);
  if (back && document.activeElement === document.body) go(back);
}
