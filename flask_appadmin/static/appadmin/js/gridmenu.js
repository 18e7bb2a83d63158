// The menu of a table: the commands that stand as buttons above it, opened with the right mouse button, the menu key or Shift+F10.
// With Shift the right mouse button opens the browser's own menu (copy, paste, spelling).

export class GridMenu {
  constructor(grid) {
    this.grid = grid;
    this.box = null;
    grid.section.addEventListener("contextmenu", (event) => {
      if (event.shiftKey || event.target.closest("dialog") || !grid.buttons.length) return;
      if (!event.target.closest("table, [data-empty], .context-menu")) return;
      event.preventDefault();
      if (this.box) return;
      const row = event.target.closest("tbody[data-row]");
      grid.mark(row);
      this.open(event.clientX, event.clientY);
    });
  }

  openAt(element) {
    if (!this.grid.buttons.length) return;
    const place = element.getBoundingClientRect();
    this.open(place.left + 8, Math.min(place.bottom, place.top + 40));
  }

  open(left, top) {
    this.close(false);
    this.from = document.activeElement;
    const box = document.createElement("div");
    box.className = "context-menu";
    box.role = "menu";
    for (const button of this.grid.buttons) {
      const entry = document.createElement("button");
      entry.type = "button";
      entry.role = "menuitem";
      entry.textContent = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE).textContent.trim();
      entry.setAttribute("aria-disabled", String(!this.grid.allows(button.dataset.command)));
      entry.addEventListener("click", () => this.choose(button.dataset.command));
      box.append(entry);
    }
    box.addEventListener("keydown", (event) => this.press(event));
    box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || setTimeout(() => this.close(false)));
    this.box = box;
    this.grid.section.append(box);
    box.style.left = `${Math.min(left, innerWidth - box.offsetWidth - 4)}px`;
    box.style.top = `${Math.min(top, innerHeight - box.offsetHeight - 4)}px`;
    box.querySelector('[aria-disabled="false"]')?.focus();
  }

  choose(command) {
    if (!this.grid.allows(command)) return;
    this.close();
    this.grid.run(command);
  }

  press(event) {
    const entries = [...this.box.children];
    const at = entries.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
    event.stopPropagation();
    if (to !== undefined) {
      event.preventDefault();
      entries[(to + entries.length) % entries.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      this.close();
    }
  }

  close(back = true) {
    const { box } = this;
    if (!box) return;
    this.box = null;
    box.remove();
    if (back && this.from?.isConnected) this.from.focus();
  }
}
