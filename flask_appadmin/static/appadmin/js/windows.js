// <a href="…" data-window> opens its page as a window over this one: a question, a copy, a new record. What the window sends back comes into it
// again; when it is done, the page goes where the server says. Without this module the link leads to the page itself.

import { holding } from "./heldkeys.js";
import { startLookups } from "./lookups.js";
import { closeMenus } from "./menus.js";
import { csrfToken } from "./requests.js";

const headers = () => ({ "X-Fragment": "window", Accept: "text/html", "X-CSRFToken": csrfToken() });

export function startWindows() {
  let dialog = null;
  let opener = null;

  function build() {
    const made = document.createElement("dialog");
    made.className = "window";
    made.setAttribute("aria-labelledby", "window-title");
    document.body.append(made);
    made.addEventListener("click", (event) => {
      if (!event.target.closest("[data-cancel]")) return;
      event.preventDefault();
      made.close();
    });
    made.addEventListener("close", () => made.replaceChildren());
    made.addEventListener("submit", async (event) => {
      event.preventDefault();
      const buttons = [...event.target.querySelectorAll("button")].filter((button) => !button.disabled);
      for (const button of buttons) button.disabled = true;
      const body = new FormData(event.target, event.submitter?.name ? event.submitter : undefined);
      // The server never sends a password back; in a window that is refused what was typed stays.
      const secrets = [...event.target.querySelectorAll("input[type=password]")].map((field) => [field.name, field.value]);
      try {
        await show(event.target.action, { method: "POST", body });
        for (const [name, value] of secrets) for (const field of made.querySelectorAll(`input[name="${CSS.escape(name)}"]`)) field.value = value;
      } catch {
        // The network is gone: what was typed stays, and can be sent again.
      }
      for (const button of buttons) button.disabled = false;
    });
    return made;
  }

  // What was made comes into the reference beside which the window was opened, as if it had been chosen there.
  function fill(field, made) {
    const [key, title] = made.split(" ");
    dialog.close();
    field.value = decodeURIComponent(title);
    const hidden = field.parentElement.querySelector("input[type=hidden]");
    hidden.value = key;
    field.focus();
    for (const part of [hidden, field]) part.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // What is no window (the session is over, a right is missing) is shown as the page it is.
  async function show(url, options = {}) {
    const response = await fetch(url, { ...options, headers: headers() });
    const next = response.headers.get("X-Location");
    const made = response.headers.get("X-Record");
    if (made && opener?.isConnected && opener.dataset.fills) return fill(document.getElementById(opener.dataset.fills), made);
    if (next) return location.assign(next);
    const html = response.redirected ? "" : await response.text();
    if (!html.includes('class="window-body"')) return location.assign(options.method ? location.href : url);
    dialog ??= build();
    dialog.innerHTML = html;
    // The page below may have the same fields.
    for (const name of ["id", "for", "aria-describedby"]) {
      for (const part of dialog.querySelectorAll(`.window-body [${name}]`)) part.setAttribute(name, `window-${part.getAttribute(name)}`);
    }
    startLookups(dialog);
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[aria-invalid], .window-body input:not([type=hidden]), .window-body select, .main-button");
    first?.focus();
    first?.select?.();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-window]");
    if (!link || event.defaultPrevented || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = link;
    closeMenus();
    holding(() => show(link.href)).catch(() => location.assign(link.href));
  });
}
