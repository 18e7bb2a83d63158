/* Another number that stays is another plan: the page is asked for anew. */

const form = document.getElementById("merge");
const look = form?.querySelector("[data-look]");

if (look) {
  look.hidden = true;
  form.addEventListener("change", (event) => {
    if (event.target.name === "survivor") form.requestSubmit(look);
  });
}
