// The pane beside the list shows the row under the cursor in short. Its width is fixed and the last record stays until the next
// one has come, so nothing jumps; who runs through the rows asks only for the one on which he stops.
// Whether it is open is remembered per operator in a cookie, so that the server draws the page right at once.

import { inWindow, isTyping } from "./keys.js";
import { getFragment, RequestFault } from "./requests.js";

const WAIT_MS = 150;

export function startPreview(pane, table) {
  if (!pane) return;
  const body = pane.querySelector("[data-preview-body]");
  const toggles = [...document.querySelectorAll("[data-preview-toggle]")];
  let shown = "";
  let timer = 0;
  let request = null;

  async function load(key) {
    request?.abort();
    request = new AbortController();
    pane.setAttribute("aria-busy", "true");
    try {
      const url = new URL(pane.dataset.url, location.href);
      url.searchParams.set("id", key);
      body.innerHTML = await getFragment(url, "preview", { signal: request.signal });
      shown = key;
      pane.scrollTop = 0;
    } catch (fault) {
      if (fault.name === "AbortError") return;
      shown = "";
      const said = document.createElement("p");
      said.className = "sub";
      said.textContent = (fault instanceof RequestFault && fault.message) || pane.dataset.failed;
      body.replaceChildren(said);
    }
    pane.removeAttribute("aria-busy");
  }

  const want = (row) => {
    clearTimeout(timer);
    const key = row?.dataset.keyOf;
    if (pane.hidden || !key) return;
    for (const other of table.querySelectorAll("tr.shown")) other.classList.remove("shown");
    row.classList.add("shown");
    if (key === shown) return void request?.abort();
    timer = setTimeout(() => load(key), WAIT_MS);
  };
  const current = () => document.activeElement?.closest?.("#list tbody tr[data-key-of]");

  const toggle = () => {
    pane.hidden = !pane.hidden;
    document.cookie = `${pane.dataset.state}=${pane.hidden ? "" : 1}; path=/; max-age=${pane.hidden ? 0 : 31536000}; SameSite=Lax`;
    for (const button of toggles) button.setAttribute("aria-pressed", String(!pane.hidden));
    if (pane.hidden) for (const row of table?.querySelectorAll("tr.shown") ?? []) row.classList.remove("shown");
    else want(current() ?? table?.tBodies[0].rows[0]);
  };

  for (const button of toggles) button.addEventListener("click", toggle);
  // In the capturing phase: on a row's box the space bar would mark it.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== " " || !event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
      if (isTyping(event.target) || inWindow() || event.target.closest?.("button, summary, a:not(#list a)")) return;
      event.preventDefault();
      event.stopPropagation();
      toggle();
    },
    true,
  );
  table?.addEventListener("focusin", () => want(current()));
  table?.addEventListener("click", (event) => want(event.target.closest("tbody tr[data-key-of]")));
  if (!pane.hidden) want(current() ?? table?.tBodies[0].rows[0]);
}
