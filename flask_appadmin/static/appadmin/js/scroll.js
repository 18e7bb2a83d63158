// Coming back to a list, it stands where it stood: the place of each address is kept for this window.

const remembered = (list) => `appadmin:scroll:${list}`;

// What is marked, and which panel is open, is no other place.
function place() {
  const url = new URL(location.href);
  for (const name of ["selection", "arrange", "add_filter"]) url.searchParams.delete(name);
  return url.pathname + url.search;
}

export function startScroll(sheet, table) {
  const name = remembered(table.dataset.list);
  const [address, top, left] = JSON.parse(sessionStorage.getItem(name) ?? "[]");
  if (address === place()) sheet.scrollTo({ top, left, behavior: "instant" });
  addEventListener("pagehide", () => sessionStorage.setItem(name, JSON.stringify([place(), sheet.scrollTop, sheet.scrollLeft])));
}
