// Keys of every page. They never fire while somebody types; combinations with Ctrl belong to the pages.

export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])"));

// Whether a window stands open: then keys are meant for it, not for the page behind it.
export const inWindow = () => [...document.querySelectorAll('dialog[open], [role="dialog"]')].some((each) => each.checkVisibility());

// Calls `act` for a bare key pressed outside of fields, menus and dialogs.
export function onKey(keys, act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (isTyping(event.target) || inWindow()) return;
    if (!keys.includes(event.key)) return;
    if (act(event) !== false) event.preventDefault();
  });
}

const german = document.documentElement.lang.startsWith("de");
const keyWords = german ? { Ctrl: "Strg", Delete: "Entf", Insert: "Einfg", Shift: "Umschalt", Enter: "↵" } : {};

// What the page binds itself (data-key, data-combo) and its overview does not tell yet.
function tellKeys(dialog) {
  const section = dialog.querySelector("[data-page-keys]");
  const list = section?.querySelector("dl");
  if (!list) return;
  list.replaceChildren();
  const told = new Set([...dialog.querySelectorAll("dt")].map((term) => term.textContent.trim().toLowerCase()));
  for (const bound of document.querySelectorAll("[data-key], [data-combo]")) {
    if (bound.closest("dialog, [hidden]")) continue;
    if (bound.closest("[role=toolbar]")) continue; // told by the page itself
    const parts = bound.dataset.keys?.split("+").map((part) => keyWords[part] ?? part) ?? [bound.dataset.key?.toUpperCase() ?? bound.dataset.combo];
    const name = parts.join(" ").toLowerCase();
    if (told.has(name) || [...told].some((keys) => keys.split(/\s+/)[0] === name)) continue;
    told.add(name);
    const term = document.createElement("dt");
    for (const part of parts) term.append(Object.assign(document.createElement("kbd"), { textContent: part }), " ");
    const words = document.createElement("dd");
    const copy = bound.cloneNode(true);
    for (const badge of copy.querySelectorAll("kbd")) badge.remove();
    words.textContent = bound.dataset.said ?? copy.textContent.trim();
    list.append(term, words);
  }
  section.hidden = !list.children.length;
}

export function startKeys() {
  onKey(["/"], () => {
    const search = document.querySelector("[data-key-search]");
    search?.focus();
    search?.select();
  });
  onKey(["?"], () => {
    const dialog = document.getElementById("keys");
    if (!dialog) return;
    tellKeys(dialog);
    dialog.showModal();
  });
  document.addEventListener("click", (event) => event.target.closest('[data-open-dialog="keys"]') && tellKeys(document.getElementById("keys")));

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

  // A link or button may name combinations, <button data-combo="ctrl+delete" data-keys="Ctrl+Delete">; the tooltip tells the
  // one in data-keys. They rest while somebody types, unless it says data-while-typing. One that is greyed out does nothing,
  // and neither does the browser.
  for (const bound of document.querySelectorAll("[data-combo][data-keys]")) {
    bound.title = `${bound.title || bound.textContent.trim()} (${bound.dataset.keys.split("+").map((part) => keyWords[part] ?? part).join("+")})`;
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.altKey || event.metaKey) || event.defaultPrevented || event.isComposing || event.key === "Control") return;
    const parts = [event.ctrlKey || event.metaKey ? "ctrl" : "", event.altKey ? "alt" : "", event.shiftKey ? "shift" : "", event.key.toLowerCase()];
    const bound = document.querySelector(`[data-combo~="${CSS.escape(parts.filter(Boolean).join("+"))}"]`);
    if (!bound || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target) && bound.dataset.whileTyping === undefined) return;
    event.preventDefault();
    if (!event.repeat && !bound.disabled && bound.getAttribute("aria-disabled") !== "true") bound.click();
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
    if (inWindow() || event.key.length !== 1) return;
    const bound = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!bound || bound.disabled) return;
    event.preventDefault();
    bound.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isTyping(event.target) && event.target.matches("[data-key-search]")) event.target.blur();
  });
}
