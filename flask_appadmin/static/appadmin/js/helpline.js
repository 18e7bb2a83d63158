// The foot of a form says what the field with the focus is for; screen readers get the same sentence as its description.

export function startHelpLine(form) {
  const line = document.querySelector("[data-help-line]");
  if (!line) return;
  const idle = [...line.childNodes];
  form.addEventListener("focusin", (event) => {
    const label = event.target.labels?.[0];
    const help = label?.title ?? "";
    if (help && !event.target.hasAttribute("aria-description")) event.target.setAttribute("aria-description", help);
    line.replaceChildren(...idle);
    if (!help) return;
    const name = document.createElement("b");
    name.textContent = label.textContent.trim();
    line.replaceChildren(name, " – ", help);
  });
  form.addEventListener("focusout", () => line.replaceChildren(...idle));
}
