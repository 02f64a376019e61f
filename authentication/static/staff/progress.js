/** Shows how far a bulk action is, and its result when it is over. Without it, "Look again" does. */

const PAUSE = 1000;

const bar = document.querySelector("#progress");
const text = document.querySelector("#progress-text");

async function look() {
  try {
    const answer = await fetch(bar.dataset.url, { redirect: "error" });
    if (answer.ok) {
      const { handled, total, is_over } = await answer.json();
      if (is_over) {
        location.reload();
        return;
      }
      bar.value = handled;
      text.textContent = text.dataset.text
        .replace("{handled}", handled)
        .replace("{total}", total);
    }
  } catch {
    // No network, or signed out: the page itself can be loaded again.
  }
  setTimeout(look, PAUSE);
}

if (bar) {
  setTimeout(look, PAUSE);
}
