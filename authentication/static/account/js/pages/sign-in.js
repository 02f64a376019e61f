/** Signing in, with the steps that an answer may ask for. */

import { codeField, currentPassword } from "../account.js";
import { Problem, request } from "../api.js";
import { reading } from "../documents.js";
import { h, link, message } from "../dom.js";
import { form } from "../forms.js";
import { parts, t } from "../language.js";
import { go, returnPath } from "../navigation.js";
import { adopt } from "../session.js";
import { day } from "../words.js";

/** @type {Record<string, string[]>} */
const CONSENTS = {
  terms: ["terms_accepted", t("I accept the terms")],
  privacy_policy: ["privacy_policy_accepted", t("I accept the privacy policy")],
};

/** @param {{said?: string, email?: string}} state */
export function content(state) {
  const place = h("div");
  if (state.said) place.append(message("good", h("p", {}, state.said)));
  place.append(...first(place, state));
  return place;
}

/** @param {HTMLElement} place @param {{email?: string}} state */
function first(place, state) {
  const fields = [
    {
      name: "email_or_username",
      label: t("Email address or username"),
      autocomplete: "username",
      value: state.email,
      traits: { autocapitalize: "none", spellcheck: "false", maxlength: 254 },
    },
    currentPassword("password", t("Password")),
    { name: "remember_me", label: t("Keep me signed in on this device"), type: "checkbox" },
  ];
  return [
    form({ fields, submit: t("Sign in"), send: (values) => logIn(place, values) }),
    h("p", {}, link(t("I forgot my password"), "/account/forgot-password/")),
    h(
      "p",
      { class: "note" },
      parts("New here? {link}", { link: link(t("Create an account"), "/account/sign-up/") }),
    ),
  ];
}

/**
 * @param {HTMLElement} place
 * @param {Record<string, any>} values
 */
async function logIn(place, values) {
  try {
    arrive(await request("POST", "login/", { body: values }));
  } catch (error) {
    if (!(error instanceof Problem) || !STEPS[error.code]) throw error;
    STEPS[error.code](place, values, error.body);
  }
}

/** @param {any} answer */
function arrive(answer) {
  adopt(answer);
  const isWeak = answer.user?.password_breached;
  const next = returnPath(new URLSearchParams(location.search).get("next"));
  return isWeak ? go("/account/password/", { isBreached: true }) : go(next);
}

/**
 * What the sign-in goes on with, by the code of the answer.
 *
 * @type {Record<string, (place: HTMLElement, values: Record<string, any>, body: any) => void>}
 */
const STEPS = {
  mfa_required: (place, _values, body) => askForCode(place, body.mfa_token),

  email_not_verified(_place, values) {
    const name = values.email_or_username;
    go("/account/check-email/", { email: name.includes("@") ? name : "", isLate: true });
  },

  consent_required(place, values, body) {
    const names = Object.keys(body.documents);
    const fields = names.map((it) => ({
      name: CONSENTS[it][0],
      label: CONSENTS[it][1],
      type: "checkbox",
      hint: reading(it),
    }));
    const send = (/** @type {object} */ accepted) => logIn(place, { ...values, ...accepted });
    replace(place, body.detail, form({ fields, submit: t("Accept and sign in"), send }));
  },

  account_deletion_pending(place, values, body) {
    const due = day(body.deletion_at);
    const text = t("You asked us to delete this account. It will be deleted on {day}.", {
      day: due,
    });
    const send = () => logIn(place, { ...values, restore: true });
    replace(place, text, form({ fields: [], submit: t("Keep my account"), send }));
  },
};

/** @param {HTMLElement} place @param {string} token */
export function askForCode(place, token) {
  const fields = [{ ...codeField(), focus: true }];
  const send = async (/** @type {object} */ values) => {
    try {
      arrive(await request("POST", "2fa/verify/", { body: { mfa_token: token, ...values } }));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "token_invalid") throw error;
      go("/account/sign-in/", { said: t("That took too long. Please sign in again.") });
    }
  };
  replace(place, t("One more step."), form({ fields, submit: t("Sign in"), send }));
}

/** @param {HTMLElement} place @param {string} text @param {HTMLElement} next */
function replace(place, text, next) {
  place.replaceChildren(
    h("p", { tabindex: "-1" }, text),
    next,
    h("p", {}, link(t("Start again"), "/account/sign-in/")),
  );
  const first = /** @type {HTMLElement|null} */ (place.querySelector("input, button"));
  first?.focus();
}
