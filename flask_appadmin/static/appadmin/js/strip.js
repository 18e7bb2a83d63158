// The strip of the marked rows keeps one line: buttons that do not fit move into a menu of their own, its last.

function moreMenu(actions) {
  const there = actions.querySelector(":scope > details[data-overflow]");
  if (there) return there;
  const menu = document.createElement("details");
  menu.className = "drop";
  menu.dataset.overflow = "";
  const summary = document.createElement("summary");
  summary.className = "btn";
  summary.textContent = actions.dataset.more;
  const box = document.createElement("div");
  box.className = "drop-box";
  menu.append(summary, box);
  actions.append(menu);
  return menu;
}

export function fitStrip(strip) {
  const actions = strip.querySelector(".strip-actions");
  for (;;) {
    const buttons = actions.querySelectorAll(":scope > button");
    if (strip.scrollWidth <= strip.clientWidth + 1 || !buttons.length) return;
    const button = buttons[buttons.length - 1];
    button.className = "entry";
    moreMenu(actions).querySelector(".drop-box").prepend(button);
  }
}
