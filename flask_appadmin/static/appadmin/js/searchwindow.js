// F10 opens the search window of the table one works with, in a dialog, with the cursor in its first field.
// Where it comes from stands on the page: <… data-find-url="URL">. Without this module its link leads to a page of its own.

import { getFragment } from "./requests.js";

export function startSearchWindow() {
  const place = document.querySelector("[data-find-url]");
  if (!place) return;
  let dialog = null;

  async function open() {
    if (dialog?.open) return focusFirst();
    if (document.querySelector("dialog[open]")) return;
    if (!dialog) {
      try {
        dialog = build(await getFragment(place.dataset.findUrl, "search_window"));
      } catch {
        location.assign(place.dataset.findUrl);
        return;
      }
    }
    dialog.showModal();
    focusFirst();
  }

  function build(html) {
    const made = document.createElement("dialog");
    made.className = "search-window";
    made.setAttribute("aria-labelledby", "search-window-title");
    const head = document.createElement("div");
    head.className = "card-head";
    const title = document.createElement("h2");
    title.id = "search-window-title";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet right";
    close.dataset.closeDialog = "";
    close.append(place.dataset.closeWord, " ", Object.assign(document.createElement("kbd"), { textContent: "Esc" }));
    head.append(title, close);
    const body = document.createElement("div");
    body.innerHTML = html;
    title.textContent = body.querySelector("form").getAttribute("aria-label");
    made.append(head, body);
    document.body.append(made);
    // Empty fields stay out of the address.
    const form = made.querySelector("form");
    form.addEventListener("submit", () => {
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    });
    addEventListener("pageshow", () => {
      for (const field of form.elements) field.disabled = false;
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.altKey) return;
      event.preventDefault();
      form.requestSubmit(form.querySelector('[value="show"]'));
    });
    return made;
  }

  function focusFirst() {
    const first = dialog.querySelector("input, select");
    first.focus();
    first.select?.();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "F10" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    // The browser would go to its menu.
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-open-find]") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
}
