// Draws the chosen label sheet, to scale in mm. A click (or Enter) on a label makes it the first free one.

const form = document.getElementById("labels");
const place = form?.querySelector("[data-sheet-place]");
const SVG = "http://www.w3.org/2000/svg";

const shape = (name, attributes, text) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};

if (place) {
  const format = form.elements.format;
  const start = form.elements.start;
  const copies = form.elements.copies;
  const total = form.querySelector("[data-total]");
  const sample = place.dataset.sample.split("\n").filter(Boolean);
  const numbers = new Intl.NumberFormat(document.documentElement.lang);
  const whole = (field) => Math.max(1, Math.round(Number(field.value)) || 1);

  function draw() {
    const [page, size, margin, pitch, columns, rows] = JSON.parse(format.selectedOptions[0].dataset.sheet);
    const places = columns * rows;
    const first = Math.min(whole(start), places);
    // Of very many nobody has counted the labels; they fill the sheet in any case.
    const labels = form.dataset.count ? Number(form.dataset.count) * whole(copies) : Infinity;
    const sheets = Math.ceil((first - 1 + labels) / places) || 0;
    const words = sheets === 1 ? (labels === 1 ? form.dataset.one : form.dataset.manyOne) : form.dataset.many;
    if (form.dataset.count) total.textContent = words.replace("{n}", numbers.format(labels)).replace("{s}", numbers.format(sheets));

    const sheet = shape("svg", { class: "label-sheet", viewBox: `0 0 ${page[0]} ${page[1]}`, role: "group", "aria-label": format.selectedOptions[0].text });
    sheet.append(shape("rect", { class: "paper", width: page[0], height: page[1] }));
    const text = Math.min(3.6, size[1] / 8, size[0] / 16);
    for (let number = 1; number <= places; number++) {
      const x = margin[0] + ((number - 1) % columns) * pitch[0];
      const y = margin[1] + Math.floor((number - 1) / columns) * pitch[1];
      const filled = number >= first && number < first + labels;
      const label = shape("g", { tabindex: number === first ? 0 : -1, role: "button", "data-number": number, "aria-label": form.dataset.position.replace("{n}", number), "aria-pressed": number === first });
      label.append(shape("rect", { class: number < first ? "used" : filled ? "filled" : "free", x, y, width: size[0], height: size[1], rx: Math.min(1.5, size[1] / 6) }));
      if (number === first && sample.length) {
        sample.forEach((line, index) => {
          if ((index + 1) * text * 1.35 < size[1] - 1) label.append(shape("text", { x: x + text, y: y + text * 1.6 + index * text * 1.3, "font-size": text }, line.length * text * 0.56 > size[0] - 2 * text ? `${line.slice(0, Math.floor((size[0] - 2 * text) / (text * 0.56)) - 1)}…` : line));
        });
      } else {
        label.append(shape("text", { class: "position", x: x + size[0] / 2, y: y + size[1] / 2 + text / 3, "font-size": Math.min(5, size[1] / 3) }, number));
      }
      sheet.append(label);
    }
    const focused = place.contains(document.activeElement);
    place.replaceChildren(sheet);
    if (focused) sheet.querySelector('[tabindex="0"]').focus();
  }

  const choose = (label, focus) => {
    start.value = label.dataset.number;
    if (focus) label.focus();
    draw();
  };
  place.addEventListener("click", (event) => event.target.closest("g") && choose(event.target.closest("g"), true));
  place.addEventListener("keydown", (event) => {
    const label = event.target.closest("g");
    if (!label) return;
    const columns = JSON.parse(format.selectedOptions[0].dataset.sheet)[4];
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const target = place.querySelector(`[data-number="${Number(label.dataset.number) + step}"]`);
    if (target) choose(target, true);
  });
  form.addEventListener("input", draw);
  draw();
}
