// Runs before the page is drawn, unlike the modules, which come when all of it is there: what is clicked or pressed in between is
// kept and done then. Without this a quick hand opens a tab as a new page and loses what it typed, or gets the browser's own window.
(() => {
  const held = [];
  const typing = (target) => target.matches?.("textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])");
  const ofTheField = ["a", "c", "v", "x", "y", "z"];

  function keep(event) {
    if (!event.isTrusted) return;
    if (event.type === "click") {
      const place = event.target.closest?.("main a, main button, main summary");
      if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
      held.push(() => place.click());
    } else {
      const combined = event.ctrlKey || event.metaKey || event.altKey;
      const meant = combined ? event.key.length > 1 || !ofTheField.includes(event.key.toLowerCase()) : event.key === "F10" || (event.key.length === 1 && event.key !== " " && !typing(event.target));
      if (!meant || ["Control", "Alt", "AltGraph", "Meta", "Shift", "Tab"].includes(event.key) || (combined && typing(event.target) && event.key.startsWith("Arrow"))) return;
      const { key, code, ctrlKey, altKey, metaKey, shiftKey } = event;
      const again = new KeyboardEvent("keydown", { key, code, ctrlKey, altKey, metaKey, shiftKey, bubbles: true, cancelable: true });
      held.push(() => {
        const field = document.activeElement ?? document.body;
        // A key before it may have led into a field: then this one is text.
        if (field.dispatchEvent(again) && !combined && key.length === 1 && typing(field) && field.setRangeText) {
          field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
          field.dispatchEvent(new InputEvent("input", { bubbles: true, data: key, inputType: "insertText" }));
        }
      });
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  addEventListener("click", keep, true);
  addEventListener("keydown", keep, true);
  // The modules have run by then, or have failed; either way the page is as ready as it gets.
  addEventListener("DOMContentLoaded", () => {
    removeEventListener("click", keep, true);
    removeEventListener("keydown", keep, true);
    for (const act of held) act();
  });
})();
