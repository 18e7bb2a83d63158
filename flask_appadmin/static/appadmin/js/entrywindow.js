// Windows in which a record begins: <a href="URL" data-entry-window> opens the form behind its address in a dialog. A refused
// form comes back with its faults and stays open; once the record is made the page goes on to it. Without this module the
// link leads to a page of its own.

import { startLookups } from "./lookups.js";
import { closeMenus } from "./menus.js";
import { csrfToken, getFragment } from "./requests.js";

const PART = "entry_window";

export function startEntryWindows() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-entry-window]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    closeMenus();
    open(link.href);
  });
}

async function open(url) {
  if (document.querySelector("dialog[open]")) return;
  let html = "";
  try {
    html = await getFragment(url, PART);
  } catch {
    location.assign(url);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "search-window";
  dialog.setAttribute("aria-labelledby", "entry-title");
  const head = document.createElement("div");
  head.className = "card-head";
  const title = Object.assign(document.createElement("h2"), { id: "entry-title" });
  const body = document.createElement("div");
  head.append(title);
  dialog.append(head, body);
  fill(body, html);
  title.textContent = body.querySelector("form").getAttribute("aria-label");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, body);
  });
  dialog.showModal();
  body.querySelector(".entry-field input:not([type=hidden]), .entry-field select")?.focus();
}

function fill(body, html) {
  body.innerHTML = html;
  startLookups(body);
}

async function send(form, body) {
  const button = form.querySelector(".main-button");
  if (button.disabled) return;
  button.disabled = true;
  let response = null;
  try {
    response = await fetch(form.action, {
      method: "POST",
      headers: { "X-Fragment": PART, "X-CSRFToken": csrfToken(), Accept: "application/json, text/html" },
      body: new FormData(form),
    });
  } catch {
    button.disabled = false; // the network is gone; what was typed stays, and may be sent again
    return;
  }
  const isPage = response.headers.get("Content-Type")?.includes("html");
  if (response.ok && !response.redirected && !isPage) {
    location.assign((await response.json()).url);
    return;
  }
  if (response.status !== 422 || !isPage) {
    // The session is over or the right is gone: the form itself is sent, and the page that answers says so.
    form.submit();
    return;
  }
  const passwords = [...form.querySelectorAll("input[type=password]")].map((field) => [field.name, field.value]);
  fill(body, await response.text());
  for (const [name, value] of passwords) body.querySelector(`input[name="${CSS.escape(name)}"]`).value = value;
  const wrong = body.querySelector('[aria-invalid="true"]') ?? body.querySelector(".entry-field input, .entry-field select");
  wrong?.focus();
  wrong?.select?.();
}
