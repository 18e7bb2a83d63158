// What the server says while one types: <form data-propose="URL" data-watch="field …">. After a watched field was changed, one small
// request asks for all of it; a field is filled only while it is empty or holds what was proposed before. Answer:
//   {"values": {field: text}, "cells": {"child.field": text} for the row that is typed, "choices": {field: [text, …]}, "fixed": {field: {"value", "text", "title"}},
//    "notes": {field: [{"text", "links": [{"text", "url"}]}]}, "previews": {name: [line, …]}}
// data-when="field:value,value" on a field shows it only while the other one has one of these values.

import { TypeAhead } from "./listbox.js";
import { postJSON } from "./requests.js";

const WAIT_MS = 60;

// Some texts to choose from, below a text field that takes any other as well.
class Choice extends TypeAhead {
  startsAtFirst = false;
  least = 0;

  constructor(text, texts) {
    super(text, text.closest(".field"), "", "");
    this.offer(texts);
    text.addEventListener("focus", () => !text.value && this.ask(""));
  }

  offer(texts) {
    this.all = texts.map((text) => ({ id: text, text }));
    if (!texts.length) this.hide();
    else if (document.activeElement === this.text && !this.text.value) this.ask("");
  }

  ask(question) {
    const start = question.trim().toLocaleLowerCase();
    this.answers = this.text.readOnly ? [] : this.all.filter((answer) => answer.text.toLocaleLowerCase().startsWith(start));
    if (this.answers.length === 1 && this.answers[0].text === question) this.answers = [];
    this.show();
  }

  press(event) {
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && this.all.length) {
      event.preventDefault();
      if (this.list.hidden) return void this.ask(this.text.value);
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if ((event.key === "Enter" || event.key === "Tab") && !this.list.hidden && this.active >= 0) {
      if (event.key === "Enter") {
        event.preventDefault();
        event.stopPropagation();
      }
      this.choose(this.answers[this.active]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.hide();
    }
  }

  choose(answer) {
    this.text.value = answer.text;
    this.hide();
    this.text.dispatchEvent(new Event("change", { bubbles: true }));
  }

  leave() {
    this.hide();
  }
}

// "bank_account-n1-iban" is the field "bank_account.iban" of a child table.
const watchedName = (field) => {
  const name = (field.name ?? "").replace(/_text$/, "");
  const cell = /^(\w+)-(?:n?\d+)-(\w+)$/.exec(name);
  return cell ? `${cell[1]}.${cell[2]}` : name;
};

export function startProposals(form, unsaved) {
  const watched = new Set((form.dataset.watch ?? "").split(" ").filter(Boolean));
  const proposed = {};
  const choices = new Map();
  const changed = new Set();
  let cells = {};
  let row = "";
  let timer;
  let request;
  let filling = false;

  const fieldOf = (name) => {
    const found = form.elements[name];
    return found instanceof RadioNodeList ? null : found;
  };
  const boxOf = (name) => fieldOf(name)?.closest(".field") ?? null;

  function texts() {
    const values = { ...cells };
    for (const name of watched) {
      for (const part of [name, `${name}_text`]) {
        const field = fieldOf(part);
        if (field && (field.type !== "checkbox" || field.checked)) values[part] = field.value;
      }
    }
    return values;
  }

  async function ask() {
    request?.abort();
    request = new AbortController();
    const values = texts();
    const names = [...changed];
    try {
      const answer = await postJSON(form.dataset.propose, { values, proposed, changed: names }, { signal: request.signal });
      for (const name of names) changed.delete(name);
      take(answer, values);
    } catch (fault) {
      // Proposals are a help: without them one types on.
      if (fault.name !== "AbortError") for (const name of names) changed.delete(name);
    }
  }

  function take(answer, asked) {
    filling = true;
    for (const [name, value] of Object.entries(answer.values)) {
      const field = fieldOf(name);
      if (!field || field.readOnly || field.value !== (asked[name] ?? "")) continue;
      if (field.value && field.value !== proposed[name]) continue;
      put(field, value);
      proposed[name] = value;
      if (value && document.activeElement === field) field.select();
    }
    for (const [name, value] of Object.entries(answer.cells)) {
      const field = fieldOf(`${row}-${name.split(".")[1]}`);
      if (!field || field.readOnly || (field.value && field.value !== proposed[field.name])) continue;
      put(field, value);
      proposed[field.name] = value;
    }
    for (const [name, list] of Object.entries({ ...Object.fromEntries([...choices.keys()].map((key) => [key, []])), ...answer.choices })) {
      const field = fieldOf(name);
      // The offer stays while the place is chosen, and goes with another code.
      if (!field || (!list.length && !("postal_code" in answer.values) && field.value)) continue;
      if (choices.has(name)) choices.get(name).offer(list);
      else if (list.length) choices.set(name, new Choice(field, list));
    }
    fix(answer.fixed);
    note(answer.notes, asked);
    for (const [name, lines] of Object.entries(answer.previews)) preview(name, lines);
    filling = false;
  }

  function put(field, value) {
    if (field.value === value) return;
    field.value = value;
    unsaved.look(field);
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function fix(fixed) {
    for (const box of form.querySelectorAll(".field.follows")) {
      const field = box.querySelector('input[name]:not([type="hidden"]), select[name]');
      if (!field || fixed[field.name.replace(/_text$/, "")]) continue;
      box.classList.remove("follows");
      if (field.tagName === "SELECT") field.disabled = false;
      else field.readOnly = false;
      field.removeAttribute("title");
    }
    for (const [name, { value, text, title }] of Object.entries(fixed)) {
      const key = fieldOf(name);
      if (!key) continue;
      put(key, value);
      // A choice over a long table shows the text of its key.
      const field = fieldOf(`${name}_text`) ?? key;
      if (field !== key) put(field, text);
      field.closest(".field")?.classList.add("follows");
      field.title = title;
      // A drop-down cannot be read-only; what it would have sent is taken over by the server.
      if (field.tagName === "SELECT") field.disabled = true;
      else field.readOnly = true;
    }
  }

  function note(notes, asked) {
    for (const name of watched) {
      const box = boxOf(name) ?? cellBox(name);
      if (!box || !(name in asked)) continue;
      box.querySelector(":scope > .note")?.remove();
      const entries = notes[name] ?? [];
      if (!entries.length) continue;
      const line = document.createElement("p");
      line.className = "hint note";
      line.setAttribute("role", "status");
      for (const entry of entries) {
        if (line.childNodes.length) line.append(document.createElement("br"));
        line.append(entry.text);
        for (const { text, url } of entry.links) {
          const link = document.createElement("a");
          link.href = url;
          link.target = "_blank";
          link.rel = "noopener";
          link.textContent = text;
          line.append(" ", link);
        }
      }
      box.append(line);
    }
  }

  // A cell has no room for a sentence: it stands below its table.
  const cellBox = (name) => (name.includes(".") ? form.querySelector(`[data-grid="${CSS.escape(name.split(".")[0])}"]`)?.closest("section") : null);

  function preview(name, lines) {
    const box = form.querySelector(`[data-lines="${CSS.escape(name)}"]`);
    if (!box || box.dataset.shown === lines.join("\n")) return;
    box.dataset.shown = lines.join("\n");
    box.replaceChildren(...lines.flatMap((line, index) => (index ? [document.createElement("br"), line] : [line])));
  }

  // --- fields that exist beside certain values of another one ----------------------------------------------------------

  function showAndHide(part = form) {
    for (const box of part.querySelectorAll("[data-when]")) {
      const [name, values] = box.dataset.when.split(":");
      const field = fieldOf(name);
      if (field) box.hidden = !values.split(",").includes(field.value);
    }
  }

  form.addEventListener("change", (event) => {
    const field = event.target;
    const name = watchedName(field);
    if (form.querySelector(`[data-when^="${CSS.escape(name)}:"]`)) showAndHide();
    if (filling || !form.dataset.propose || !watched.has(name)) return;
    if (name.includes(".")) {
      row = /^\w+-n?\d+/.exec(field.name)[0];
      const others = [...watched].filter((other) => other.startsWith(`${name.split(".")[0]}.`)).map((other) => [other, fieldOf(`${row}-${other.split(".")[1]}`)]);
      cells = Object.fromEntries(others.filter(([, other]) => other).map(([other, { value }]) => [other, value]));
    }
    changed.add(name);
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  form.addEventListener("panel", (event) => showAndHide(event.detail));
  showAndHide();
}
