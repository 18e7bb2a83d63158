// A text input with a list of answers below it that come while one types (ARIA: combobox with a listbox).
// Answers are [{"id", "text", "more"}, …]; `url` takes ?query=…; less than two characters ask for nothing (see `least`).
// Subclasses say what choosing means, and whether the first answer is chosen from the start.

import { getJSON } from "./requests.js";

const WAIT_MS = 140;
const LEAST = 2;
let count = 0;

export class TypeAhead {
  // Whether the first answer is the one that Enter takes.
  startsAtFirst = true;
  // So many characters a question needs.
  least = LEAST;

  constructor(text, place, url, none = "") {
    this.text = text;
    this.url = url;
    this.none = none;
    this.answers = [];
    this.active = -1;
    // Whether an answer to what stands in the field is on its way.
    this.coming = false;
    this.list = document.createElement("ul");
    this.list.className = "listbox";
    this.list.role = "listbox";
    this.list.id = `listbox-${++count}`;
    this.list.hidden = true;
    this.list.setAttribute("aria-label", text.getAttribute("aria-label") ?? text.labels?.[0]?.textContent ?? "");
    place.append(this.list);
    text.role = "combobox";
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", this.list.id);
    text.setAttribute("aria-expanded", "false");
    text.addEventListener("input", () => this.wait());
    text.addEventListener("keydown", (event) => this.press(event));
    text.addEventListener("blur", () => setTimeout(() => this.leave(), 120));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const row = event.target.closest("li[data-index]");
      if (row && !event.button) this.choose(this.answers[Number(row.dataset.index)], event);
    });
  }

  wait() {
    clearTimeout(this.timer);
    this.coming = this.text.value.trim().length >= this.least;
    this.timer = setTimeout(() => this.ask(this.text.value), WAIT_MS);
  }

  async ask(question) {
    clearTimeout(this.timer);
    this.request?.abort();
    this.coming = false;
    if (question.trim().length < this.least) return this.hide();
    this.request = new AbortController();
    this.coming = true;
    const { signal } = this.request;
    try {
      const url = new URL(this.url, location.href);
      url.searchParams.set("query", question.trim());
      this.answers = await getJSON(url, { signal });
      this.coming = false;
      if (document.activeElement === this.text) this.show();
    } catch (fault) {
      if (fault.name === "AbortError") return;
      this.coming = false;
      this.answers = [];
      this.hide();
    }
  }

  // What is on its way no longer matters.
  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.coming = false;
  }

  show() {
    this.active = this.startsAtFirst && this.answers.length ? 0 : -1;
    if (!this.answers.length && !this.none) return this.hide();
    this.list.replaceChildren(...this.answers.map((answer, index) => this.row(answer, index)));
    if (!this.answers.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = this.none;
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

  row(answer, index) {
    const row = document.createElement("li");
    row.role = "option";
    row.id = `${this.list.id}-${index}`;
    row.dataset.index = index;
    row.append(answer.text);
    if (answer.more) {
      const more = document.createElement("span");
      more.className = "sub";
      more.textContent = ` ${answer.more}`;
      row.append(more);
    }
    return row;
  }

  hide() {
    this.list.hidden = true;
    this.active = -1;
    this.text.setAttribute("aria-expanded", "false");
    this.text.removeAttribute("aria-activedescendant");
  }

  point() {
    for (const row of this.list.children) row.setAttribute("aria-selected", String(Number(row.dataset.index) === this.active));
    const row = this.list.children[this.active];
    if (!row) return this.text.removeAttribute("aria-activedescendant");
    this.text.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  // One on in the list; where no answer has to be chosen, the typed text itself is one of the stops.
  move(step) {
    const stops = this.answers.length + (this.startsAtFirst ? 0 : 1);
    const offset = this.startsAtFirst ? 0 : 1;
    this.active = ((this.active + offset + step + stops) % Math.max(stops, 1)) - offset;
    this.point();
  }
}
