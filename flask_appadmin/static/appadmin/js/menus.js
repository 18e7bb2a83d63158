// Menus are <details>: one is open at a time, a click elsewhere or Esc closes it, the arrow keys walk through it.

const entries = (menu) => [...menu.querySelectorAll("a[href], button:not([disabled])")].filter((entry) => entry.offsetParent);

export function closeMenus(but = null) {
  for (const open of document.querySelectorAll("details.drop[open]")) if (open !== but && !open.contains(but)) open.open = false;
}

export function startMenus() {
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.drop")));
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.drop");
    if (!menu) return;
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.stopPropagation();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.matches("input, select, textarea")) {
      menu.open = true;
      const list = entries(menu);
      const step = event.key === "ArrowDown" ? 1 : -1;
      list[(list.indexOf(event.target) + step + list.length) % list.length]?.focus();
      event.preventDefault();
    }
  });
}
