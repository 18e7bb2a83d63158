// „Abfragebedingung“: words are put in where the cursor stands, faults are shown in place, and everything typed stays.
import { closeMenus } from "./menus.js";
import { say } from "./messages.js";
import { csrfToken, getFragment } from "./requests.js";

// Shows the place of a fault: from its character to the end of the word.
function showPlace(text) {
  if (!text.dataset.line) return;
  const lines = text.value.split("\n");
  const before = lines.slice(0, Number(text.dataset.line) - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const start = before + Number(text.dataset.character) - 1;
  const word = /^(\w+|'[^']*'?|"[^"]*"?|.)/su.exec(text.value.slice(start));
  text.setSelectionRange(start, start + (word?.[0].length ?? 0));
}

function putIn(text, word) {
  const { selectionStart: start, selectionEnd: end, value } = text;
  const blank = start > 0 && !/[\s(]/.test(value[start - 1]) ? " " : "";
  text.setRangeText(blank + word, start, end, "end");
  text.dispatchEvent(new Event("input"));
  // The cursor goes to where the next thing is typed: into the brackets.
  const gap = word.indexOf("…");
  if (gap >= 0) text.setSelectionRange(start + blank.length + gap, start + blank.length + gap + 1);
  text.focus();
}

function startWords(form, text) {
  const find = form.querySelector("[data-find-word]");
  const entries = [...form.querySelectorAll("[data-word]")];
  const shown = () => entries.filter((entry) => !entry.hidden);
  const step = (from, by) => {
    const list = shown();
    (list[list.indexOf(from) + by] ?? (by < 0 ? find : null))?.focus();
  };
  // Values of a field show up when somebody looks for them.
  const filter = () => {
    const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of entries) {
      const said = entry.textContent.toLowerCase();
      entry.hidden = words.length ? !words.every((word) => said.includes(word)) : entry.classList.contains("value");
    }
    for (const group of form.querySelectorAll(".words [role=group]")) group.hidden = !group.querySelector("[data-word]:not([hidden])");
  };
  find.addEventListener("input", filter);
  filter();
  form.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-word]");
    if (entry) putIn(text, entry.dataset.word);
  });
  form.querySelector(".condition-words").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") step(event.target, 1);
    else if (event.key === "ArrowUp") step(event.target, -1);
    else if (event.key === "Enter" && event.target === find) {
      const first = shown()[0];
      if (first && find.value.trim()) putIn(text, first.dataset.word);
    } else return;
    event.preventDefault();
  });
}

export function startCondition(form, windowed = null) {
  const text = form.elements.where;
  startWords(form, text);
  // What was said is about the text as it was.
  text.addEventListener("input", () => {
    text.removeAttribute("aria-invalid");
    form.querySelector("#condition-error").textContent = "";
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector('[value="run"]'));
    } else if (event.key === "Enter" && event.target === form.elements.name) {
      event.preventDefault();
      form.requestSubmit(form.querySelector('[value="save"]'));
    }
  });
  if (windowed) form.addEventListener("submit", (event) => send(event, form, windowed));
  const first = form.querySelector("[data-first]");
  if (first) first.focus();
  else {
    text.focus();
    if (text.dataset.line) showPlace(text);
    else text.setSelectionRange(text.value.length, text.value.length);
  }
}

async function send(event, form, windowed) {
  event.preventDefault();
  const content = new FormData(form, event.submitter);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-Fragment": "condition", Accept: "text/html, application/json", "X-CSRFToken": csrfToken() },
      body: content,
    });
    if (answer.redirected) return form.submit();
    if (answer.headers.get("Content-Type")?.includes("json")) {
      const { url, error } = await answer.json();
      if (!url) throw new Error(error);
      location.assign(url);
      return;
    }
    show(windowed, await answer.text());
  } catch (fault) {
    const place = form.querySelector("#condition-error");
    place.textContent = fault.message && !(fault instanceof TypeError) ? fault.message : form.dataset.failed;
  }
}

function show(windowed, html) {
  windowed.querySelector("[data-content]").innerHTML = html;
  if (!windowed.open) windowed.showModal();
  startCondition(windowed.querySelector("form"), windowed);
}

export function startConditions() {
  const windowed = document.getElementById("condition-window");
  if (!windowed) return;
  let opener = null;
  windowed.addEventListener("close", () => opener?.focus());
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-close-condition]") && windowed.open) {
      event.preventDefault();
      windowed.close();
      return;
    }
    const link = event.target.closest("[data-condition-window]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!windowed.contains(link)) opener = link.closest("details")?.querySelector("summary") ?? link;
    closeMenus();
    try {
      show(windowed, await getFragment(link.href, "condition"));
    } catch (fault) {
      if (fault.message) say(fault.message, "bad");
      else location.assign(link.href);
    }
  });
}
