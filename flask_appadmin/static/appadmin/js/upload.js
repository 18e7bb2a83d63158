// The import page beside its file (files.js): cells that are pasted land in the text, and nobody sends a file twice.

const form = document.querySelector("[data-upload]");

if (form) {
  addEventListener("paste", (event) => {
    if (event.target.matches("input, textarea") || event.clipboardData.files.length) return;
    const text = event.clipboardData.getData("text/plain");
    if (!text.includes("\t") && !text.includes("\n")) return;
    const pasted = form.elements.pasted;
    pasted.closest("details").open = true;
    pasted.value = text;
    pasted.focus();
  });
  form.addEventListener("submit", () => setTimeout(() => (form.querySelector(".main-button").disabled = true)));
  addEventListener("pageshow", () => (form.querySelector(".main-button").disabled = false));
}
