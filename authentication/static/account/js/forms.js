/** Forms whose errors are shown at their fields. */

import { Cancelled, Problem } from "./api.js";
import { h, message } from "./dom.js";
import { t } from "./language.js";
import { duration } from "./words.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type] text, email, password, checkbox or select
 * @property {any} [value]
 * @property {string|Node|null} [hint]
 * @property {string} [autocomplete]
 * @property {boolean} [optional]
 * @property {boolean} [focus]
 * @property {Record<string, any>} [traits]
 * @property {[string, string][]} [options] Values and texts of a select.
 */

let forms = 0;

/**
 * Return a form.
 *
 * @param {object} about
 * @param {Field[]} about.fields
 * @param {string} about.submit The text of its button.
 * @param {(values: Record<string, any>) => unknown} about.send Throws a Problem to be shown.
 * @param {string} [about.kind] The class of the button.
 * @param {any[]} [about.more] What follows the button.
 */
export function form({ fields, submit, send, kind = "", more = [] }) {
  const prefix = `f${++forms}-`;
  const top = h("div", { class: "top" });
  const rows = fields.map((it) => row(it, prefix));
  const go = h("button", { type: "submit", class: kind }, submit);
  const made = /** @type {HTMLFormElement} */ (
    h("form", { novalidate: true, method: "post" }, top, rows, go, more)
  );
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (made.getAttribute("aria-busy")) return;
    clear(made, top);
    const missing = fields.filter((it) => isMissing(made, it));
    if (missing.length) {
      mark(made, top, Object.fromEntries(missing.map((it) => [it.name, [needed(it)]])), "");
      return;
    }
    made.setAttribute("aria-busy", "true");
    go.setAttribute("aria-disabled", "true");
    try {
      await send(valuesOf(made, fields));
    } catch (error) {
      explain(error, made, top);
    } finally {
      made.removeAttribute("aria-busy");
      go.removeAttribute("aria-disabled");
    }
  });
  return made;
}

/** @param {Field} field @param {string} prefix */
function row(field, prefix) {
  const id = prefix + field.name;
  const hint = field.hint && h("p", { class: "hint", id: `${id}-hint` }, field.hint);
  const error = h("p", { class: "error", id: `${id}-error`, hidden: true });
  const input = control(field, id);
  input.setAttribute("aria-describedby", `${field.hint ? `${id}-hint ` : ""}${id}-error`);
  const label = h("label", { for: id }, field.label, field.optional && ` ${t("(optional)")}`);
  if (field.type === "checkbox") {
    return h("div", { class: "row check" }, input, label, hint, error);
  }
  const shown = field.type === "password" ? revealed(input) : input;
  return h("div", { class: "row" }, label, hint, shown, error);
}

/** @param {Field} field @param {string} id */
function control(field, id) {
  const traits = {
    id,
    name: field.name,
    autocomplete: field.autocomplete,
    autofocus: field.focus,
    required: isNeeded(field),
    ...field.traits,
  };
  if (field.type === "select") {
    const options = (field.options || []).map(([value, text]) =>
      h("option", { value, selected: value === field.value }, text),
    );
    return h("select", traits, options);
  }
  if (field.type === "checkbox") {
    return h("input", { ...traits, type: "checkbox", checked: field.value });
  }
  return h("input", { ...traits, type: field.type || "text", value: field.value });
}

/** Return a password's field with a button that shows it. @param {HTMLElement} input */
function revealed(input) {
  const show = h("button", { type: "button", class: "reveal", "aria-pressed": "false" }, t("Show"));
  show.setAttribute("aria-controls", input.id);
  show.setAttribute("aria-label", t("Show password"));
  show.addEventListener("click", () => {
    const isShown = input.getAttribute("type") === "password";
    input.setAttribute("type", isShown ? "text" : "password");
    show.setAttribute("aria-pressed", String(isShown));
    show.textContent = isShown ? t("Hide") : t("Show");
  });
  return h("div", { class: "revealed" }, input, show);
}

/** @param {HTMLFormElement} made @param {string} name @returns {any} */
function at(made, name) {
  return made.elements.namedItem(name);
}

/** @param {HTMLFormElement} made @param {Field} field */
function isMissing(made, field) {
  return isNeeded(field) && !at(made, field.name).value.trim();
}

/** @param {Field} field */
function isNeeded(field) {
  const hasEmptyOption = field.options?.some(([value]) => value === "");
  return !field.optional && field.type !== "checkbox" && !hasEmptyOption;
}

/** @param {Field} field */
function needed(field) {
  return field.type === "select" ? t("Please choose one.") : t("Please fill this in.");
}

/** @param {HTMLFormElement} made @param {Field[]} fields */
function valuesOf(made, fields) {
  return Object.fromEntries(
    fields.map(({ name, type }) => [
      name,
      type === "checkbox" ? at(made, name).checked : at(made, name).value,
    ]),
  );
}

/** @param {HTMLFormElement} made @param {HTMLElement} top */
function clear(made, top) {
  top.replaceChildren();
  for (const it of made.querySelectorAll("[aria-invalid]")) it.removeAttribute("aria-invalid");
  for (const it of made.querySelectorAll(".error")) {
    it.toggleAttribute("hidden", true);
    it.replaceChildren();
  }
}

/**
 * Show the messages at their fields; those of other fields, and the sentence, at the top.
 *
 * @param {HTMLFormElement} made
 * @param {HTMLElement} top
 * @param {Record<string, string[]>} errors
 * @param {string} sentence
 */
function mark(made, top, errors, sentence) {
  const rest = [];
  for (const [name, messages] of Object.entries(errors)) {
    const input = at(made, name);
    if (!input) {
      rest.push(...messages);
      continue;
    }
    input.setAttribute("aria-invalid", "true");
    const error = /** @type {HTMLElement} */ (document.getElementById(`${input.id}-error`));
    error.textContent = messages.join(" ");
    error.hidden = false;
  }
  const said = rest.length ? rest : sentence ? [sentence] : [];
  if (said.length)
    top.append(
      message(
        "bad",
        said.map((it) => h("p", {}, it)),
      ),
    );
  const first = /** @type {HTMLElement|null} */ (made.querySelector("[aria-invalid]"));
  if (first) first.focus();
}

/** @param {unknown} error @param {HTMLFormElement} made @param {HTMLElement} top */
function explain(error, made, top) {
  if (error instanceof Cancelled) return;
  if (!(error instanceof Problem)) throw error;
  const fields = error.fields;
  mark(made, top, fields, Object.keys(fields).length ? "" : error.message);
  if (error.retryAfter) top.firstElementChild?.append(countdown(error.retryAfter));
}

/** Return a line that counts down to when one may try again. @param {number} seconds */
export function countdown(seconds) {
  const until = Date.now() + seconds * 1000;
  // A timer is not announced at every change.
  const line = h("p", { role: "timer" });
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    line.textContent =
      left > 0
        ? t("You can try again in {time}.", { time: duration(left) })
        : t("You can try again now.");
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
  return line;
}
