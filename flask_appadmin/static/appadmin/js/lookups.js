// Typed-ahead choice over long tables. <span class="lookup" data-lookup="URL"> holds a hidden input with the key and a text
// input with the title. GET URL?q=… answers [{"id": …, "text": …}, …]. Without this module the text itself is sent as <name>_text
// and the server finds the record, or says what is wrong.

import { getJSON } from "./requests.js";

const WAIT_MS = 140;
let count = 0;

class Lookup {
  constructor(box) {
    this.box = box;
    this.key = box.querySelector('input[type="hidden"]');
    this.text = box.querySelector('input[role="combobox"]');
    this.chosen = this.text.value;
    this.answers = [];
    this.active = -1;
    this.list = document.createElement("ul");
    this.list.className = "listbox";
    this.list.role = "listbox";
    this.list.id = `listbox-${++count}`;
    this.list.hidden = true;
    box.append(this.list);
    this.text.setAttribute("aria-controls", this.list.id);
    this.text.setAttribute("aria-expanded", "false");
    this.text.addEventListener("input", () => this.wait());
    this.text.addEventListener("keydown", (event) => this.press(event));
    this.text.addEventListener("blur", () => setTimeout(() => this.leave(), 120));
    this.text.addEventListener("click", () => this.list.hidden && !this.text.readOnly && this.ask(this.text.value === this.chosen ? "" : this.text.value));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const row = event.target.closest("li[data-index]");
      if (row) this.choose(Number(row.dataset.index));
    });
  }

  wait() {
    clearTimeout(this.timer);
    this.typed = true;
    if (!this.text.value.trim()) this.set("", "");
    this.timer = setTimeout(() => this.ask(this.text.value), WAIT_MS);
  }

  async ask(query) {
    this.request?.abort();
    this.request = new AbortController();
    try {
      const url = new URL(this.box.dataset.lookup, location.href);
      url.searchParams.set("q", query.trim());
      this.answers = await getJSON(url, { signal: this.request.signal });
      if (document.activeElement === this.text) this.show();
    } catch (fault) {
      if (fault.name !== "AbortError") this.hide();
    }
  }

  show() {
    this.active = this.answers.length ? 0 : -1;
    this.list.replaceChildren(
      ...this.answers.map((answer, index) => {
        const row = document.createElement("li");
        row.role = "option";
        row.id = `${this.list.id}-${index}`;
        row.dataset.index = index;
        row.textContent = answer.text;
        return row;
      }),
    );
    if (!this.answers.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = this.box.dataset.none ?? "–";
      this.list.append(none);
    }
    const place = this.text.getBoundingClientRect();
    const below = innerHeight - place.bottom;
    this.list.style.left = `${place.left}px`;
    this.list.style.minWidth = `${place.width}px`;
    this.list.style.maxWidth = `${Math.max(place.width, 420)}px`;
    if (below < 200 && place.top > below) {
      this.list.style.top = "auto";
      this.list.style.bottom = `${innerHeight - place.top + 2}px`;
    } else {
      this.list.style.bottom = "auto";
      this.list.style.top = `${place.bottom + 2}px`;
    }
    this.list.hidden = false;
    this.text.setAttribute("aria-expanded", "true");
    this.point();
  }

  hide() {
    this.list.hidden = true;
    this.text.setAttribute("aria-expanded", "false");
    this.text.removeAttribute("aria-activedescendant");
  }

  point() {
    for (const row of this.list.children) row.setAttribute("aria-selected", String(Number(row.dataset.index) === this.active));
    const row = this.list.children[this.active];
    if (!row) return;
    this.text.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  press(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) return void this.ask(this.typed ? this.text.value : "");
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.active = (this.active + step + this.answers.length) % Math.max(this.answers.length, 1);
      this.point();
    } else if ((event.key === "Enter" || event.key === "Tab") && !this.list.hidden && this.answers.length && this.typed) {
      if (event.key === "Enter") {
        event.preventDefault();
        event.stopPropagation();
      }
      this.choose(this.active);
    } else if (event.key === "Enter" && !this.list.hidden && this.active >= 0) {
      event.preventDefault();
      event.stopPropagation();
      this.choose(this.active);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.text.value = this.chosen;
      this.hide();
    }
  }

  choose(index) {
    const answer = this.answers[index];
    if (!answer) return;
    this.set(answer.id, answer.text);
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
    clearTimeout(this.timer);
    this.request?.abort();
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
