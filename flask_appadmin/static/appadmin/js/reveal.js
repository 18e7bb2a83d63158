// Masked values (bank data): shown on request only, by a POST that the server writes down. Shown, the value can be changed if the operator may.

import { say } from "./messages.js";
import { postJSON, RequestFault } from "./requests.js";

export function startReveal(form, unsaved) {
  form.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-reveal]");
    if (!button) return;
    button.disabled = true;
    try {
      const { value } = await postJSON(button.dataset.reveal, {});
      const box = button.closest(".masked-value");
      const old = box.querySelector("output");
      if (box.dataset.readonly !== undefined) {
        old.textContent = value;
        old.classList.remove("masked");
      } else {
        const input = document.createElement("input");
        input.name = box.dataset.name;
        input.id = old.id;
        input.autocomplete = "off";
        input.setAttribute("aria-label", box.dataset.label);
        input.defaultValue = value;
        old.replaceWith(input);
        input.focus();
        unsaved.show();
      }
      button.remove();
    } catch (fault) {
      button.disabled = false;
      if (fault instanceof RequestFault) say(fault.message, "bad");
    }
  });
}
