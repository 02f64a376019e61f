/** The texts that people agree to. */

import { link } from "./dom.js";
import { t } from "./language.js";
import { SETTINGS } from "./navigation.js";

/** @type {Record<string, string>} */
const READ = {
  terms: t("Read the terms"),
  privacy_policy: t("Read the privacy policy"),
};

/**
 * Return a link to a text, in a tab of its own so that nothing typed is lost; null without a URL.
 *
 * @param {string} name
 */
export function reading(name) {
  const url = SETTINGS.documents[name];
  return url ? link(READ[name], url, { target: "_blank", rel: "noopener" }) : null;
}
