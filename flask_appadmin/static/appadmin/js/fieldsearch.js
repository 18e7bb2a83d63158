// Strg K: find a field by its label and go there. The server's list knows the fields of all tabs; without it those on the page are found.

import { getJSON } from "./requests.js";

export function startFieldSearch(form) {
  const dialog = document.createElement("dialog");
  dialog.className = "find-field";
  const pad = document.createElement("div");
  pad.className = "pad";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = form.dataset.searchFields;
  input.setAttribute("aria-label", form.dataset.searchFields);
  const list = document.createElement("ul");
  pad.append(input, list);
  dialog.append(pad);
  document.body.append(dialog);
  let found = [];
  let at = 0;

  let known = [];
  const fetchKnown = async () => {
    if (known.length || !form.dataset.fieldsUrl) return;
    try {
      known = await getJSON(form.dataset.fieldsUrl);
      if (dialog.open) show();
    } catch {
      known = [];
    }
  };
  const all = () => (known.length ? known : onPage());
  const onPage = () =>
    [...form.querySelectorAll(".field label")].map((label) => ({
      label: label.textContent.trim(),
      place: label.closest(".card")?.querySelector("h2")?.firstChild?.textContent.trim() ?? "",
      field: label.control ?? document.getElementById(label.htmlFor),
    })).filter((each) => each.field);

  function show() {
    const words = input.value.trim().toLowerCase();
    found = all()
      .filter((each) => each.label.toLowerCase().includes(words))
      .sort((a, b) => b.label.toLowerCase().startsWith(words) - a.label.toLowerCase().startsWith(words))
      .slice(0, 60);
    at = Math.min(at, Math.max(found.length - 1, 0));
    list.replaceChildren(
      ...found.map((each, index) => {
        const row = document.createElement("li");
        row.classList.toggle("on", index === at);
        const button = document.createElement("button");
        button.type = "button";
        const place = document.createElement("span");
        place.className = "sub";
        place.textContent = each.place;
        button.append(each.label, place);
        button.addEventListener("click", () => go(each));
        row.append(button);
        return row;
      }),
    );
    list.querySelector(".on")?.scrollIntoView({ block: "nearest" });
  }

  async function go(each) {
    dialog.close();
    const find = () => each.field ?? document.getElementById(`f-${each.name}`);
    const tab = each.tab ?? find()?.closest("[data-panel]")?.dataset.panel;
    if (tab && (!find() || find().closest("[data-panel]")?.hidden)) {
      await new Promise((opened) => form.dispatchEvent(new CustomEvent("opentab", { detail: { tab, opened } })));
    }
    const field = find();
    if (!field) return;
    field.closest("tr.folded")?.classList.remove("folded");
    field.focus();
    field.scrollIntoView({ block: "center" });
    const box = field.closest(".field");
    box?.classList.add("found-field");
    setTimeout(() => box?.classList.remove("found-field"), 1700);
  }

  input.addEventListener("input", () => {
    at = 0;
    show();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(found.length, 1);
      show();
    } else if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      go(found[at]);
    }
  });
  const open = () => {
    input.value = "";
    at = 0;
    dialog.showModal();
    show();
    fetchKnown();
  };
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => event.target.closest("[data-find-field-of-form]") && open());
}
