// A pasted or scanned list of numbers marks the rows it names; what was not found can be copied.

import { inWindow, isTyping } from "./keys.js";
import { postJSON, RequestFault } from "./requests.js";

const format = new Intl.NumberFormat(document.documentElement.lang || "de");

export function startNumbers(marking) {
  const dialog = document.getElementById("numbers");
  if (!dialog) return;
  const text = dialog.querySelector('textarea[name="text"]');
  const result = dialog.querySelector("[data-result]");
  const missing = dialog.querySelector("[data-missing]");
  const list = dialog.querySelector("[data-missing-list]");
  const words = (name, number) => dialog.dataset[name].replace("{n}", format.format(number));

  const tell = (answer) => {
    result.textContent = words("textFound", answer.found);
    const gone = [...answer.missing, ...answer.ambiguous];
    missing.hidden = !gone.length;
    const headings = [answer.missing.length && words("textMissing", answer.missing.length), answer.ambiguous.length && words("textAmbiguous", answer.ambiguous.length)];
    missing.querySelector("[data-missing-text]").textContent = headings.filter(Boolean).join(" ");
    list.value = gone.join("\n");
    list.hidden = !gone.length;
  };

  const mark = async () => {
    if (!(await marking.flush())) return;
    try {
      const answer = await postJSON(dialog.dataset.url, marking.letter({ text: text.value }));
      const found = new Set(answer.keys);
      for (const box of marking.boxes) if (found.has(box.value)) marking.draw(box, true);
      marking.carry(answer.token);
      marking.agree(answer);
      tell(answer);
      if (answer.missing.length + answer.ambiguous.length === 0) dialog.querySelector("[data-close-dialog]").focus();
      else list.focus();
    } catch (fault) {
      missing.hidden = true;
      result.textContent = fault instanceof RequestFault && fault.message ? fault.message : marking.strip.dataset.failed;
    }
  };

  const open = (pasted = "") => {
    if (!dialog.open) dialog.showModal();
    text.value = pasted;
    result.textContent = "";
    missing.hidden = true;
    text.focus();
  };

  document.addEventListener("click", (event) => event.target.closest("[data-open-numbers]") && open());
  dialog.querySelector("[data-mark-numbers]").addEventListener("click", mark);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    mark();
  });
  dialog.querySelector("[data-copy-missing]").addEventListener("click", async () => {
    list.select();
    await navigator.clipboard?.writeText(list.value).catch(() => {});
    result.textContent = dialog.dataset.textCopied;
  });

  // Outside of fields, pasting means numbers.
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || isTyping(event.target) || inWindow()) return;
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (!pasted.trim()) return;
    event.preventDefault();
    open(pasted);
  });
}
