/** One after the other: within a page by a chain of promises, among tabs by a lock. */

/** How long the news of another tab may take after its lock. */
const NEWS_MS = 100;

export class Turns {
  readonly #name: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string) {
    this.#name = name;
  }

  /** Run some work when all work before it has ended. Work must not wait for another turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#amongTabs(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #amongTabs<T>(work: () => Promise<T>): Promise<T> {
    const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
    // Without them, as in React Native and on pages without HTTPS, the service forgives two
    // refreshes at once.
    if (!locks) return work();
    const wasFree = await locks.request(this.#name, { ifAvailable: true }, async (lock) =>
      lock ? { result: await work() } : null,
    );
    if (wasFree) return wasFree.result;
    return locks.request(this.#name, async () => {
      await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
      return work();
    }) as Promise<T>;
  }
}
