// What an open form tells the server beside saving: that it is open (and hears who else is there), and what was typed so far, so that a
// crash, a lost session or a closed window lose nothing. See views/form_page/companions.py.

import { say } from "./messages.js";
import { csrfToken, postJSON, RequestFault } from "./requests.js";

const POLL_MS = 20000;
const QUIET_MS = 1200;

function startPresence(form) {
  const url = form.dataset.presenceUrl;
  const line = document.querySelector("[data-presence]");
  if (!url || !line) return;
  const told = () => ({ token: form.elements._token.value, seen: form.elements._seen?.value ?? "" });
  const report = async () => {
    if (document.hidden) return;
    try {
      const { text } = await postJSON(url, told());
      if (line.textContent !== text) line.textContent = text;
      line.title = text;
    } catch {
      // Nobody needs to know that a hint is missing.
    }
  };
  report();
  setInterval(report, POLL_MS);
  document.addEventListener("visibilitychange", report);
  addEventListener("pagehide", () => postJSON(url, { ...told(), gone: true }, { keepalive: true }).catch(() => {}));
}

function startDraft(form, unsaved) {
  const url = form.dataset.draftUrl;
  if (!url) return;
  let timer = 0;
  let running = null;
  let over = false;
  let warned = false;

  const mark = () => {
    if (form.elements._draft) return;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "_draft";
    field.value = "1";
    form.append(field);
  };

  async function keep() {
    if (over || !unsaved.count()) return;
    mark();
    running?.abort();
    running = new AbortController();
    const content = new FormData(form);
    // Secrets stay in the page; the server leaves them out as well.
    for (const field of form.querySelectorAll('input[type="password"]')) content.delete(field.name);
    try {
      const response = await fetch(url, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": csrfToken() }, body: content, signal: running.signal, keepalive: document.hidden });
      if (response.redirected || response.status === 401) throw new RequestFault("", { cause: 401 });
      form.dataset.kept = String(Number(form.dataset.kept ?? 0) + 1);
    } catch (fault) {
      if (fault instanceof RequestFault && !warned) {
        warned = true;
        say(form.dataset.signedOut, "warn");
      }
    }
  }

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, QUIET_MS);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  // Whoever goes away is not waited for.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || !timer) return;
    clearTimeout(timer);
    timer = 0;
    keep();
  });
  const end = () => {
    over = true;
    clearTimeout(timer);
    running?.abort();
  };
  form.addEventListener("submit", end);
  form.addEventListener("discarded", end);
  addEventListener("pageshow", () => (over = false));
}

// Fields that both changed: one click decides all of them, and who types once more means his own version.
function startChoices(form) {
  document.querySelector("[data-conflicts]")?.addEventListener("click", (event) => {
    const all = event.target.closest("[data-keep-all]");
    if (all) for (const choice of form.querySelectorAll(`.dispute input[value="${all.dataset.keepAll}"]`)) choice.checked = true;
  });
  form.addEventListener("input", (event) => {
    const name = event.target.name?.replace(/_text$/, "");
    const choice = name && form.querySelector(`.dispute input[name="_keep-${CSS.escape(name)}"][value="mine"]`);
    if (choice) choice.checked = true;
  });
}

export function startCompanions(form, unsaved) {
  startPresence(form);
  startDraft(form, unsaved);
  startChoices(form);
}
