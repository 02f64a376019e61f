/** Creating an account. */

import { request } from "../api.js";
import { reading } from "../documents.js";
import { h, link } from "../dom.js";
import { form } from "../forms.js";
import { parts, t } from "../language.js";
import { SETTINGS, go } from "../navigation.js";

export function content() {
  const fields = [
    {
      name: "email",
      label: t("Email address"),
      type: "email",
      autocomplete: "username",
      traits: { maxlength: 254 },
    },
    {
      name: "first_name",
      label: t("First name"),
      autocomplete: "given-name",
      optional: true,
      traits: { maxlength: 150 },
    },
    newPassword("password", t("Password")),
    ...(SETTINGS.isConsentRequired ? CONSENTS : []),
  ];
  const texts = SETTINGS.isConsentRequired ? [] : [reading("terms"), reading("privacy_policy")];
  return [
    form({ fields, submit: t("Create account"), send }),
    texts.filter(Boolean).map((it) => h("p", {}, it)),
    h(
      "p",
      { class: "note" },
      parts("You already have one? {link}", { link: link(t("Sign in"), "/account/sign-in/") }),
    ),
  ];
}

const CONSENTS = [
  {
    name: "terms_accepted",
    label: t("I accept the terms"),
    type: "checkbox",
    hint: reading("terms"),
  },
  {
    name: "privacy_policy_accepted",
    label: t("I accept the privacy policy"),
    type: "checkbox",
    hint: reading("privacy_policy"),
  },
];

/** Return the field of a password that is chosen. @param {string} name @param {string} label */
export function newPassword(name, label) {
  const hint = t(
    "Use {count} characters or more, with capital and small letters, a number and " +
      "a special character. A few words in a row make a good password.",
    { count: SETTINGS.minLength },
  );
  return { name, label, type: "password", autocomplete: "new-password", hint };
}

/** @param {Record<string, any>} values */
async function send(values) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  await request("POST", "register/", { body: { ...values, timezone: timeZone } });
  go("/account/check-email/", { email: values.email });
}
