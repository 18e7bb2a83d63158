// Heads of a list: borders to drag, pinned columns that stay at the left, and the whole of a text that is cut.
// A width that was set once is kept on the server for this operator and view.

import { postJSON } from "./requests.js";

const SMALLEST = 40;
const GREATEST = 1200;
const WAIT_MS = 400;

export function startColumns(table) {
  const heads = [...table.tHead.rows[0].cells];
  const named = heads.filter((head) => head.dataset.name);
  const columns = [...table.querySelectorAll("col")];
  if (!named.length || columns.length !== heads.length) return;
  const columnOf = (head) => columns[heads.indexOf(head)];

  // --- what stays at the left: the box, the first column, and every pinned one -----------------------------------------
  const rules = new CSSStyleSheet();
  document.adoptedStyleSheets.push(rules);
  function place() {
    const staying = heads.filter((head, index) => head.matches(".box, .pin") || index === heads.indexOf(named[0]));
    let left = 0;
    const lines = [];
    for (const head of staying) {
      const nth = `#list tr > :nth-child(${heads.indexOf(head) + 1})`;
      lines.push(`${nth} { position: sticky; left: ${left}px; z-index: 2; } #list thead ${nth.slice(6)} { z-index: 4; }`);
      left += head.getBoundingClientRect().width;
    }
    const last = staying.at(-1);
    if (last?.classList.contains("pin")) lines.push(`#list tr > :nth-child(${heads.indexOf(last) + 1}) { box-shadow: inset -2px 0 var(--line-2); }`);
    rules.replaceSync(lines.join("\n"));
    // The cursor is never hidden below what stays.
    table.parentElement.style.scrollPaddingLeft = `${left}px`;
  }
  place();
  if (document.fonts) document.fonts.ready.then(place);
  new ResizeObserver(place).observe(table);

  // --- widths -----------------------------------------------------------------------------------------------------------
  let timer = 0;
  function keep() {
    clearTimeout(timer);
    timer = setTimeout(send, WAIT_MS);
  }
  function send() {
    clearTimeout(timer);
    timer = 0;
    const widths = Object.fromEntries(named.map((head) => [head.dataset.name, Math.round(Number(columnOf(head).width))]));
    postJSON(table.dataset.arrange, { query: table.dataset.query, widths }, { keepalive: true }).catch(() => {});
  }
  addEventListener("pagehide", () => timer && send());

  // As soon as one column has a width all have theirs, those which they have now: nothing jumps.
  function size() {
    if (table.classList.contains("sized")) return;
    const widths = heads.map((head) => head.getBoundingClientRect().width);
    columns.forEach((column, index) => (column.width = Math.round(widths[index])));
    table.classList.add("sized");
  }
  function setWidth(head, width) {
    size();
    columnOf(head).width = Math.round(Math.min(Math.max(width, SMALLEST), GREATEST));
    place();
    keep();
  }
  function fit(head) {
    size();
    const index = heads.indexOf(head);
    const range = document.createRange();
    const widths = [...table.rows].map((row) => {
      range.selectNodeContents(row.cells[index]);
      return range.getBoundingClientRect().width;
    });
    setWidth(head, Math.max(...widths) + 22);
  }

  for (const head of named) {
    const grip = document.createElement("span");
    grip.className = "grip";
    grip.setAttribute("aria-hidden", "true");
    head.append(grip);
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      const start = event.clientX;
      const width = head.getBoundingClientRect().width;
      const drag = (move) => setWidth(head, width + move.clientX - start);
      grip.classList.add("held");
      document.body.classList.add("sizing");
      grip.addEventListener("pointermove", drag);
      const end = () => {
        grip.removeEventListener("pointermove", drag);
        grip.classList.remove("held");
        document.body.classList.remove("sizing");
      };
      grip.addEventListener("pointerup", end, { once: true });
      grip.addEventListener("pointercancel", end, { once: true });
    });
    grip.addEventListener("click", (event) => event.stopPropagation());
    grip.addEventListener("dblclick", () => fit(head));
    // By keyboard on the head itself; a head that does not sort can be stepped on, too.
    if (!head.querySelector("a")) head.tabIndex = 0;
    head.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -10, ArrowRight: 10 }[event.key];
      if (!step || !event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      setWidth(head, head.getBoundingClientRect().width + step);
    });
  }

  // --- text that is cut tells its whole ---------------------------------------------------------------------------------
  table.addEventListener("mouseover", (event) => {
    const cell = event.target.closest("tbody td, th[data-name]");
    if (!cell || cell.classList.contains("box")) return;
    const cut = cell.scrollWidth > cell.clientWidth + 1;
    if (cut && !cell.title) {
      cell.title = cell.textContent.trim();
      cell.dataset.cut = "";
    } else if (!cut && "cut" in cell.dataset) {
      cell.removeAttribute("title");
      delete cell.dataset.cut;
    }
  });
}
