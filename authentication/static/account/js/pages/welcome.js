/** What follows the verification of an address: the link has signed the person in. */

import { Problem, request } from "../api.js";
import { h, link } from "../dom.js";
import { t } from "../language.js";
import { adopt } from "../session.js";
import { askForCode } from "./sign-in.js";

/**
 * Whether the page of the mailed link led here. A link of a stranger could hold the token of the
 * stranger's own account: the visitor would be signed in there without a word (CWE-352).
 */
const isFromMailedLink = document.referrer.startsWith(`${location.origin}/account/verify-email/`);

export async function content() {
  const token = new URLSearchParams(location.hash.slice(1)).get("exchange_token");
  // It works once: not in the address bar, and not again when the page is reloaded.
  history.replaceState({}, "", location.pathname);
  if (!token || !isFromMailedLink) return byPassword();
  try {
    adopt(await request("POST", "exchange-token/", { body: { exchange_token: token } }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code !== "mfa_required") return byPassword();
    const place = h("div");
    askForCode(place, error.body.mfa_token);
    return place;
  }
  return [
    h("p", {}, t("Thank you. Your account is ready, and you are signed in on this device.")),
    h("p", { class: "actions" }, link(t("Go to your account"), "/account/", { class: "button" })),
  ];
}

function byPassword() {
  return [
    h("p", {}, t("Thank you. You can now sign in.")),
    h("p", { class: "actions" }, link(t("Sign in"), "/account/sign-in/", { class: "button" })),
  ];
}
