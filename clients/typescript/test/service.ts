/** A service in memory: it rotates refresh tokens, and refuses what it is told to refuse. */

import type { Fetch } from "../src/transport.js";

export interface Seen {
  path: string;
  method: string;
  token: string | null;
  headers: Headers;
  body: Record<string, unknown>;
}

type Answer = { status: number; body: object; headers?: Record<string, string> };

export function accessOf(user: string, count: number): string {
  const claims = Buffer.from(JSON.stringify({ user_id: user, n: count })).toString("base64url");
  return `eyJ.${claims}.signature`;
}

export class FakeService {
  readonly seen: Seen[] = [];
  /** Answers to be given instead, the first one first; a function decides when it answers. */
  readonly planned: Record<string, ((seen: Seen) => Answer | Promise<Answer>)[]> = {};
  lifetime = 900;
  user = "ruth";
  live = "";
  #count = 0;

  readonly fetch: Fetch = async (url, init = {}) => {
    const headers = new Headers(init.headers);
    const seen: Seen = {
      path: url.replace("http://service.test/api/v1/", ""),
      method: init.method ?? "GET",
      token: headers.get("Authorization")?.replace("Bearer ", "") ?? null,
      headers,
      body: init.body ? (JSON.parse(String(init.body)) as Record<string, unknown>) : {},
    };
    this.seen.push(seen);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const planned = this.planned[seen.path]?.shift();
    const { status, body, headers: more } = planned ? await planned(seen) : this.#answer(seen);
    return new Response(JSON.stringify(body), { status, headers: more ?? {} });
  };

  count(path: string): number {
    return this.seen.filter((it) => it.path === path).length;
  }

  plan(path: string, ...answers: (Answer | ((seen: Seen) => Answer | Promise<Answer>))[]): void {
    const all = answers.map((it) => (typeof it === "function" ? it : () => it));
    (this.planned[path] ??= []).push(...all);
  }

  pair(): object {
    this.#count += 1;
    this.live = accessOf(this.user, this.#count);
    return {
      access: this.live,
      access_token: this.live,
      expires_in: this.lifetime,
      token_type: "Bearer",
      refresh: `refresh-${this.#count}`,
    };
  }

  #answer(seen: Seen): Answer {
    const user = { id: this.user, email: "ruth@example.org", username: "ruth" };
    switch (seen.path) {
      case "auth/login/":
      case "auth/2fa/verify/":
        return { status: 200, body: { ...this.pair(), device_id: "device-1", user } };
      case "auth/token/refresh/":
        if (seen.body["refresh"] !== `refresh-${this.#count}`) return refusal(401, "token_invalid");
        return { status: 200, body: this.pair() };
      default:
        if (seen.token !== this.live) return refusal(401, "token_invalid");
        return { status: 200, body: { sessions: [], email: "ruth@example.org" } };
    }
  }
}

export function refusal(status: number, code: string, members: object = {}): Answer {
  const detail = `Refused: ${code}.`;
  return { status, body: { status, code, detail, correlation_id: "abc", ...members } };
}
