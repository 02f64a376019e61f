/**
 * The session of this browser.
 *
 * The refresh token is in an HttpOnly cookie, which no script reads. The access token is in the
 * memory of this module alone. It is renewed at 80 % of its life, and once when it is refused.
 */

import { Problem, request } from "./api.js";

const RENEW_AT = 0.8;
const LOCK = "account-token";
const NEWS_MS = 100;
const MARK = "account-session";
const tabs = new BroadcastChannel("account");

/** @typedef {{access: string, user: string, endsAt: number}} Held */
/** @type {Held|null} */
let held = null;
/** @type {number|undefined} */
let timer;
/** Whether the browser's session is another person's now: this document is about to be reloaded. */
let isReplaced = false;
/** What the router does when the session ends, and when another person signs in. */
const hooks = { ended: () => {}, replaced: () => {} };

/** There is no session: the person has to sign in. */
export class SignedOut extends Error {}

/** @param {Partial<typeof hooks>} given */
export function onSession(given) {
  Object.assign(hooks, given);
}

/** Return whether this tab has an access token. */
export function isSignedIn() {
  return held !== null;
}

/** Return whose access token this tab has. */
export function signedInUser() {
  return held?.user || "";
}

/**
 * Keep the tokens of a sign-in, of an exchange or of a new password, and tell the other tabs.
 *
 * @param {{access: string, expires_in: number}} pair
 */
export function adopt(pair) {
  remember(true);
  keep(pair.access, pair.expires_in);
  tabs.postMessage({ kind: "token", access: pair.access, seconds: pair.expires_in });
}

/**
 * Send a request as the signed-in person.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export async function authorized(method, path, body) {
  const token = await ensure();
  try {
    return await request(method, path, { body, token });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    return request(method, path, { body, token: await renew(token) });
  }
}

/** Return a live access token; throw SignedOut if there is no session. */
export async function ensure() {
  if (isReplaced) return never();
  if (!held && !mayHaveSession()) throw new SignedOut();
  return held && Date.now() < held.endsAt ? held.access : renew(held?.access);
}

/** What one person typed must not be sent as another: nothing goes on until the reload. */
function never() {
  return /** @type {Promise<string>} */ (new Promise(() => {}));
}

/** End the session in all tabs. */
export async function signOut() {
  try {
    await request("POST", "logout/", { token: await ensure() });
  } catch (error) {
    const isOver = error instanceof SignedOut || (error instanceof Problem && error.status === 401);
    if (!isOver) throw error;
  }
  end();
}

/** Forget a session that has ended, in all tabs. */
export function end() {
  remember(false);
  forget();
  tabs.postMessage({ kind: "ended" });
}

/**
 * Swap the refresh token. Tabs do so one after the other: the first one tells the others.
 *
 * @param {string} [stale] The token that is not to be used any more.
 * @returns {Promise<string>}
 */
async function renew(stale) {
  return inTurn(async () => {
    if (isReplaced) return "";
    if (held && held.access !== stale && Date.now() < held.endsAt) return held.access;
    const user = held?.user;
    try {
      adopt(await request("POST", "token/refresh/", { body: {} }));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      remember(false);
      forget();
      throw new SignedOut();
    }
    replace(user);
    return /** @type {Held} */ (/** @type {unknown} */ (held)).access;
  }).then((access) => (isReplaced ? never() : access));
}

/** Reload if the session was another person's before. @param {string} [user] */
function replace(user) {
  if (!user || user === held?.user) return;
  isReplaced = true;
  hooks.replaced();
}

/** @param {() => Promise<string>} work @returns {Promise<string>} */
async function inTurn(work) {
  // Browsers have no locks on a page without HTTPS. There the service forgives two tabs that
  // refresh at once.
  if (!navigator.locks) return work();
  const ifAvailable = true;
  const done = await navigator.locks.request(LOCK, { ifAvailable }, (lock) => lock && work());
  if (done !== null) return done;
  return navigator.locks.request(LOCK, async () => {
    // The news of the tab that went first may arrive after its lock.
    await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
    return work();
  });
}

/** @param {string} access @param {number} seconds */
function keep(access, seconds) {
  held = { access, user: userOf(access), endsAt: Date.now() + seconds * 1000 };
  clearTimeout(timer);
  timer = setTimeout(() => renew(access).catch(lost), seconds * 1000 * RENEW_AT);
}

/** @param {unknown} error */
function lost(error) {
  if (error instanceof SignedOut) hooks.ended();
}

/**
 * Note whether this browser has a session. A refresh without one counts against the address: the
 * first visits of people in one hall would spend the limit of all.
 *
 * @param {boolean} isSignedIn
 */
function remember(isSignedIn) {
  try {
    if (isSignedIn) localStorage.setItem(MARK, "1");
    else localStorage.removeItem(MARK);
  } catch {
    // A browser that stores nothing asks the service each time.
  }
}

function mayHaveSession() {
  try {
    return localStorage.getItem(MARK) !== null;
  } catch {
    return true;
  }
}

function forget() {
  held = null;
  clearTimeout(timer);
}

/** Return whose access token it is. @param {string} access */
function userOf(access) {
  const part = access.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  return String(JSON.parse(atob(part)).user_id);
}

tabs.addEventListener("message", ({ data }) => {
  if (data.kind === "token") {
    const user = held?.user;
    keep(data.access, data.seconds);
    replace(user);
  } else if (data.kind === "ended" && held) {
    forget();
    hooks.ended();
  }
});
