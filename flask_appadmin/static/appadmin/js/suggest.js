// A search box shows the first hits while one types: <input type="search" data-suggest="URL">. Enter on a hit opens it, Enter
// without one searches as ever, Esc closes the list and leaves the text.

import { TypeAhead } from "./listbox.js";

export class Suggestions extends TypeAhead {
  startsAtFirst = false;

  press(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) return void this.ask(this.text.value);
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      this.stop();
      const answer = this.list.hidden ? null : this.answers[this.active];
      if (!answer) return this.hide();
      event.preventDefault();
      this.choose(answer, event);
    } else if (event.key === "Escape" && !this.list.hidden) {
      // The browser would empty the box, the page would leave it.
      event.preventDefault();
      event.stopPropagation();
      this.stop();
      this.hide();
    }
  }

  choose(answer, event) {
    this.hide();
    if (event.ctrlKey || event.metaKey) window.open(answer.url, "_blank", "noopener");
    else location.assign(answer.url);
  }

  leave() {
    this.stop();
    this.hide();
  }
}

export function startSuggestions() {
  for (const box of document.querySelectorAll("input[data-suggest]")) new Suggestions(box, box.form, box.dataset.suggest);
}
