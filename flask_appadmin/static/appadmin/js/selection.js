// Marks rows. The server keeps the selection; the page shows each tick at once and sends it behind, one request at a time.
// A tick is never lost: what waits is sent before the page is left, and a page is not left for another while something waits.

import { say } from "./messages.js";
import { postJSON, RequestFault } from "./requests.js";
import { fitStrip } from "./strip.js";

const TRIES = 3;
const numbers = new Intl.NumberFormat(document.documentElement.lang || "de");

class Marking {
  constructor(strip, table) {
    this.strip = strip;
    this.table = table;
    this.url = strip.dataset.selection;
    this.tokenField = strip.querySelector('input[name="token"]');
    this.count = Number(strip.dataset.count);
    this.hidden = Number(strip.dataset.hidden);
    this.waiting = new Map(); // key -> marked or not; the last word for a key wins
    this.whole = null; // a request about everything, sent before what came after it
    this.sending = null;
    this.last = null;
  }

  get boxes() {
    return this.table ? [...this.table.querySelectorAll("tbody td.box input")] : [];
  }

  set(box, marked) {
    const row = box.closest("tr");
    if (row.classList.contains("on") === marked) return;
    box.checked = marked;
    row.classList.toggle("on", marked);
    this.waiting.set(box.value, marked);
    this.count += marked ? 1 : -1;
  }

  // Marks from the row touched last to this one.
  reach(box, marked) {
    const boxes = this.boxes;
    const [from, to] = [boxes.indexOf(this.last ?? box), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(Math.max(from, 0), to + 1)) this.set(between, marked);
  }

  show() {
    const { strip, count } = this;
    const data = strip.dataset;
    strip.classList.toggle("quiet", !count);
    strip.querySelector("[data-marked]").textContent = count ? data.textMarked.replace("{n}", numbers.format(count)) : data.textNone;
    strip.querySelector("[data-unseen]").textContent = count && this.hidden > 0 ? `, ${data.textHidden.replace("{n}", numbers.format(this.hidden))}` : "";
    strip.querySelector("[data-show-marked]").hidden = !count;
    strip.querySelector("[data-mark-none]").hidden = !count;
    strip.querySelector("[data-mark-all]").hidden = data.all !== "" && (count - this.hidden >= Number(data.all) || data.all === "0");
    for (const button of strip.querySelectorAll('button[name="action"]')) button.setAttribute("aria-disabled", String(!count));
    fitStrip(strip);
    const page = this.table?.querySelector("[data-mark-page]");
    if (!page) return;
    const boxes = this.boxes;
    const ticked = boxes.filter((box) => box.checked).length;
    page.checked = ticked > 0 && ticked === boxes.length;
    page.indeterminate = ticked > 0 && ticked < boxes.length;
  }

  changed() {
    this.show();
    this.flush();
  }

  markAll(marked) {
    for (const box of this.boxes) {
      box.checked = marked;
      box.closest("tr").classList.toggle("on", marked);
    }
    this.waiting.clear();
    this.whole = marked ? { all: true, query: location.search } : { clear: true };
    if (!marked) {
      this.count = 0;
      this.hidden = 0;
    } else if (this.strip.dataset.all) {
      this.count = Math.max(Number(this.strip.dataset.all), this.count);
      this.hidden = this.count - this.boxes.length;
    }
    this.changed();
  }

  // The next request: first what concerns everything, then the single ticks made since.
  take() {
    if (this.whole) {
      const whole = this.whole;
      this.whole = null;
      return whole;
    }
    const words = [...this.waiting];
    this.waiting.clear();
    return { add: words.filter(([, marked]) => marked).map(([key]) => key), remove: words.filter(([, marked]) => !marked).map(([key]) => key) };
  }

  get isWaiting() {
    return this.whole !== null || this.waiting.size > 0;
  }

  flush() {
    this.sending ??= this.send().finally(() => (this.sending = null));
    return this.sending;
  }

  async send() {
    while (this.isWaiting) {
      const request = this.take();
      this.underWay = request;
      const answer = await this.deliver(request);
      this.underWay = null;
      if (!answer) return false;
      this.carry(answer.token);
      if (!this.isWaiting) {
        this.count = answer.count;
        this.hidden = answer.hidden;
        this.show();
      }
    }
    return true;
  }

  // The page was drawn before anything was marked: from now on its links and forms lead to lists that know the marks.
  carry(token) {
    if (this.tokenField.value === token) return;
    this.tokenField.value = token;
    const list = new URL(this.table?.dataset.list ?? this.strip.dataset.list, location.href).pathname;
    const withToken = (address) => {
      const url = new URL(address, location.href);
      url.searchParams.set("selection", token);
      return url.pathname + url.search;
    };
    for (const link of document.querySelectorAll("main a[href]")) if (new URL(link.href).pathname === list) link.setAttribute("href", withToken(link.href));
    for (const form of document.querySelectorAll("main form[data-quick], main form.filter-form")) {
      const field = form.elements.namedItem("selection") ?? form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "selection" }));
      field.value = token;
    }
    history.replaceState(history.state, "", withToken(location.href));
  }

  async deliver(request) {
    for (let round = 1; ; round++) {
      try {
        return await postJSON(this.url, { token: this.tokenField.value, ...request }, { keepalive: true });
      } catch (fault) {
        const refused = fault instanceof RequestFault && fault.cause < 500;
        if (refused || round === TRIES) {
          say(fault.message && fault instanceof RequestFault ? fault.message : this.strip.dataset.failed, "bad");
          return null;
        }
        await new Promise((wake) => setTimeout(wake, 400 * round));
      }
    }
  }

  // The page is about to go: no answer is waited for, the browser delivers.
  sendLast() {
    while (this.isWaiting) postJSON(this.url, { token: this.tokenField.value, ...this.take() }, { keepalive: true }).catch(() => {});
  }
}

export function startSelection(strip, table) {
  if (!strip) return;
  const marking = new Marking(strip, table);

  table?.addEventListener("click", (event) => {
    const box = event.target.closest("td.box input");
    if (box) {
      if (event.shiftKey) marking.reach(box, box.checked);
      else marking.set(box, box.checked);
      marking.last = box;
      marking.changed();
      return;
    }
    // The whole cell of the box counts, not only its 15 pixels.
    const cell = event.target.closest("td.box");
    if (cell) cell.querySelector("input").click();
    const page = event.target.closest("[data-mark-page]");
    if (page) {
      const marked = page.checked;
      for (const each of marking.boxes) marking.set(each, marked);
      marking.changed();
    }
  });
  // A click with Shift selects text in between otherwise.
  table?.addEventListener("mousedown", (event) => event.shiftKey && event.target.closest("td.box") && event.preventDefault());

  table?.addEventListener("mark", (event) => {
    const { row, extend } = event.detail;
    const box = row.querySelector("td.box input");
    if (!box) return;
    marking.set(box, extend ? true : !box.checked);
    marking.last = box;
    marking.changed();
  });
  table?.addEventListener("markpage", () => {
    const boxes = marking.boxes;
    const marked = !boxes.every((box) => box.checked);
    for (const box of boxes) marking.set(box, marked);
    marking.changed();
  });

  strip.querySelector("[data-mark-all]")?.addEventListener("click", () => marking.markAll(true));
  strip.querySelector("[data-mark-none]")?.addEventListener("click", () => marking.markAll(false));

  strip.addEventListener("submit", async (event) => {
    if (!marking.count) {
      event.preventDefault();
      say(strip.dataset.nothing, "warn");
      return;
    }
    if (!marking.isWaiting && !marking.sending) return;
    event.preventDefault();
    if (await marking.flush()) strip.requestSubmit(event.submitter);
  });

  // Links of this page wait for the ticks made before the click.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
    if ((!marking.isWaiting && !marking.sending) || link.matches("[data-filter-panel]")) return;
    event.preventDefault();
    await marking.flush();
    location.assign(link.href);
  });
  addEventListener("pagehide", () => marking.sendLast());

  addEventListener("resize", () => fitStrip(strip));
  marking.show();
}
