// Leaving a form with unsaved changes, for another record or another page: save, discard or stay. „Verwerfen“ forgets the input that the
// server has kept, too. What the browser itself does (closing the window) is asked about by unsaved.js.

import { csrfToken } from "./requests.js";

// A form of its own that forgets the draft and leads on.
function discardAndGo(form, address) {
  const url = new URL(address, location.href);
  const sent = document.createElement("form");
  sent.method = "post";
  sent.action = form.dataset.draftUrl;
  const values = { csrf_token: csrfToken(), _token: form.elements._token.value, id: form.elements.id?.value, _discard: url.pathname + url.search };
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    sent.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(sent);
  sent.submit();
}

export function startLeaving(form, unsaved) {
  const dialog = document.getElementById("leave-form");
  if (!dialog) return;
  let answered = false;

  const discard = (address) => {
    answered = true;
    unsaved.leave();
    form.dispatchEvent(new CustomEvent("discarded"));
    if (form.dataset.draftUrl) discardAndGo(form, address);
    else location.assign(address);
  };

  async function ask() {
    dialog.querySelector("h2").textContent = unsaved.words();
    dialog.returnValue = "stay";
    const before = document.activeElement;
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    if (dialog.returnValue === "stay") before?.focus?.();
    return dialog.returnValue;
  }

  function saveThen(address) {
    const url = new URL(address, location.href);
    for (const [name, value] of [["_then", "go"], ["_next", url.pathname + url.search]]) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    form.requestSubmit();
  }

  for (const button of dialog.querySelectorAll("[data-answer]")) button.addEventListener("click", () => dialog.close(button.dataset.answer));
  for (const link of document.querySelectorAll("[data-discard], [data-discard-new]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      discard(link.href);
    });
  }
  // On the window, so that whatever stays on the page has had its say before.
  addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.getAttribute("href").startsWith("#")) return;
    if (!/^https?:$/.test(link.protocol) || link.hasAttribute("data-resume") || answered || !unsaved.count()) return;
    event.preventDefault();
    const answer = await ask();
    if (answer === "save") saveThen(link.href);
    else if (answer === "discard") discard(link.href);
  });
  addEventListener("submit", async (event) => {
    if (event.target === form || event.defaultPrevented || event.target.method === "dialog" || answered || !unsaved.count()) return;
    event.preventDefault();
    const answer = await ask();
    if (answer === "save") return form.requestSubmit();
    if (answer !== "discard") return;
    answered = true;
    unsaved.leave();
    form.dispatchEvent(new CustomEvent("discarded"));
    event.target.requestSubmit(event.submitter);
  });
}
