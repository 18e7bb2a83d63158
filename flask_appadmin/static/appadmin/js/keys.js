// Keys of every page. They never fire while somebody types; combinations with Ctrl belong to the pages.

export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])"));

// Calls `act` for a bare key pressed outside of fields, menus and dialogs.
export function onKey(keys, act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (!keys.includes(event.key)) return;
    if (act(event) !== false) event.preventDefault();
  });
}

export function startKeys() {
  onKey(["/"], () => {
    const search = document.querySelector("[data-key-search]");
    search?.focus();
    search?.select();
  });
  onKey(["?"], () => document.getElementById("keys")?.showModal());

  let after = "";
  let since = 0;
  onKey(["g", "s"], (event) => {
    const quick = Date.now() - since < 1200;
    if (event.key === "g") {
      after = "g";
      since = Date.now();
      return false;
    }
    if (after === "g" && quick) {
      after = "";
      document.querySelector(".brand")?.click();
      return true;
    }
    return false;
  });

  // A link or button may name a combination, <button data-combo="ctrl+delete" data-keys="Ctrl+Delete">; the tooltip tells it.
  for (const bound of document.querySelectorAll("[data-combo]")) {
    const german = document.documentElement.lang.startsWith("de");
    const words = german ? { Ctrl: "Strg", Delete: "Entf", Insert: "Einfg", Shift: "Umschalt" } : {};
    bound.title = `${bound.title || bound.textContent.trim()} (${bound.dataset.keys.split("+").map((part) => words[part] ?? part).join(" ")})`;
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.altKey || event.metaKey) || event.defaultPrevented || isTyping(event.target) || event.key === "Control") return;
    const parts = [event.ctrlKey || event.metaKey ? "ctrl" : "", event.altKey ? "alt" : "", event.shiftKey ? "shift" : "", event.key.toLowerCase()];
    const bound = document.querySelector(`[data-combo="${CSS.escape(parts.filter(Boolean).join("+"))}"]`);
    if (!bound) return;
    event.preventDefault();
    bound.click();
  });

  // A link or button may name its key: <a data-key="n">. With Alt it works while typing, too (Ctrl+N belongs to the browser).
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.defaultPrevented || event.key.length !== 1) return;
    const bound = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!bound) return;
    event.preventDefault();
    bound.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") || event.key.length !== 1) return;
    const bound = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!bound || bound.disabled) return;
    event.preventDefault();
    bound.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isTyping(event.target) && event.target.matches("[data-key-search]")) event.target.blur();
  });
}
