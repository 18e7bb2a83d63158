// Typed-ahead choice over long tables. <span class="lookup" data-lookup="URL"> holds a hidden input with the key and a text
// input with the title. Without this module the text itself is sent as <name>_text and the server finds the record, or says
// what is wrong. data-code keeps the answer's code instead of its id; data-least="0" asks without a word typed, too.

import { browse } from "./browse.js";
import { holding } from "./heldkeys.js";
import { TypeAhead } from "./listbox.js";

class Lookup extends TypeAhead {
  constructor(box) {
    super(box.querySelector('input[role="combobox"]'), box, box.dataset.lookup, box.dataset.none ?? "–");
    this.box = box;
    this.key = box.querySelector('input[type="hidden"]');
    this.chosen = this.text.value;
    if (box.dataset.least) this.least = Number(box.dataset.least);
    box.querySelector("[data-browse]")?.addEventListener("click", () => browse(this));
    this.text.addEventListener("click", () => this.list.hidden && (this.typed || !this.least) && !this.text.readOnly && this.ask(this.text.value));
  }

  wait() {
    this.typed = true;
    if (!this.text.value.trim()) this.set("", "");
    super.wait();
  }

  press(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) return void this.ask(this.text.value);
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if ((event.key === "Enter" || event.key === "Tab") && event.isTrusted && this.typed && this.coming && this.text.value.trim()) {
      // Faster than the answer: it is waited for, and what is typed meanwhile comes after it.
      event.preventDefault();
      event.stopPropagation();
      holding(async () => {
        await this.ask(this.text.value);
        this.choose(this.answers[0]);
      }, event.key === "Tab" ? event : null);
    } else if ((event.key === "Enter" || event.key === "Tab") && !this.list.hidden && this.answers.length && this.typed) {
      if (event.key === "Enter") {
        event.preventDefault();
        event.stopPropagation();
      }
      this.choose(this.answers[this.active]);
    } else if (event.key === "Enter" && !this.list.hidden && this.active >= 0) {
      event.preventDefault();
      event.stopPropagation();
      this.choose(this.answers[this.active]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      // It closes the list, not the window around it.
      event.preventDefault();
      event.stopPropagation();
      this.text.value = this.chosen;
      this.hide();
    }
  }

  choose(answer) {
    if (!answer) return;
    this.set("code" in this.box.dataset ? answer.code : answer.id, answer.text);
    this.hide();
  }

  set(id, text) {
    this.chosen = text;
    this.typed = false;
    this.text.value = text;
    this.key.value = id;
    this.key.dispatchEvent(new Event("change", { bubbles: true }));
    this.text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // What was typed but not chosen stays, without a key: the server tries to find it, and says so if it can't.
  leave() {
    this.stop();
    if (this.typed && this.text.value !== this.chosen) this.key.value = "";
    this.hide();
  }
}

export function startLookups(part = document) {
  for (const box of part.querySelectorAll("[data-lookup]:not([data-ready])")) {
    box.dataset.ready = "";
    new Lookup(box);
  }
}
