// The page of printed documents: a box reads the page anew, the button opens the browser's own print window.

const choices = document.querySelector("[data-paper-choices]");
choices?.addEventListener("change", () => choices.requestSubmit());
choices?.querySelector("[data-print]")?.addEventListener("click", () => print());
