// Talks to the server: every request carries the token of the page, every fault comes back as a sentence.

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export class RequestFault extends Error {}

async function answered(response) {
  // Only the sign-in page redirects these requests: the session is over.
  if (response.redirected) throw new RequestFault("", { cause: 401 });
  if (response.ok) return response;
  const answer = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
  // The whole answer goes along: some pages are told which field is at fault.
  throw Object.assign(new RequestFault(answer.error ?? "", { cause: response.status }), { answer });
}

export async function postJSON(url, values, options = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(values),
    ...options,
  });
  return (await answered(response)).json();
}

export async function getJSON(url, options = {}) {
  const response = await fetch(url, { headers: { Accept: "application/json" }, ...options });
  return (await answered(response)).json();
}

// A fragment is a part of a page; the header X-Fragment tells the server which part is wanted.
export async function getFragment(url, name, options = {}) {
  const response = await fetch(url, { headers: { "X-Fragment": name, Accept: "text/html" }, ...options });
  return (await answered(response)).text();
}

export async function postFragment(url, name, form, options = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-Fragment": name, Accept: "text/html", "X-CSRFToken": csrfToken() },
    body: new FormData(form),
    ...options,
  });
  return (await answered(response)).text();
}
