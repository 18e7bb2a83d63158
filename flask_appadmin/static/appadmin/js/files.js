// The file of a form: [data-drop-zone] holds the hidden file input, its label as a button, and [data-chosen], which says what was chosen.
// A file dropped anywhere on the page (or on the window that is open), or pasted, lands in the ordinary input.

const size = (bytes) => {
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  return bytes > 1e6 ? `${number.format(bytes / 1e6)} MB` : `${number.format(bytes / 1e3)} kB`;
};

export function startFiles() {
  const zoneInReach = () => (document.querySelector("dialog[open]") ?? document).querySelector("[data-drop-zone]");

  function show(input) {
    const file = input.files[0];
    input.closest("[data-drop-zone]").querySelector("[data-chosen]").textContent = file ? `${file.name} (${size(file.size)})` : "";
  }

  function take(zone, files) {
    const input = zone.querySelector('input[type="file"]');
    input.files = files;
    show(input);
    input.form.querySelector(".main-button").focus();
  }

  document.addEventListener("change", (event) => event.target.matches('[data-drop-zone] input[type="file"]') && show(event.target));
  // The whole page takes the file, so that a near miss does not open it in the browser.
  addEventListener("dragover", (event) => {
    const zone = zoneInReach();
    if (!zone) return;
    event.preventDefault();
    zone.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && zoneInReach()?.classList.remove("over"));
  addEventListener("drop", (event) => {
    const zone = zoneInReach();
    if (!zone) return;
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) take(zone, event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const zone = event.target.matches?.('input:not([type="file"]), textarea') ? null : zoneInReach();
    if (zone && event.clipboardData.files.length) take(zone, event.clipboardData.files);
  });
  for (const input of document.querySelectorAll('[data-drop-zone] input[type="file"]')) show(input);
}
