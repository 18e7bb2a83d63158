// Drop zone of the import page: a dropped file lands in the ordinary file input, pasted cells in the text.

const form = document.querySelector("[data-upload]");
const zone = form?.querySelector("[data-drop-zone]");

if (zone) {
  const input = form.querySelector('input[type="file"]');
  const chosen = form.querySelector("[data-chosen]");
  const size = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  const show = () => {
    const file = input.files[0];
    chosen.textContent = file ? `${file.name} (${file.size > 1e6 ? `${size.format(file.size / 1e6)} MB` : `${size.format(file.size / 1e3)} kB`})` : "";
  };
  input.addEventListener("change", show);
  // The whole window takes the file, so that a near miss does not open it in the browser.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && zone.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
    form.querySelector(".main-button").focus();
  });
  addEventListener("paste", (event) => {
    if (event.target.matches("input, textarea")) return;
    const files = event.clipboardData.files;
    const text = event.clipboardData.getData("text/plain");
    if (files.length) {
      input.files = files;
      show();
    } else if (text.includes("\t") || text.includes("\n")) {
      const pasted = form.elements.pasted;
      pasted.closest("details").open = true;
      pasted.value = text;
      pasted.focus();
    }
  });
  form.addEventListener("submit", () => setTimeout(() => (form.querySelector(".main-button").disabled = true)));
  addEventListener("pageshow", () => (form.querySelector(".main-button").disabled = false));
}
