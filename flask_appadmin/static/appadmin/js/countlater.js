// A page that did not wait until all its records were counted asks for the number while it is read. Until it is there, and where
// it does not come, the form names no rows, and the server answers with the number instead of acting.

import { getFragment } from "./requests.js";

const url = document.querySelector("script[data-count-url]")?.dataset.countUrl;

async function count() {
  const found = JSON.parse(await getFragment(url, "count"));
  for (const input of document.querySelectorAll('input[name="_state"]')) input.value = found.state;
  for (const place of document.querySelectorAll("[data-counted]")) {
    place.textContent = place.dataset.counted.replace("{what}", found.what).replace("{text}", found.text);
  }
}

if (url) count().catch(() => {});
