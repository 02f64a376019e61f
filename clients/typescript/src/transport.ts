/** Requests and answers, without a session. */

import { ProblemError } from "./problem.js";
import { routes } from "./routes.js";
import type { Answer, Body, OperationId, Problem } from "./types.js";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** What a request carries. */
export interface Parts<Id extends OperationId> {
  body?: Body<Id>;
  path?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  token?: string | null;
  headers?: Record<string, string>;
}

export interface TransportOptions {
  baseUrl: string;
  fetch: Fetch;
  usesCookies: boolean;
  timeoutMs: number;
}

export class Transport {
  readonly #root: string;
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
    // The operations are below /api/v1/, the base is /api/v1/auth.
    this.#root = options.baseUrl.replace(/\/+$/, "").replace(/\/auth$/, "") + "/";
  }

  /** Return the address of the API, to which alone tokens are sent. */
  get root(): string {
    return this.#root;
  }

  /** Send an operation's request and return its answer; throw a ProblemError. */
  async send<Id extends OperationId>(id: Id, parts: Parts<Id> = {}): Promise<Answer<Id>> {
    try {
      return await this.#attempt(id, parts);
    } catch (error) {
      const isRefused = error instanceof ProblemError && error.code === "csrf_failed";
      if (!isRefused || !this.#options.usesCookies) throw error;
      // A proxy that removes Origin and Sec-Fetch-Site leaves the CSRF token as the only proof.
      const { csrfToken } = await this.#attempt("csrf", {});
      const headers = { ...parts.headers, "X-CSRFToken": csrfToken };
      return this.#attempt(id, { ...parts, headers });
    }
  }

  async #attempt<Id extends OperationId>(id: Id, parts: Parts<Id>): Promise<Answer<Id>> {
    const [method, template] = routes[id];
    const answer = await this.fetch(this.#root + fill(template, parts), {
      method,
      headers: {
        Accept: "application/json",
        ...(parts.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(parts.token ? { Authorization: `Bearer ${parts.token}` } : {}),
        ...parts.headers,
      },
      ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
    });
    const found: unknown = await answer.json().catch(() => ({}));
    if (answer.ok) return found as Answer<Id>;
    throw new ProblemError(answer.status, found as Partial<Problem>, secondsToWait(answer));
  }

  /** Send any request with the cookies, if this client uses them, and within the time limit. */
  async fetch(url: string, init: RequestInit): Promise<Response> {
    const { fetch, timeoutMs, usesCookies } = this.#options;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    try {
      return await fetch(url, {
        cache: "no-store",
        credentials: usesCookies ? "include" : "omit",
        signal: limit.signal,
        ...init,
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ProblemError(0);
    } finally {
      clearTimeout(timer);
    }
  }
}

function fill(template: string, parts: Parts<OperationId>): string {
  const path = template.replace(/{(\w+)}/g, (_, name: string) =>
    encodeURIComponent(parts.path?.[name] ?? ""),
  );
  const pairs = Object.entries(parts.query ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return pairs.length ? `${path}?${pairs.join("&")}` : path;
}

function secondsToWait(answer: Response): number | null {
  const seconds = Number(answer.headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
