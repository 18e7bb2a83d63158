// A question with two answers in a window: `await ask("Zeile löschen?", "Ja", "Nein")`. Esc and a click beside it mean no.

let dialog = null;

function built() {
  const made = document.createElement("dialog");
  made.className = "ask";
  made.setAttribute("role", "alertdialog");
  made.setAttribute("aria-labelledby", "ask-words");
  const words = document.createElement("p");
  words.id = "ask-words";
  const line = document.createElement("div");
  line.className = "bar";
  for (const answer of ["yes", "no"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.value = answer;
    if (answer === "yes") button.className = "main-button";
    button.addEventListener("click", () => made.close(answer));
    line.append(button);
  }
  made.append(words, line);
  document.body.append(made);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    made.querySelector("button:not(:focus)").focus();
  });
  return made;
}

export function ask(words, yes, no) {
  dialog ??= built();
  dialog.querySelector("p").textContent = words;
  const [first, second] = dialog.querySelectorAll("button");
  first.textContent = yes;
  second.textContent = no;
  dialog.returnValue = "";
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    first.focus();
  });
}
