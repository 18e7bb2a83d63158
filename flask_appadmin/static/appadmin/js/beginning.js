// A new record takes values over from the one that is chosen in a field named by data-begins: the page is read anew with what was
// typed so far in its address, and shows what is proposed. Without this module the proposals are made when the form is saved.

export function startBeginning(form) {
  const names = (form.dataset.begins ?? "").split(" ").filter(Boolean);
  if (!names.length) return;
  form.addEventListener("change", (event) => {
    // Rows that were begun would be lost: what they need is proposed when they are saved.
    if (!names.includes(event.target.name) || !event.target.value || form.querySelector("tbody.fresh.touched")) return;
    const url = new URL(form.action);
    for (const field of form.querySelectorAll(".field.changed [name]")) {
      const { name } = field;
      if (name.startsWith("_") || name.endsWith("_text") || field.type === "password" || !field.value) continue;
      if (field.type === "checkbox" && !field.checked) url.searchParams.delete(name);
      else url.searchParams.set(name, field.value);
    }
    // What was typed goes along: this is no leaving, and the way of "verwerfen" asks nothing.
    const discard = document.querySelector("[data-discard]");
    discard.href = url;
    discard.hidden = false;
    discard.click();
  });
}
