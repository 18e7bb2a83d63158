// Text that is cut off shows its whole in the tooltip. Set on the way in, so that long lists stay small.

export function startTooltips() {
  document.addEventListener("mouseover", (event) => {
    const cell = event.target.closest?.("td, th, .cut, .brand");
    if (!cell || cell.title || cell.scrollWidth <= cell.clientWidth + 1) return;
    cell.title = cell.innerText.trim();
  });
}
