/** Requests to the API, and its errors. */

import { LANGUAGE, t } from "./language.js";

const AUTH = "/api/v1/auth/";
const UNREACHABLE = t("We can't reach the service. Please check your connection, then try again.");
/** The language of the last answer to a signed-in person: that of the profile, if one is chosen. */
let answered = "";

export function answeredLanguage() {
  return answered;
}

/** An error of the API (RFC 9457), or the lack of an answer. */
export class Problem extends Error {
  /**
   * @param {{status: number, body?: any, retryAfter?: number}} about
   */
  constructor({ status, body = {}, retryAfter = 0 }) {
    super(body.detail || UNREACHABLE);
    this.status = status;
    /** @type {string} */
    this.code = body.code || (status ? "unknown" : "unreachable");
    /** Seconds to wait; 0 if the answer names none. */
    this.retryAfter = retryAfter;
    /** Members of the answer, such as `mfa_token`. @type {any} */
    this.body = body;
  }

  /** The messages by field. @returns {Record<string, string[]>} */
  get fields() {
    return this.body.errors || {};
  }
}

/** The person closed a dialog: there is nothing to say. */
export class Cancelled extends Error {}

/**
 * Send a request and return the JSON of its answer.
 *
 * The origin of this page proves where a request comes from. A CSRF token is fetched only if a
 * request was refused, as behind a proxy that removes `Origin` and `Sec-Fetch-Site`.
 *
 * @param {string} method
 * @param {string} path Below /api/v1/auth/, or from the root.
 * @param {{body?: object, token?: string|null}} [options]
 * @returns {Promise<any>}
 */
export async function request(method, path, { body, token } = {}) {
  try {
    return await attempt(method, path, body, token ? { Authorization: `Bearer ${token}` } : {});
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "csrf_failed") throw error;
    const { csrfToken } = await attempt("GET", "csrf/", undefined, {});
    return attempt(method, path, body, {
      "X-CSRFToken": csrfToken,
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    });
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object|undefined} body
 * @param {Record<string, string>} headers
 */
async function attempt(method, path, body, headers) {
  let answer;
  try {
    answer = await fetch(path.startsWith("/") ? path : AUTH + path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: {
        Accept: "application/json",
        "Accept-Language": LANGUAGE,
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Problem({ status: 0 });
  }
  if (headers.Authorization) answered = answer.headers.get("Content-Language") || "";
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  throw new Problem({
    status: answer.status,
    body: found,
    retryAfter: Number(answer.headers.get("Retry-After")) || 0,
  });
}
