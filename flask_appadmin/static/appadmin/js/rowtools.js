// „Neu“ and „Löschen“ in the toolbar of a child table's own window: about its rows, not about the record.

export function startRowTools(form) {
  let row = null;
  form.addEventListener("focusin", (event) => (row = event.target.closest("[data-grid] tbody") ?? row));
  document.querySelector("[data-new-row]")?.addEventListener("click", (event) => {
    event.preventDefault();
    form.querySelector("[data-add-row]")?.click();
  });
  document.querySelector("[data-delete-row]")?.addEventListener("click", (event) => {
    event.preventDefault();
    row = row?.isConnected ? row : form.querySelector("[data-grid] tbody");
    row?.querySelector('input[name$="-delete"]')?.click();
  });
}
