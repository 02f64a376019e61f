/** Shows the pages of the front end in one document, so that its access token lives on. */

import { Problem, answeredLanguage } from "./api.js";
import { back, button, h, message } from "./dom.js";
import { countdown } from "./forms.js";
import { LANGUAGE, t } from "./language.js";
import { go, signInPath, useRoutes } from "./navigation.js";
import { PAGES, isPrivate } from "./paths.js";
import { SignedOut, ensure, isSignedIn, onSession, signOut } from "./session.js";

const place = /** @type {HTMLElement} */ (document.getElementById("page"));
const menu = /** @type {HTMLElement} */ (document.getElementById("menu"));
/** Counts the pages that were asked for: the answer for an earlier one is dropped. */
let turn = 0;

/** @param {string} path @param {object} state */
function open(path, state) {
  const url = new URL(path, location.origin);
  if (!PAGES[url.pathname]) {
    location.assign(url);
    return Promise.resolve();
  }
  if (url.pathname === location.pathname) history.replaceState(state, "", url);
  else history.pushState(state, "", url);
  return show();
}

/** Show the page of the address bar. @param {boolean} [isFirst] */
async function show(isFirst = false) {
  const mine = ++turn;
  const page = PAGES[location.pathname];
  place.setAttribute("aria-busy", "true");
  let content;
  try {
    const [module] = await Promise.all([page.module(), page.isPublic ? null : ensure()]);
    content = await module.content(history.state || {});
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof SignedOut) {
      leave();
      return;
    }
    content = failure(error);
  }
  if (mine !== turn || (!page.isPublic && isInOtherLanguage())) return;
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
  const heading = h("h1", { tabindex: "-1" }, page.title);
  place.replaceChildren(heading, ...[content].flat(Infinity).filter(Boolean));
  if (!page.isPublic && location.pathname !== "/account/") place.prepend(back());
  place.removeAttribute("aria-busy");
  document.title = page.title;
  showMenu();
  if (!isFirst) {
    scrollTo(0, 0);
    const marked = /** @type {HTMLElement|null} */ (place.querySelector("[autofocus]"));
    (marked || heading).focus();
  }
}

/**
 * Load the page anew if its person has chosen another language, as at a sign-in on a new device.
 *
 * The answer that says so has told the browser which one. A browser that did not keep it is asked
 * once.
 */
function isInOtherLanguage() {
  const chosen = answeredLanguage();
  if (!chosen || chosen === LANGUAGE || history.state?.language === chosen) return false;
  history.replaceState({ ...history.state, language: chosen }, "");
  location.reload();
  return true;
}

/** Return what is shown instead of a page that could not be loaded. @param {unknown} error */
function failure(error) {
  const isKnown = error instanceof Problem;
  if (!isKnown) console.error(error);
  const text = isKnown ? error.message : t("Something went wrong. Please try again.");
  const wait = isKnown && error.retryAfter ? countdown(error.retryAfter) : null;
  return [message("bad", h("p", {}, text), wait), button(t("Try again"), () => show())];
}

function showMenu() {
  const isPublic = PAGES[location.pathname].isPublic;
  const out = button(t("Sign out"), async () => {
    await signOut();
    go("/account/sign-in/", { said: t("You are signed out.") });
  });
  out.className = "quiet";
  menu.replaceChildren(...(isSignedIn() && !isPublic ? [out] : []));
}

/** Go to the sign-in page, which leads back here. */
function leave() {
  if (PAGES[location.pathname].isPublic) return;
  const said = document.title && menu.childElementCount ? t("You have been signed out.") : "";
  history.replaceState({ said }, "", signInPath(location.pathname));
  show();
}

/** Return whether a click on a link is for the router. @param {MouseEvent} event */
function isOwnClick(event) {
  const isWithKey = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return !(event.defaultPrevented || event.button || isWithKey);
}

export function start() {
  useRoutes({ open, isPrivate });
  onSession({ ended: leave, replaced: () => location.reload() });
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const anchor = /** @type {HTMLAnchorElement|null} */ (target.closest("a[href]"));
    if (!anchor || !isOwnClick(event)) return;
    if (anchor.origin !== location.origin || !PAGES[anchor.pathname] || anchor.hash) return;
    event.preventDefault();
    go(anchor.pathname + anchor.search);
  });
  addEventListener("popstate", () => show());
  // The work of a form or button found that the session has ended.
  addEventListener("unhandledrejection", (event) => {
    if (!(event.reason instanceof SignedOut)) return;
    event.preventDefault();
    leave();
  });
  show(true);
}
