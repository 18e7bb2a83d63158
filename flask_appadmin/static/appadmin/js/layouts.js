// The page „Layouts“: choosing another window or work group shows it at once; what is not saved yet is asked for.

import { isTyping } from "./keys.js";

const choice = document.querySelector("[data-layout-choice]");
const form = document.getElementById("layout");
let isChanged = false;

choice.addEventListener("change", () => choice.requestSubmit());
form.addEventListener("input", () => (isChanged = true));
form.addEventListener("change", () => (isChanged = true));
form.addEventListener("submit", () => (isChanged = false));
addEventListener("beforeunload", (event) => isChanged && event.preventDefault());

// While somebody types the combination of the button does not fire by itself.
form.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s" || !isTyping(event.target)) return;
  event.preventDefault();
  form.requestSubmit();
});
