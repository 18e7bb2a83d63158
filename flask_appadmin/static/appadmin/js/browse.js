// „…“ beside a typed-ahead field: a window with all that can be chosen, and a search in its head that narrows the list.

import { getJSON } from "./requests.js";

const WAIT_MS = 140;

export function browse(lookup) {
  const { box } = lookup;
  const dialog = document.createElement("dialog");
  dialog.className = "browse-window";
  const head = document.createElement("div");
  head.className = "card-head";
  const title = document.createElement("h2");
  title.id = `${lookup.list.id}-title`;
  title.textContent = lookup.text.getAttribute("aria-label") ?? lookup.text.labels?.[0]?.textContent ?? "";
  dialog.setAttribute("aria-labelledby", title.id);
  const search = Object.assign(document.createElement("input"), { type: "search", placeholder: box.dataset.find, autocomplete: "off" });
  search.setAttribute("aria-label", box.dataset.find);
  const close = Object.assign(document.createElement("button"), { type: "button", className: "quiet right", textContent: box.dataset.close });
  close.addEventListener("click", () => dialog.close());
  head.append(title, search, close);
  const list = document.createElement("ul");
  list.role = "listbox";
  list.setAttribute("aria-labelledby", title.id);
  dialog.append(head, list);
  document.body.append(dialog);

  let timer = 0;
  let request = null;
  async function ask() {
    request?.abort();
    request = new AbortController();
    const url = new URL(lookup.url, location.href);
    url.searchParams.set("query", search.value.trim());
    url.searchParams.set("limit", "50");
    let found = [];
    try {
      found = await getJSON(url, { signal: request.signal });
    } catch (fault) {
      if (fault.name === "AbortError") return;
    }
    list.replaceChildren(
      ...found.map((answer) => {
        const row = document.createElement("li");
        row.role = "option";
        row.tabIndex = -1;
        row.textContent = answer.text;
        row.setAttribute("aria-selected", String(String(answer.id) === lookup.key.value));
        row.addEventListener("click", () => choose(answer));
        row.addEventListener("keydown", (event) => event.key === "Enter" && choose(answer));
        return row;
      }),
    );
    if (!found.length) list.append(Object.assign(document.createElement("li"), { className: "none", textContent: lookup.none }));
  }

  function choose(answer) {
    lookup.choose(answer);
    dialog.close();
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const rows = [...list.querySelectorAll("[role=option]")];
    const at = rows.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = at + (event.key === "ArrowDown" ? 1 : -1);
      if (to < 0) search.focus();
      else rows[Math.min(to, rows.length - 1)]?.focus();
    } else if (event.key === "Enter" && event.target === search) {
      event.preventDefault();
      rows[0]?.click();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    lookup.text.focus();
  });
  dialog.showModal();
  search.focus();
  ask();
}
