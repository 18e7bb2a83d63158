// Tabs of a form. A panel is fetched once, as a fragment, and stays in the same <form>: all tabs are saved together. Whoever turns to
// the tabs gets the rest of them in one request, kept beside the form until they are opened: what nobody opens is not sent. The tab
// last open on this kind of record is remembered for the records that follow. Without this module the links load the whole page.

import { startLookups } from "./lookups.js";
import { closeMenus } from "./menus.js";
import { say } from "./messages.js";
import { getFragment } from "./requests.js";

// The history grows while the page is open, and is long.
const NEVER_AHEAD = "history";
// A pointer that only crosses the line asks for nothing, and what lies ready too long is fetched anew.
const DWELL = 120;
const FRESH = 60_000;

export function startTabs(form, unsaved) {
  const bar = document.querySelector("[data-tab-url]");
  if (!bar) return;
  const tabs = [...bar.querySelectorAll("[data-tab]")];
  const kind = `appadmin:tab:${new URL(form.action, location.href).pathname}`;
  const panelOf = (key) => form.querySelector(`:scope > [data-panel="${CSS.escape(key)}"]`);
  const loading = new Map();
  const ahead = { panels: new Map(), since: -FRESH };

  const panelsOf = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    // A fragment is parsed without scripting: what stands ready for browsers without it would be posted as well.
    for (const spare of holder.content.querySelectorAll("noscript")) spare.remove();
    return [...holder.content.querySelectorAll("[data-panel]")];
  };

  async function lookAhead() {
    if (performance.now() - ahead.since < FRESH) return;
    const rest = tabs.map((tab) => tab.dataset.tab).filter((key) => key !== NEVER_AHEAD && !panelOf(key) && !loading.has(key));
    if (rest.length < 2) return;
    ahead.since = performance.now();
    ahead.panels.clear();
    const url = new URL(tabs[0].href);
    url.searchParams.delete("tab");
    for (const key of rest) url.searchParams.append("tab", key);
    try {
      for (const panel of panelsOf(await getFragment(url.href, "panel"))) ahead.panels.set(panel.dataset.panel, panel);
      bar.dataset.ahead = ahead.panels.size;
    } catch {
      // Each is fetched by itself when it is opened, and says then what is wrong.
    }
  }

  const laidReady = (key) => {
    const found = ahead.panels.get(key);
    ahead.panels.delete(key);
    return performance.now() - ahead.since < FRESH ? found : undefined;
  };

  async function fetched(tab) {
    const panel = laidReady(tab.dataset.tab) ?? panelsOf(await getFragment(tab.href, "panel"))[0];
    if (!panel) throw new Error("no panel");
    panel.hidden = true;
    form.append(panel);
    unsaved.keep(panel);
    startLookups(panel);
    form.dispatchEvent(new CustomEvent("panel", { detail: panel }));
    return panel;
  }

  async function panel(tab) {
    const key = tab.dataset.tab;
    const there = panelOf(key);
    if (there) return there;
    if (!loading.has(key)) loading.set(key, fetched(tab).finally(() => loading.delete(key)));
    return loading.get(key);
  }

  let wanted = null;
  async function open(tab, focus = true) {
    if (!tab) return null;
    wanted = tab;
    tab.classList.add("loading");
    try {
      const shown = await panel(tab);
      if (wanted !== tab) return null;
      for (const each of form.querySelectorAll(":scope > [data-panel]")) each.hidden = each !== shown;
      for (const each of tabs) {
        each.setAttribute("aria-selected", String(each === tab));
        each.tabIndex = each === tab ? 0 : -1;
      }
      for (const link of document.querySelectorAll("[data-tab-link]")) {
        if (link.dataset.tabLink === tab.dataset.tab) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      form.querySelector("[data-open-tab]").value = tab.dataset.tab;
      history.replaceState(history.state, "", tab.href);
      // The next record opens on the same tab.
      for (const step of document.querySelectorAll("a[data-step]")) {
        const url = new URL(step.href);
        url.searchParams.set("tab", tab.dataset.tab);
        step.href = url.href;
      }
      localStorage.setItem(kind, tab.dataset.tab);
      form.scrollTop = 0;
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
      if (focus) tab.focus({ preventScroll: true });
      return shown;
    } catch {
      say(bar.dataset.failed, "bad");
      return null;
    } finally {
      tab.classList.remove("loading");
    }
  }

  bar.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(tab);
  });
  // The menu of all of them, for those that do not stand in the line.
  document.querySelector(".all-tabs")?.addEventListener("click", (event) => {
    const link = event.target.closest("[data-tab-link]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    closeMenus();
    open(tabs.find((tab) => tab.dataset.tab === link.dataset.tabLink));
  });
  // Looking ahead: the panel is there when the button comes up.
  bar.addEventListener("pointerdown", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (tab && !event.button) panel(tab).catch(() => {});
  });
  const row = bar.parentElement;
  let dwelling;
  row.addEventListener("pointerenter", () => (dwelling = setTimeout(lookAhead, DWELL)));
  row.addEventListener("pointerleave", () => clearTimeout(dwelling));
  row.addEventListener("focusin", lookAhead);
  bar.addEventListener("keydown", (event) => {
    const from = tabs.indexOf(event.target.closest("[data-tab]"));
    const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (from < 0 || to === undefined) return;
    event.preventDefault();
    open(tabs[(to + tabs.length) % tabs.length]);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    open(tabs[Number(event.key) - 1]);
  });

  // A fault in another tab: its link opens the tab, then goes to the field.
  for (const summary of document.querySelectorAll(".summary")) summary.addEventListener("click", async (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    const key = field.closest("[data-panel]")?.dataset.panel;
    if (key) await open(tabs.find((tab) => tab.dataset.tab === key), false);
    field.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
    field.focus();
    field.scrollIntoView({ block: "center" });
  });

  for (const tab of tabs) tab.tabIndex = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
  form.addEventListener("opentab", async (event) => {
    await open(tabs.find((tab) => tab.dataset.tab === event.detail.tab), false);
    event.detail.opened();
  });
  if (!new URL(location.href).searchParams.has("tab") && !document.querySelector(".summary")) {
    const last = tabs.find((tab) => tab.dataset.tab === localStorage.getItem(kind));
    if (last && last.getAttribute("aria-selected") !== "true") open(last, false);
  }
  tabs.find((tab) => tab.getAttribute("aria-selected") === "true")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
