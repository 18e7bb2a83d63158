// The menu of views and its panels. The column panel works by dragging and by keyboard alike; nothing is kept before „Übernehmen“.

import { closeMenus } from "./menus.js";
import { getFragment } from "./requests.js";

function startColumnPanel(form) {
  const order = form.querySelector("[data-order]");
  const template = form.querySelector("template[data-row]");
  const said = form.querySelector("[data-said]");
  const find = form.querySelector("[data-find-column]");
  const rows = () => [...order.children];
  const boxOf = (name) => form.querySelector(`[data-field][value="${CSS.escape(name)}"]`);

  // Pinned columns stand first; the line below the last of them shows it.
  function show() {
    for (const row of rows()) row.classList.toggle("pinned", row.querySelector('[name="pin"]').checked);
    const pinned = rows().filter((row) => row.classList.contains("pinned"));
    for (const row of rows()) row.classList.toggle("edge", row === pinned.at(-1));
    form.querySelector("[data-column-count]").textContent = rows().length;
    const stop = order.querySelector('[tabindex="0"]') ?? rows()[0];
    for (const row of rows()) row.tabIndex = row === stop ? 0 : -1;
  }

  function stand(row) {
    for (const other of rows()) other.tabIndex = other === row ? 0 : -1;
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  function moveTo(row, before) {
    order.insertBefore(row, before);
    said.textContent = order.dataset.moved.replace("{name}", row.getAttribute("aria-label")).replace("{n}", rows().indexOf(row) + 1);
  }

  function pin(row) {
    const pinned = row.querySelector('[name="pin"]').checked;
    const others = rows().filter((other) => other !== row && other.classList.contains("pinned"));
    if (pinned) order.insertBefore(row, others.at(-1)?.nextSibling ?? order.firstChild);
    else if (others.length) order.insertBefore(row, others.at(-1).nextSibling);
    show();
  }

  function add(box) {
    const row = template.content.firstElementChild.cloneNode(true);
    for (const node of [row, ...row.querySelectorAll("*")]) {
      for (const { name, value } of [...node.attributes]) {
        if (/NAME|LABEL/.test(value)) node.setAttribute(name, value.replace("NAME", box.value).replace("LABEL", box.dataset.field));
      }
    }
    row.querySelector(".name").textContent = box.dataset.field;
    order.append(row);
    row.scrollIntoView({ block: "nearest" });
    show();
  }

  function remove(row, focus) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (!next) return; // a list without columns shows nothing
    const box = boxOf(row.dataset.column);
    if (box) box.checked = false;
    row.remove();
    show();
    if (focus) stand(next);
  }

  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-field]")) {
      const row = rows().find((each) => each.dataset.column === event.target.value);
      if (event.target.checked && !row) add(event.target);
      else if (!event.target.checked && row) {
        remove(row, false);
        event.target.checked = row.isConnected;
      }
    } else if (event.target.name === "pin") pin(event.target.closest("li"));
  });
  form.addEventListener("click", (event) => {
    const row = event.target.closest("[data-remove]")?.closest("li");
    if (row) remove(row, true);
  });

  order.addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    if (!row || event.ctrlKey || event.metaKey) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const onRow = event.target === row;
    if (step && event.altKey) {
      const all = rows();
      const other = all[all.indexOf(row) + step];
      // Pinned and free columns do not mix.
      if (other && other.classList.contains("pinned") === row.classList.contains("pinned")) {
        const focused = document.activeElement;
        moveTo(row, step < 0 ? other : other.nextSibling);
        focused.focus();
        row.scrollIntoView({ block: "nearest" });
      }
    } else if (step && !event.target.matches("input.num")) {
      stand(rows()[rows().indexOf(row) + step] ?? row);
    } else if (onRow && event.key === "Delete") {
      remove(row, true);
    } else if (onRow && event.key === " ") {
      row.querySelector('[name="pin"]').click();
      stand(row);
    } else if (onRow && event.key === "Enter") {
      form.requestSubmit(form.querySelector(".main-button"));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let dragged = null;
  order.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.column);
  });
  order.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged) return;
    event.preventDefault();
    if (!over || over === dragged || over.classList.contains("pinned") !== dragged.classList.contains("pinned")) return;
    const { top, height } = over.getBoundingClientRect();
    order.insertBefore(dragged, event.clientY < top + height / 2 ? over : over.nextSibling);
  });
  order.addEventListener("drop", (event) => event.preventDefault());
  order.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    show();
  });

  find.addEventListener("input", () => {
    const words = find.value.trim().toLowerCase();
    for (const group of form.querySelectorAll("[data-fields] fieldset")) {
      let any = false;
      for (const label of group.querySelectorAll("label")) {
        label.hidden = !label.textContent.toLowerCase().includes(words);
        any ||= !label.hidden;
      }
      group.hidden = !any;
    }
  });
  // From the search to the fields found and back with the arrows.
  form.querySelector(".column-fields").addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.target === find && event.key === "Enter") event.preventDefault();
    if (!step || event.altKey) return;
    const boxes = [...form.querySelectorAll("[data-field]")].filter((box) => box.offsetParent);
    const at = boxes.indexOf(event.target) + step;
    event.preventDefault();
    (at < 0 ? find : boxes[Math.min(at, boxes.length - 1)])?.focus();
  });

  show();
  find.focus();
}

export function startViews() {
  const panel = document.getElementById("list-panel");
  if (!panel) return;
  const menu = document.querySelector(".view-menu");
  // Opened by its key the menu is walked through at once.
  menu.addEventListener("toggle", () => {
    if (menu.open && !menu.contains(document.activeElement)) menu.querySelector('a[aria-current="true"], a')?.focus();
  });

  let opener = null;
  const close = () => {
    panel.hidden = true;
    panel.replaceChildren();
    opener?.focus();
  };
  const start = () => {
    const form = panel.querySelector("form");
    if (form.dataset.panel === "columns") startColumnPanel(form);
    else form.querySelector("[autofocus]")?.focus();
  };
  if (!panel.hidden) start();

  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-close-panel]") && panel.contains(event.target)) {
      event.preventDefault();
      return close();
    }
    const link = event.target.closest("[data-list-panel]");
    if (!link) {
      if (!panel.hidden && !panel.contains(event.target) && event.target.isConnected) close();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const wasOpen = !panel.hidden && opener === link;
    opener = link.closest(".drop-box") ? menu.querySelector("summary") : link;
    closeMenus();
    if (wasOpen) return close();
    try {
      panel.innerHTML = await getFragment(link.href, "list_panel");
      panel.hidden = false;
      start();
    } catch {
      location.assign(link.href);
    }
  });
}
