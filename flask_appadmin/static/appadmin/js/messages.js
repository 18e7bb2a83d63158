// The one place where the page speaks, and the toast that offers to take back what was just done.

const TOAST_MS = 10000;

export function say(text, look = "") {
  const place = document.getElementById("messages");
  if (!place || !text) return;
  for (const old of place.children) if (old.querySelector(".text")?.textContent === text) old.remove();
  const box = document.createElement("div");
  box.className = `message ${look}`;
  if (look === "bad") box.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.className = "text";
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.dataset.closeMessage = "";
  close.setAttribute("aria-label", place.dataset.close);
  close.textContent = "✕";
  box.append(words, close);
  place.append(box);
  box.scrollIntoView({ block: "nearest" });
}

function startToast(toast) {
  const life = toast.querySelector(".life");
  toast.classList.add("runs");
  life.addEventListener("animationend", () => toast.remove());
  // With animations switched off there is no end of one to wait for. Under the mouse or the focus it stays, as the other does.
  if (getComputedStyle(life).animationName !== "none") return;
  let left = TOAST_MS;
  let since = 0;
  let timer = 0;
  const run = () => {
    if (timer || toast.matches(":hover, :focus-within")) return;
    since = Date.now();
    timer = setTimeout(() => toast.remove(), left);
  };
  const hold = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    left -= Date.now() - since;
  };
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", run);
  toast.addEventListener("focusout", () => setTimeout(run));
  run();
}

export function startMessages() {
  document.addEventListener("click", (event) => {
    event.target.closest("[data-close-message]")?.closest(".message")?.remove();
    event.target.closest("[data-close-toast]")?.closest(".toast")?.remove();
  });
  const toast = document.getElementById("toast");
  if (toast) startToast(toast);
  document.querySelector(".summary[tabindex]")?.focus();
}
