/** Where the pages lead to. The router says how, since it knows the pages. */

/**
 * @typedef {object} Routes
 * @property {(path: string, state: object) => Promise<void>} open
 * @property {(path: string) => boolean} isPrivate Whether it is a page that needs a session.
 */

/** @type {Routes} */
let routes;

/** What the server's page says that is the same for everyone. */
export const SETTINGS = settingsOf(/** @type {HTMLElement} */ (document.getElementById("page")));

/** @param {HTMLElement} page */
function settingsOf({ dataset }) {
  return {
    minLength: Number(dataset.minLength),
    graceDays: Number(dataset.graceDays),
    isConsentRequired: dataset.consent === "True",
    /** Codes and names of the languages. */
    languages: (dataset.languages || "").split(";").map(pairOf),
    /** The URLs of the texts that people agree to; empty if there is none. */
    documents: /** @type {Record<string, string>} */ ({
      terms: dataset.terms || "",
      privacy_policy: dataset.privacyPolicy || "",
    }),
  };
}

/** @param {string} text @returns {[string, string]} */
function pairOf(text) {
  const [code, ...name] = text.split(" ");
  return [code, name.join(" ")];
}

/** @param {Routes} given */
export function useRoutes(given) {
  routes = given;
}

/**
 * Go to a page.
 *
 * @param {string} path
 * @param {object} [state] For the page; kept by the browser for this visit.
 */
export function go(path, state = {}) {
  return routes.open(path, state);
}

/**
 * Return where to go after a sign-in: a page of ours that needs one, else the overview.
 *
 * A link to the sign-in page can name any path, so a foreign or strange one is not followed.
 *
 * @param {string|null} wanted
 */
export function returnPath(wanted) {
  return wanted !== null && routes.isPrivate(wanted) ? wanted : "/account/";
}

/** Return the address of the sign-in page that leads back to a path. @param {string} path */
export function signInPath(path) {
  const next = returnPath(path);
  return "/account/sign-in/" + (next === "/account/" ? "" : `?next=${encodeURIComponent(next)}`);
}
