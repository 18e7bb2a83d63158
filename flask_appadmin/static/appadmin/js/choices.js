import { startLookups } from "./lookups.js";

// The preview of an import reloads after each choice; the table stays where it was.

for (const box of document.querySelectorAll("[data-keep-scroll]")) {
  const key = `appadmin:scroll:${box.dataset.keepScroll}:${location.pathname}${location.search}`;
  const top = sessionStorage.getItem(key);
  if (top) box.scrollTop = Number(top);
  sessionStorage.removeItem(key);
  box.addEventListener("submit", () => sessionStorage.setItem(key, String(box.scrollTop)));
}

// „✎“ turns a value into an input; Escape leaves it as it was.
for (const button of document.querySelectorAll("[data-mend]")) {
  const field = button.nextElementSibling;
  const input = field.querySelector('input:not([type="hidden"])');
  button.addEventListener("click", () => {
    button.hidden = true;
    field.hidden = false;
    input.focus();
    input.select();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    input.value = input.defaultValue;
    if (input.closest("[data-stays]")) return;
    field.hidden = true;
    button.hidden = false;
    button.focus();
  });
}
startLookups();
