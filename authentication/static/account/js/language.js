/**
 * The language of the page: that of its document.
 *
 * English is written in the code. A page in another language names the file of its words, which is
 * loaded before any other module runs.
 */

const NAME = /\{(\w+)\}/;

/** The language of this document. */
export const LANGUAGE = document.documentElement.lang || "en";

/** @type {Record<string, string|Record<string, string>>} */
const words = await load(document.getElementById("page")?.dataset.words);
const forms = new Intl.PluralRules(LANGUAGE);

/**
 * Return a text in the language of the page.
 *
 * @param {string} english With a name in braces for each value.
 * @param {Record<string, string|number>} [values]
 * @returns {string}
 */
export function t(english, values = {}) {
  return filled(String(words[english] || english), values);
}

/**
 * Return a text that differs with a number, which is its `{count}`.
 *
 * @param {string} one
 * @param {string} other
 * @param {number} count
 */
export function counted(one, other, count) {
  const found = words[one] || { one, other };
  const form = /** @type {Record<string, string>} */ (found)[forms.select(count)];
  return filled(form || other, { count });
}

/**
 * Return a text with nodes in it, as children of an element.
 *
 * @param {string} english With a name in braces for each node.
 * @param {Record<string, Node>} nodes
 * @returns {(string|Node)[]}
 */
export function parts(english, nodes) {
  return t(english)
    .split(NAME)
    .map((it, index) => (index % 2 ? nodes[it] : it));
}

/** @param {string} text @param {Record<string, string|number>} values */
function filled(text, values) {
  return text
    .split(NAME)
    .map((it, index) => (index % 2 ? String(values[it] ?? `{${it}}`) : it))
    .join("");
}

/** Return the words of a language; none if they cannot be loaded. @param {string} [url] */
async function load(url) {
  if (!url) return {};
  try {
    return await (await fetch(url)).json();
  } catch {
    return {};
  }
}
