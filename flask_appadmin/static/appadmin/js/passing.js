// What is said at an empty mandatory field goes by itself after a few seconds; the red bar and the summary stay. Its time runs from
// when it can be seen: on another tab it waits.

const SHOWN_MS = 5000;

export function startPassing(form) {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      setTimeout(() => target.remove(), SHOWN_MS);
    }
  });
  for (const words of form.querySelectorAll(".err[data-passing]")) seen.observe(words);
}
