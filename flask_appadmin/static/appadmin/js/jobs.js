// Long work: the table is fetched again while something runs, slower when nobody looks. When all is done the page is loaded once more
// where it belongs to the work itself (the result of an import).

import { getFragment } from "./requests.js";

const SOON_MS = 1500;
const LATER_MS = 10000;

function watch(box) {
  if (!box?.dataset.jobs || box.dataset.running === undefined) return;
  setTimeout(
    async () => {
      let next = box;
      try {
        const holder = document.createElement("template");
        holder.innerHTML = await getFragment(box.dataset.jobs, "jobs");
        next = holder.content.querySelector("[data-jobs]");
        box.replaceWith(next);
        if (next.dataset.running === undefined && document.querySelector("[data-reload-when-done]")) location.reload();
      } catch {
        next = box;
      }
      watch(next);
    },
    document.hidden ? LATER_MS : SOON_MS,
  );
}

document.querySelectorAll("[data-jobs]").forEach(watch);
