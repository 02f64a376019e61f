/**
 * The session of one person.
 *
 * The access token is in memory alone. The refresh token is in an HttpOnly cookie, which no script
 * reads, or in the storage of an app. A rotated one is stored before anything is done with it: the
 * service repeats its answer to a client that lost it.
 */

import { type Held, hold, isDue, isLive, postpone, RENEW_AT } from "./held.js";
import { ProblemError, SignedOutError, UserChangedError } from "./problem.js";
import { DEVICE_KEY, REFRESH_KEY, type TokenStorage } from "./storage.js";
import { Tabs } from "./tabs.js";
import type { Transport } from "./transport.js";
import { Turns } from "./turns.js";

/** Whether a person is signed in; `unknown` until `resume`. */
export type SessionState =
  | { status: "unknown" | "signed_out"; userId: null }
  | { status: "signed_in"; userId: string };

/** An answer with tokens. */
export interface Pair {
  access: string;
  expires_in: number;
  refresh?: string;
  device_id?: string;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Session {
  readonly #transport: Transport;
  readonly #storage: TokenStorage | null;
  readonly #turns: Turns;
  readonly #tabs: Tabs | null;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { status: "unknown", userId: null };
  #held: Held | null = null;
  #renewal: Promise<string> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: Transport, storage: TokenStorage | null) {
    this.#transport = transport;
    this.#storage = storage;
    this.#turns = new Turns(`vineyard-auth ${transport.root}`);
    this.#tabs = storage ? null : new Tabs(transport.root, (news) => this.#hear(news));
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Return the access token in memory, which may have expired. */
  get accessToken(): string | null {
    return this.#held?.access ?? null;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Return whether this client has had a session, as far as it knows without asking. */
  async mayExist(): Promise<boolean> {
    if (this.#held) return true;
    if (!this.#storage) return this.#tabs?.isMarked() ?? false;
    return (await this.#storage.getItem(REFRESH_KEY)) !== null;
  }

  async deviceId(): Promise<string | null> {
    return (await this.#storage?.getItem(DEVICE_KEY)) ?? null;
  }

  /** Note that no person is signed in, without asking the service. */
  settle(): void {
    if (this.#state.status === "unknown") this.#publish(null);
  }

  /**
   * Do some work with a live access token; renew it once if it is refused.
   *
   * Throws SignedOutError without a session, UserChangedError if another person has signed in.
   */
  async authorized<T>(work: (access: string) => Promise<T>): Promise<T> {
    const user = this.#state.userId;
    const access = this.#sameUser(user, await this.access());
    try {
      return await work(access);
    } catch (error) {
      // Other 401s are about a password or a code, which a new access token does not mend.
      if (!(error instanceof ProblemError) || error.code !== "token_invalid") throw error;
      if (error.status !== 401) throw error;
    }
    return work(this.#sameUser(user, await this.renew(access)));
  }

  /** Return a live access token. */
  async access(): Promise<string> {
    const held = this.#held;
    if (held && !isDue(held)) return held.access;
    if (!(await this.mayExist())) throw new SignedOutError();
    try {
      return await this.renew(held?.access);
    } catch (error) {
      if (!held || !isLive(held) || !(error instanceof ProblemError)) throw error;
      postpone(held);
      return held.access;
    }
  }

  /** Swap the refresh token, one at a time, unless another tab has done so. */
  renew(stale?: string): Promise<string> {
    this.#renewal ??= this.#turns
      .take(() => this.#rotate(stale))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  /** Get new tokens by a sign-in or a new password, while nothing else changes the session. */
  begin<T extends Pair>(request: () => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      const pair = await request();
      await this.#adopt(pair);
      return pair;
    });
  }

  /** End the session; `request` tells the service, whose 401 says that it has ended before. */
  end(request: (parts: { token: string | null; refresh: string | null }) => Promise<unknown>) {
    return this.#turns.take(async () => {
      const refresh = (await this.#storage?.getItem(REFRESH_KEY)) ?? null;
      try {
        await request({ token: this.accessToken, refresh });
      } catch (error) {
        if (!(error instanceof ProblemError) || error.status !== 401) throw error;
      }
      await this.#forget(refresh);
      this.#tabs?.tell({ kind: "ended" });
    });
  }

  /** Stop the timer, and hear nothing more from other tabs. */
  close(): void {
    clearTimeout(this.#timer);
    this.#tabs?.close();
  }

  async #rotate(stale: string | undefined): Promise<string> {
    const held = this.#held;
    if (held && held.access !== stale && !isDue(held)) return held.access;
    // Another process of the app may have rotated it: only the stored one counts.
    const refresh = (await this.#storage?.getItem(REFRESH_KEY)) ?? null;
    if (this.#storage && refresh === null) {
      await this.#forget(null);
      throw new SignedOutError();
    }
    try {
      const pair = await this.#transport.send("token_refresh", { body: refresh ? { refresh } : {} });
      await this.#adopt(pair);
      return pair.access;
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 401) throw error;
      await this.#forget(refresh);
      throw new SignedOutError();
    }
  }

  async #adopt(pair: Pair): Promise<void> {
    if (this.#storage) {
      if (pair.refresh) await this.#storage.setItem(REFRESH_KEY, pair.refresh);
      if (pair.device_id) await this.#storage.setItem(DEVICE_KEY, pair.device_id);
    }
    this.#keep(pair.access, pair.expires_in);
    this.#tabs?.mark(true);
    this.#tabs?.tell({ kind: "token", access: pair.access, seconds: pair.expires_in });
  }

  #keep(access: string, seconds: number): void {
    this.#held = hold(access, seconds);
    clearTimeout(this.#timer);
    const wait = Math.min(seconds * 1000 * RENEW_AT, LONGEST_TIMER_MS);
    // A renewal that fails is tried again by the next request.
    this.#timer = setTimeout(() => void this.renew(access).catch(() => undefined), wait);
    // Node would wait for the timer before it ends.
    (this.#timer as { unref?: () => void }).unref?.();
    this.#publish(this.#held.userId);
  }

  async #forget(refresh: string | null): Promise<void> {
    this.#drop();
    this.#tabs?.mark(false);
    // Another process of the app may have signed in meanwhile.
    if ((await this.#storage?.getItem(REFRESH_KEY)) !== refresh) return;
    await this.#storage?.removeItem(REFRESH_KEY);
  }

  #drop(): void {
    this.#held = null;
    clearTimeout(this.#timer);
    this.#publish(null);
  }

  #publish(userId: string | null): void {
    const status = userId === null ? "signed_out" : "signed_in";
    if (this.#state.status === status && this.#state.userId === userId) return;
    this.#state = { status, userId } as SessionState;
    for (const listener of this.#listeners) listener();
  }

  #hear(news: { kind: "token"; access: string; seconds: number } | { kind: "ended" }): void {
    if (news.kind === "token") this.#keep(news.access, news.seconds);
    else this.#drop();
  }

  #sameUser(user: string | null, access: string): string {
    if (user !== null && user !== this.#state.userId) throw new UserChangedError();
    return access;
  }
}
