// The strip of the marked rows keeps one line: buttons that do not fit move into its last menu.

function lastMenu(actions) {
  const menus = actions.querySelectorAll(":scope > details.drop");
  if (menus.length) return menus[menus.length - 1];
  const menu = document.createElement("details");
  menu.className = "drop";
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
    lastMenu(actions).querySelector(".drop-box").prepend(button);
  }
}
