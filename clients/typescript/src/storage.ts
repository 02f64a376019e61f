/** Where an app keeps what must outlive a restart. Browsers need none: they have the cookie. */

/**
 * A store of texts by key. `localStorage` and React Native's AsyncStorage have this form. It holds
 * a refresh token: on a phone take the system's keychain.
 */
export interface TokenStorage {
  getItem(key: string): Promise<string | null> | string | null;
  setItem(key: string, value: string): Promise<unknown> | unknown;
  removeItem(key: string): Promise<unknown> | unknown;
}

/** Keeps the tokens until the process ends. */
export class MemoryStorage implements TokenStorage {
  readonly #items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }

  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

// The keychains of phones allow letters, digits, dots, dashes and underscores.
export const REFRESH_KEY = "vineyard-auth.refresh";
export const DEVICE_KEY = "vineyard-auth.device";
