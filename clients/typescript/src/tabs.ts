/** What the tabs of a browser tell each other: new access tokens, and the end of the session. */

export type News = { kind: "token"; access: string; seconds: number } | { kind: "ended" };

export class Tabs {
  readonly #name: string;
  readonly #channel: BroadcastChannel | null;

  constructor(root: string, hear: (news: News) => void) {
    this.#name = `vineyard-auth ${root}`;
    const hasTabs = typeof window !== "undefined" && typeof BroadcastChannel !== "undefined";
    this.#channel = hasTabs ? new BroadcastChannel(this.#name) : null;
    this.#channel?.addEventListener("message", ({ data }) => hear(data as News));
  }

  tell(news: News): void {
    this.#channel?.postMessage(news);
  }

  /**
   * Note in this browser whether there is a session. A refresh without one counts against the
   * address: the first visits of people in one hall would spend the limit of all.
   */
  mark(hasSession: boolean): void {
    try {
      if (hasSession) localStorage.setItem(this.#name, "1");
      else localStorage.removeItem(this.#name);
    } catch {
      // A browser that stores nothing asks the service each time.
    }
  }

  isMarked(): boolean {
    try {
      return localStorage.getItem(this.#name) !== null;
    } catch {
      return true;
    }
  }

  close(): void {
    this.#channel?.close();
  }
}
