// Pages that are saved as a whole: Ctrl+S sends the form, and leaving asks while something in it is not saved.

import { isTyping } from "./keys.js";

// Watches a form; `counts(event)` says whether an input is a change (all are, unless told). Answers what forgets changes.
export function watch(form, counts = () => true) {
  let isChanged = false;
  const note = (event) => (isChanged ||= counts(event));
  form.addEventListener("input", note);
  form.addEventListener("change", note);
  form.addEventListener("submit", () => (isChanged = false));
  addEventListener("beforeunload", (event) => isChanged && event.preventDefault());
  // While somebody types the combination of the button does not fire by itself.
  form.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s" || !isTyping(event.target)) return;
    event.preventDefault();
    form.requestSubmit();
  });
  return { forget: () => (isChanged = false), note: () => (isChanged = true) };
}
