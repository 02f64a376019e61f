/** Builds the document by its nodes: no text of a person or of the API is ever read as markup. */

import { t } from "./language.js";

/**
 * Return an element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [traits] Attributes; `on` holds listeners by event. `true` is an
 *   attribute without a value; `false`, null and undefined are left out.
 * @param {...(Node|string|null|undefined|false|Array<any>)} children
 * @returns {HTMLElement}
 */
export function h(tag, traits = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((it) => it || it === ""));
  return element;
}

/**
 * Return a button that is disabled while its work runs.
 *
 * @param {string} text
 * @param {() => unknown} work
 * @param {Record<string, any>} [traits]
 */
export function button(text, work, traits = {}) {
  const made = h("button", { type: "button", ...traits }, text);
  made.addEventListener("click", async () => {
    if (made.getAttribute("aria-disabled") === "true") return;
    made.setAttribute("aria-disabled", "true");
    try {
      await work();
    } finally {
      made.removeAttribute("aria-disabled");
    }
  });
  return made;
}

/** Return a link to a page. @param {string} text @param {string} href */
export function link(text, href, traits = {}) {
  return h("a", { href, ...traits }, text);
}

/**
 * Return a box with a message that screen readers announce.
 *
 * @param {"good"|"bad"} kind
 * @param {...any} children
 */
export function message(kind, ...children) {
  const role = kind === "bad" ? "alert" : "status";
  return h("div", { class: kind === "bad" ? "errors" : "success", role }, ...children);
}

/** Return a quiet link back to the overview. */
export function back() {
  return h("p", { class: "back" }, link(`← ${t("Your account")}`, "/account/"));
}
