// The preview of an import reloads after each choice; the table stays where it was.

for (const box of document.querySelectorAll("[data-keep-scroll]")) {
  const key = `appadmin:scroll:${box.dataset.keepScroll}:${location.pathname}${location.search}`;
  const top = sessionStorage.getItem(key);
  if (top) box.scrollTop = Number(top);
  sessionStorage.removeItem(key);
  box.addEventListener("submit", () => sessionStorage.setItem(key, String(box.scrollTop)));
}
