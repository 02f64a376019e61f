/**
 * Sends each form of a page once: the answer to a double click would replace what is shown once.
 */

const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  if (sent.has(event.target)) {
    event.preventDefault();
  }
  sent.add(event.target);
});
