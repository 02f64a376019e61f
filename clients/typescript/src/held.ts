/** An access token in memory. */

/** The part of its life after which an access token is renewed. */
export const RENEW_AT = 0.8;

const RETRY_MS = 15_000;

export interface Held {
  access: string;
  userId: string;
  dueAt: number;
  endsAt: number;
}

export function hold(access: string, seconds: number): Held {
  const now = Date.now();
  const life = seconds * 1000;
  return { access, userId: userOf(access), dueAt: now + life * RENEW_AT, endsAt: now + life };
}

/** Return whether a token is to be renewed before it is used again. */
export function isDue(held: Held): boolean {
  return Date.now() >= held.dueAt;
}

export function isLive(held: Held): boolean {
  return Date.now() < held.endsAt;
}

/** Use a live token on after a renewal failed, and do not try again with every request. */
export function postpone(held: Held): void {
  held.dueAt = Date.now() + RETRY_MS;
}

/** Return whose token it is. Its claims are ASCII; not every engine of React Native has atob. */
function userOf(access: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let text = "";
  let bits = 0;
  let count = 0;
  for (const letter of access.split(".")[1] ?? "") {
    bits = ((bits << 6) | alphabet.indexOf(letter)) & 0xffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      text += String.fromCharCode((bits >> count) & 0xff);
    }
  }
  const claims = JSON.parse(text) as { user_id: string };
  return claims.user_id;
}
