/** Times and places in words. */

import { LANGUAGE, counted, t } from "./language.js";

const STEPS = /** @type {const} */ ([
  ["year", 31536000],
  ["month", 2592000],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
]);
const RELATIVE = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });
/** The time zone of the profile; undefined is that of the browser. @type {string|undefined} */
let timeZone;

/**
 * Show times in a time zone from now on.
 *
 * @param {string} name UTC, which an account has that never said where it is, is the browser's.
 */
export function useZone(name) {
  timeZone = name && name !== "UTC" ? name : undefined;
}

/** Return how long ago a time was, such as "3 hours ago". @param {string} time */
export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return RELATIVE.format(-Math.floor(seconds / length), unit);
  }
  return t("just now");
}

/** Return a day, such as "December 6, 2026". @param {string} time */
export function day(time) {
  const style = /** @type {const} */ ({ day: "numeric", month: "long", year: "numeric" });
  return new Intl.DateTimeFormat(LANGUAGE, { ...style, timeZone }).format(new Date(time));
}

/** Return a day with its time. @param {string} time */
export function moment(time) {
  const style = /** @type {const} */ ({ dateStyle: "medium", timeStyle: "short" });
  return new Intl.DateTimeFormat(LANGUAGE, { ...style, timeZone }).format(new Date(time));
}

/** Return how long a wait is, such as "12 minutes". @param {number} seconds */
export function duration(seconds) {
  const [hours, minutes] = [Math.ceil(seconds / 3600), Math.ceil(seconds / 60)];
  if (seconds > 5400) return counted("{count} hour", "{count} hours", hours);
  if (seconds > 90) return counted("{count} minute", "{count} minutes", minutes);
  return counted("{count} second", "{count} seconds", Math.ceil(seconds));
}

/** Return where a sign-in or an event was, if known. @param {{city: string, country: string}} it */
export function place(it) {
  return [it.city, it.country].filter(Boolean).join(", ");
}
