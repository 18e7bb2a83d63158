// Light, dark or as the system says. The choice is a cookie, so that the server draws the page right at once.

export function startTheme() {
  const choice = document.querySelector("[data-theme-choice]");
  if (!choice) return;
  const show = () => {
    const theme = document.documentElement.dataset.theme ?? "";
    for (const button of choice.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
  };
  choice.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const age = button.value ? 31536000 : 0;
    document.cookie = `appadmin_theme=${button.value}; path=/; max-age=${age}; SameSite=Lax`;
    if (button.value) document.documentElement.dataset.theme = button.value;
    else delete document.documentElement.dataset.theme;
    show();
  });
  show();
}
