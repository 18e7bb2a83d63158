// A key in a field opens another record by its number: <form data-open-field="name_1" data-open-url="URL" …>, Ctrl+R in that field.
// The window offers hits while one types; Enter without one opens the record of exactly this number.

import { Suggestions } from "./suggest.js";
import { getJSON, RequestFault } from "./requests.js";

export function startOpenNumber(form) {
  const { openField, openUrl, openTitle, openLabel, openSuggest } = form.dataset;
  if (!openField) return;
  let dialog = null;

  function build() {
    const made = document.createElement("dialog");
    made.className = "search-window";
    made.setAttribute("aria-label", openTitle);
    const head = document.createElement("div");
    head.className = "card-head";
    head.append(Object.assign(document.createElement("h2"), { textContent: openTitle }));
    const inner = document.createElement("form");
    inner.className = "find-form";
    const input = Object.assign(document.createElement("input"), { autocomplete: "off", inputMode: "numeric" });
    input.setAttribute("aria-label", openLabel);
    input.placeholder = openLabel;
    const fault = Object.assign(document.createElement("p"), { className: "err", role: "alert" });
    inner.append(input, fault);
    made.append(head, inner);
    document.body.append(made);
    new Suggestions(input, inner, openSuggest);
    input.addEventListener("input", () => (fault.textContent = ""));
    inner.addEventListener("submit", async (event) => {
      event.preventDefault();
      const url = new URL(openUrl, location.href);
      url.searchParams.set("number", input.value);
      try {
        location.assign((await getJSON(url)).url);
      } catch (refused) {
        if (refused instanceof RequestFault) fault.textContent = refused.message;
        input.select();
      }
    });
    return made;
  }

  form.addEventListener("keydown", (event) => {
    if (event.target.name !== openField || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "r") return;
    event.preventDefault();
    dialog ??= build();
    const input = dialog.querySelector("input");
    input.value = "";
    dialog.querySelector(".err").textContent = "";
    dialog.showModal();
    input.focus();
  });
}
