// One cell as an input: made of its column's template when somebody begins to type, gone when he leaves the cell.
// What it holds is {value, text}: what is sent, and what is read (a reference's title, the words of a choice).

import { startLookups } from "./lookups.js";

export class CellEditor {
  // `typed`: the operator began by typing, so the old content is replaced and the arrows go on to other cells.
  constructor(cell, template, content, typed) {
    this.cell = cell;
    this.content = content;
    this.box = document.createElement("span");
    this.box.className = "cell-editor";
    this.box.append(template.content.cloneNode(true));
    this.input = this.box.querySelector("input:not([type=hidden]), select, textarea");
    this.key = this.box.querySelector("[data-lookup] input[type=hidden]");
    this.walks = typed && this.input.matches("input:not([role=combobox])");
    if (this.key) {
      this.key.value = typed ? "" : content.value;
      this.input.value = typed ? "" : content.text;
      this.chosen = this.input.value;
      this.key.addEventListener("change", () => (this.chosen = this.input.value));
    } else {
      this.input.value = typed && this.input.tagName !== "SELECT" ? "" : content.value;
    }
    this.begun = this.input.value;
    cell.classList.add("typing");
    cell.append(this.box);
    startLookups(this.box);
    this.input.focus();
    if (!typed) this.input.select?.();
  }

  read() {
    const { input, key } = this;
    if (key) {
      // Text that was typed over a choice is no longer that choice: the server looks it up.
      return { value: input.value === this.chosen ? key.value : "", text: input.value };
    }
    if (input.tagName !== "SELECT") return { value: input.value, text: input.value };
    // A choice that is not offered any more stays unless another one is taken.
    if (input.value === this.begun) return this.content;
    return { value: input.value, text: input.selectedOptions[0]?.text ?? "" };
  }

  close() {
    this.box.remove();
    this.cell.classList.remove("typing");
  }
}
