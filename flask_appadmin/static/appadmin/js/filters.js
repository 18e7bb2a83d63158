// Filter bar and filter window. Choices filter at once, text on Enter; the window opens in place (filterwindow.js).

import { closeMenus } from "./menus.js";
import { startFilterWindow } from "./filterwindow.js";
import { startLookups } from "./lookups.js";
import { getFragment } from "./requests.js";

export function startFilters() {
  const quick = document.querySelector("[data-quick]");
  quick?.addEventListener("change", (event) => {
    if (event.target.matches('select, input[type="hidden"]')) quick.requestSubmit();
  });
  // A box stands for a link, which knows the marked rows.
  document.addEventListener("change", (event) => event.target.matches("[data-follow]") && event.target.closest("label").querySelector("a").click());
  // An emptied search field (its own ✕) means: show all again.
  quick?.addEventListener("search", (event) => event.target.value || quick.requestSubmit());
  // Empty fields stay out of the address.
  quick?.addEventListener("submit", () => {
    for (const field of quick.elements) if (field.name && !field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of quick?.elements ?? []) field.disabled = false;
  });

  const panel = document.getElementById("filter-panel");
  if (!panel) return;
  let opener = null;
  const close = () => {
    panel.hidden = true;
    panel.replaceChildren();
    opener?.focus();
  };
  const start = () => startFilterWindow(panel.querySelector("form"), close);
  if (!panel.hidden) start();
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-filter-panel]");
    if (!link) {
      if (!panel.hidden && !panel.contains(event.target) && event.target.isConnected && !event.target.closest(".listbox")) close();
      return;
    }
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    closeMenus();
    opener = link;
    if (!panel.hidden) return close();
    try {
      panel.innerHTML = await getFragment(link.href, "filter_panel");
      panel.hidden = false;
      start();
    } catch {
      location.assign(link.href);
    }
  });
}
