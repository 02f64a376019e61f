/** The client of the authentication service. */

import { Operations } from "./operations.js";
import { ProblemError, SignedOutError } from "./problem.js";
import { routes } from "./routes.js";
import { type Pair, Session, type SessionState } from "./session.js";
import { type LoginStep, type SignedInStep, signIn } from "./steps.js";
import { MemoryStorage, type TokenStorage } from "./storage.js";
import { type Fetch, type Parts, Transport } from "./transport.js";
import type { Answer, Body, OperationId, SignedIn } from "./types.js";

const DEFAULT_BASE_URL = "http://localhost:8002/api/v1/auth";
const DEFAULT_TIMEOUT_MS = 30_000;

export interface AuthClientOptions {
  /** The address of the service, up to and with `/api/v1/auth`. */
  baseUrl?: string;
  /** Where an app keeps its refresh token. Pages of a browser need none: they have the cookie. */
  storage?: TokenStorage;
  /** What the list of devices calls this one. */
  deviceName?: string;
  /** Another fetch, as for tests. */
  fetch?: Fetch;
  /** How long to wait for an answer. */
  timeoutMs?: number;
}

/** What a sign-in may say besides name and password. */
export interface LoginOptions {
  remember_me?: boolean;
  device_name?: string;
  otp?: string;
}

export class AuthClient extends Operations {
  readonly #transport: Transport;
  readonly #session: Session;
  readonly #deviceName: string | undefined;

  constructor(options: AuthClientOptions = {}) {
    super();
    const isPage = typeof window !== "undefined" && typeof document !== "undefined";
    const storage = options.storage ?? (isPage ? null : new MemoryStorage());
    this.#deviceName = options.deviceName;
    this.#transport = new Transport({
      baseUrl: options.baseUrl ?? DEFAULT_BASE_URL,
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      usesCookies: storage === null,
    });
    this.#session = new Session(this.#transport, storage);
  }

  /** Whether a person is signed in, and who. The object changes only when the answer does. */
  readonly getState = (): SessionState => this.#session.state;

  /** Call a listener when the state changes, in this tab or in another; return how to stop. */
  readonly subscribe = (listener: () => void): (() => void) => this.#session.subscribe(listener);

  /**
   * Return whether a session from before goes on, as after a reload; call it when a page or an app
   * starts. `ask` asks the service even if this browser has not signed in by this client.
   */
  async resume({ ask = false }: { ask?: boolean } = {}): Promise<boolean> {
    try {
      if (ask && !this.#session.accessToken) await this.#session.renew();
      else await this.#session.access();
      return true;
    } catch (error) {
      if (!(error instanceof SignedOutError)) throw error;
      this.#session.settle();
      return false;
    }
  }

  /** Sign in by an address or a username; the answer says what comes next. */
  login(emailOrUsername: string, password: string, options: LoginOptions = {}): Promise<LoginStep> {
    const device = this.#deviceName === undefined ? {} : { device_name: this.#deviceName };
    const body = { ...device, ...options, email_or_username: emailOrUsername, password };
    const sender = {
      logIn: (it: Body<"login">) => this.#logIn(it),
      verifyCode: (token: string, code: string) => this.verifySecondFactor(token, code),
    };
    return signIn(sender, body);
  }

  /** Finish a sign-in that stopped at `mfa_required`. */
  async verifySecondFactor(mfaToken: string, code: string): Promise<SignedInStep> {
    const body = { mfa_token: mfaToken, otp: code };
    const headers = await this.#deviceHeaders();
    const signedIn = await this.#session.begin(() =>
      this.#transport.send("second_factor_verify", { body, headers }),
    );
    return { step: "signed_in", ...signedIn };
  }

  /** Sign in by the exchange token of an address that has just been verified. */
  exchangeToken(exchangeToken: string, consents: Omit<Body<"exchange_token">, "exchange_token"> = {}) {
    const body = { ...consents, exchange_token: exchangeToken };
    return this.#session.begin(() => this.#transport.send("exchange_token", { body }));
  }

  /** Renew the access token; throw SignedOutError if the session has ended. */
  refreshToken(): Promise<string> {
    return this.#session.renew(this.#session.accessToken ?? undefined);
  }

  /** Return what the header Authorization says now, or null. */
  getAuthHeader(): string | null {
    const access = this.#session.accessToken;
    return access ? `Bearer ${access}` : null;
  }

  /** End the session, here and on the service. It goes on if the service cannot be reached. */
  async logout(): Promise<void> {
    await this.#session.end(({ token, refresh }) =>
      this.#transport.send("logout", { token, body: refresh ? { refresh } : {} }),
    );
  }

  /** Choose a new password; every other session of the person ends. */
  changePassword(oldPassword: string, newPassword: string): Promise<Answer<"password_change">> {
    const body = { old_password: oldPassword, new_password: newPassword };
    return this.#session.authorized((token) =>
      this.#session.begin(() => this.#transport.send("password_change", { body, token })),
    );
  }

  async call<Id extends OperationId>(id: Id, parts: Parts<Id> = {}): Promise<Answer<Id>> {
    const needsToken = routes[id][2];
    if (!needsToken) return this.#transport.send(id, parts);
    return this.#session.authorized((token) => this.#transport.send(id, { ...parts, token }));
  }

  /**
   * Fetch from another app behind the same service as the signed-in person. The path is relative to
   * `/api/v1/`; the token is sent nowhere else. A body must be repeatable, so no stream.
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.#base()).href;
    if (!url.startsWith(this.#base())) throw new TypeError(`${path} is not below ${this.#base()}`);
    let isRepeated = false;
    return this.#session.authorized(async (access) => {
      const headers = new Headers(init.headers);
      headers.set("Authorization", `Bearer ${access}`);
      const answer = await this.#transport.fetch(url, { ...init, headers });
      if (answer.status !== 401 || isRepeated) return answer;
      isRepeated = true;
      throw new ProblemError(401, { code: "token_invalid" });
    });
  }

  /** Stop renewing ahead of time, and hear nothing more from other tabs. The session goes on. */
  close(): void {
    this.#session.close();
  }

  async #logIn(body: Body<"login">): Promise<SignedIn> {
    const headers = await this.#deviceHeaders();
    return this.#session.begin<SignedIn & Pair>(() =>
      this.#transport.send("login", { body, headers }),
    );
  }

  async #deviceHeaders(): Promise<Record<string, string>> {
    const device = await this.#session.deviceId();
    return device === null ? {} : { "X-Device-Id": device };
  }

  #base(): string {
    const { root } = this.#transport;
    return root.startsWith("/") ? new URL(root, location.origin).href : root;
  }
}

