// Marks rows. The server keeps the selection; the page shows each tick at once and sends it behind, one request at a time.
// A tick is never lost: what waits is sent before the page is left, and a page is not left for another while something waits.

import { say } from "./messages.js";
import { postJSON, RequestFault } from "./requests.js";
import { startNumbers } from "./numbers.js";
import { fitStrip, startStripKeys } from "./strip.js";

const TRIES = 3;
const numbers = new Intl.NumberFormat(document.documentElement.lang || "de");

const filled = (text, number) => text.replace("{n}", numbers.format(number));

class Marking {
  constructor(strip, table) {
    this.strip = strip;
    this.table = table;
    this.url = strip.dataset.selection;
    this.tokenField = strip.querySelector('input[name="token"]');
    this.count = Number(strip.dataset.count);
    this.capped = "capped" in strip.dataset;
    this.everything = "everything" in strip.dataset;
    this.outside = Number(strip.dataset.outside);
    this.waiting = new Map(); // key -> marked or not; the last word for a key wins
    this.whole = null; // a request about everything, sent before what came after it
    this.sending = null;
    this.last = null;
    this.range = null; // what Shift and the arrow keys are about: {from, to, before}
  }

  get boxes() {
    return this.table ? [...this.table.querySelectorAll("tbody td.box input")] : [];
  }

  set(box, marked) {
    if (!this.draw(box, marked)) return;
    this.waiting.set(box.value, marked);
    this.count += marked ? 1 : -1;
  }

  draw(box, marked) {
    const row = box.closest("tr");
    box.checked = marked;
    if (row.classList.contains("on") === marked) return false;
    row.classList.toggle("on", marked);
    return true;
  }

  // Marks from the row touched last to this one.
  reach(box, marked) {
    const boxes = this.boxes;
    const [from, to] = [boxes.indexOf(this.last ?? box), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(Math.max(from, 0), to + 1)) this.set(between, marked);
  }

  // Shift and an arrow key: the range grows and shrinks with the cursor; what it leaves is as it was before.
  stretch(start, box) {
    const boxes = this.boxes;
    if (this.range?.to !== start) this.range = { from: start, to: start, before: new Map(boxes.map((each) => [each, each.checked])) };
    this.range.to = box;
    const [from, to] = [boxes.indexOf(this.range.from), boxes.indexOf(box)].sort((a, b) => a - b);
    boxes.forEach((each, at) => this.set(each, (at >= from && at <= to) || this.range.before.get(each)));
  }

  markPage(marked) {
    for (const box of this.boxes) this.set(box, marked);
    this.changed();
  }

  // The list of marked rows has no matches of its own.
  get canMarkAll() {
    return new URLSearchParams(location.search).get("only") !== "marked";
  }

  get total() {
    return this.strip.dataset.all === "" ? null : Number(this.strip.dataset.all);
  }

  show() {
    const { strip, count } = this;
    const data = strip.dataset;
    const boxes = this.boxes;
    const ticked = boxes.filter((box) => box.checked).length;
    const whole = ticked > 0 && ticked === boxes.length;
    const more = this.canMarkAll && (this.total === null ? !this.everything : count - this.outside < this.total);
    const ask = whole && more && count === ticked;
    const hidden = Math.max(count - ticked, 0);
    strip.querySelector('input[name="shown"]').value = this.capped ? "" : count;
    strip.classList.toggle("quiet", !count);
    strip.querySelector("[data-marked]").textContent = !count ? data.textNone : filled(ask ? data.textPage : this.capped ? data.textCapped : data.textMarked, count);
    const unseen = strip.querySelector("[data-unseen]");
    unseen.textContent = ask ? " –" : hidden > 0 ? `, ${filled(this.capped ? data.textHiddenCapped : data.textHidden, hidden)}` : "";
    const elsewhere = hidden - this.outside;
    unseen.title = this.outside && hidden ? [elsewhere > 0 ? filled(data.textOthers, elsewhere) : "", filled(data.textOutside, this.outside)].filter(Boolean).join(", ") : "";
    strip.querySelector("[data-show-marked]").hidden = !count;
    strip.querySelector("[data-mark-none]").hidden = !count;
    const all = strip.querySelector("[data-mark-all]");
    all.hidden = !boxes.length || !more;
    all.textContent = this.total === null ? (ask ? data.textAskCapped : data.textAllCapped) : filled(ask ? data.textAsk : data.textAll, this.total);
    for (const button of strip.querySelectorAll('button[name="action"]')) button.setAttribute("aria-disabled", String(!count));
    fitStrip(strip);
    const page = this.table?.querySelector("[data-mark-page]");
    if (!page) return;
    page.checked = whole;
    page.indeterminate = ticked > 0 && !whole;
    page.classList.toggle("everything", this.everything);
    const state = !count ? "none" : this.everything ? "all" : whole ? "page" : "";
    for (const entry of this.table.querySelectorAll("[data-mark]")) entry.setAttribute("aria-pressed", entry.dataset.mark === state);
  }

  changed() {
    this.show();
    this.flush();
  }

  markAll(marked) {
    for (const box of this.boxes) this.draw(box, marked);
    this.waiting.clear();
    this.whole = marked ? { all: true } : { clear: true };
    this.everything = marked;
    this.range = null;
    if (!marked) {
      this.count = 0;
      this.outside = 0;
      this.capped = false;
    } else if (this.total !== null) {
      this.count = this.total + this.outside;
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
      if (!answer) {
        this.takeBack(request);
        return false;
      }
      this.carry(answer.token);
      if (!this.isWaiting) this.agree(answer);
    }
    return true;
  }

  // What the server counts is right.
  agree(answer) {
    this.count = answer.count;
    this.capped = answer.capped;
    this.everything = answer.all;
    this.outside = answer.outside;
    this.show();
  }

  // A refused request marked nothing: its rows look as they did before.
  takeBack(request) {
    const back = (keys, marked) => {
      for (const box of this.boxes) {
        if (!keys?.includes(box.value) || this.waiting.has(box.value)) continue;
        if (this.draw(box, marked)) this.count += marked ? 1 : -1;
      }
    };
    back(request.add, false);
    back(request.remove, true);
    this.show();
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

  letter(request) {
    return { token: this.tokenField.value, query: location.search, ...request };
  }

  async deliver(request) {
    for (let round = 1; ; round++) {
      try {
        return await postJSON(this.url, this.letter(request), { keepalive: true });
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
    while (this.isWaiting) postJSON(this.url, this.letter(this.take()), { keepalive: true }).catch(() => {});
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
      // Taken off while all that match are marked, nothing stays marked: nobody wants "all but this page".
      if (!page.checked && marking.everything) marking.markAll(false);
      else marking.markPage(page.checked);
    }
  });
  // A click with Shift selects text in between otherwise.
  table?.addEventListener("mousedown", (event) => event.shiftKey && event.target.closest("td.box") && event.preventDefault());

  table?.addEventListener("mark", (event) => {
    const box = event.detail.row.querySelector("td.box input");
    if (!box) return;
    marking.set(box, !box.checked);
    marking.last = box;
    marking.changed();
  });
  table?.addEventListener("stretch", (event) => {
    const [from, to] = [event.detail.from, event.detail.to].map((row) => row.querySelector("td.box input"));
    if (!from || !to) return;
    marking.stretch(from, to);
    marking.last = to;
    marking.changed();
  });
  // Once for the page, once more for all that match.
  table?.addEventListener("markpage", () => {
    const whole = marking.boxes.every((box) => box.checked);
    if (whole && marking.canMarkAll) marking.markAll(true);
    else marking.markPage(true);
  });
  table?.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-mark]");
    if (!choice) return;
    const menu = choice.closest("details");
    menu.open = false;
    menu.querySelector("summary").focus();
    if (choice.dataset.mark === "page") marking.markPage(true);
    else if (choice.dataset.mark === "none" || marking.canMarkAll) marking.markAll(choice.dataset.mark === "all");
  });

  strip.querySelector("[data-mark-all]")?.addEventListener("click", () => marking.markAll(true));
  strip.querySelector("[data-mark-none]")?.addEventListener("click", () => {
    marking.markAll(false);
    // The button is gone now; the keyboard stays where it was.
    strip.querySelector("[data-mark-all]").focus();
  });
  startNumbers(marking);

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

  startStripKeys(strip);
  addEventListener("resize", () => fitStrip(strip));
  marking.show();
}
