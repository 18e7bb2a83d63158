// Export: choose columns by group, by name, all or none. Ticking a column means: the columns below, not a named set.

const place = document.querySelector("[data-columns]");
if (place) {
  const boxes = [...place.querySelectorAll('input[name="column"]')];
  const layout = document.querySelector('select[name="layout"]');
  const show = () => {
    place.querySelector("[data-chosen-count]").textContent = boxes.filter((box) => box.checked).length;
    for (const group of place.querySelectorAll("[data-group]")) {
      const members = [...group.querySelectorAll('input[name="column"]')];
      const ticked = members.filter((box) => box.checked).length;
      const all = group.querySelector("[data-group-box]");
      all.checked = ticked === members.length;
      all.indeterminate = ticked > 0 && ticked < members.length;
    }
  };
  place.addEventListener("change", (event) => {
    if (event.target.matches("[data-group-box]")) {
      for (const box of event.target.closest("[data-group]").querySelectorAll('input[name="column"]')) box.checked = event.target.checked;
    }
    if (event.target !== layout && layout) layout.value = "";
    show();
  });
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-all-columns]");
    if (!button) return;
    for (const box of boxes) if (!box.closest("label").hidden) box.checked = Boolean(button.dataset.allColumns);
    if (layout) layout.value = "";
    show();
  });
  place.querySelector("[data-find-column]")?.addEventListener("input", (event) => {
    const words = event.target.value.trim().toLowerCase();
    for (const box of boxes) box.closest("label").hidden = !box.closest("label").textContent.toLowerCase().includes(words);
    for (const group of place.querySelectorAll("[data-group]")) group.hidden = ![...group.querySelectorAll(".column-list label")].some((label) => !label.hidden);
  });
  show();
}
