/** Names, time zone, and who sees them. */

import { call } from "../account.js";
import { h, message } from "../dom.js";
import { form } from "../forms.js";
import { parts, t } from "../language.js";
import { SETTINGS, go } from "../navigation.js";
import { useZone } from "../words.js";

const ME = "/api/v1/profiles/me/";
/** @type {[string, string][]} */
const VISIBILITIES = [
  ["private", t("Only me")],
  ["members", t("Members")],
  ["public", t("Everyone")],
];

/** The language at the last look at the profile. */
let language = "";

/** @param {{isSaved?: boolean}} state */
export async function content(state) {
  const profile = await call("GET", ME);
  language = profile.language;
  return [
    state.isSaved && message("good", h("p", {}, t("Your profile is saved."))),
    form({ fields: fieldsOf(profile), submit: t("Save"), send }),
    h(
      "p",
      { class: "note" },
      parts("Your username is {name}.", { name: h("strong", {}, profile.username) }),
    ),
  ];
}

/** @param {any} profile @returns {import("../forms.js").Field[]} */
function fieldsOf(profile) {
  const zones = new Set(["UTC", ...Intl.supportedValuesOf("timeZone"), profile.timezone]);
  const optional = true;
  return [
    {
      name: "first_name",
      label: t("First name"),
      value: profile.first_name,
      autocomplete: "given-name",
      optional,
      traits: { maxlength: 150 },
    },
    {
      name: "last_name",
      label: t("Last name"),
      value: profile.last_name,
      autocomplete: "family-name",
      optional,
      traits: { maxlength: 150 },
    },
    {
      name: "display_name",
      label: t("Name that others see"),
      value: profile.display_name,
      autocomplete: "nickname",
      optional,
      traits: { maxlength: 80 },
    },
    {
      name: "visibility",
      label: t("Who can see your profile"),
      type: "select",
      value: profile.visibility,
      options: VISIBILITIES,
    },
    {
      name: "timezone",
      label: t("Time zone"),
      type: "select",
      value: profile.timezone,
      options: [...zones].sort().map((it) => [it, it.replaceAll("_", " ")]),
    },
    {
      name: "language",
      label: t("Language"),
      type: "select",
      value: profile.language,
      hint: t("We also write to you in this language."),
      options: [["", t("As in my browser")], ...SETTINGS.languages],
    },
  ];
}

/** @param {Record<string, any>} values */
async function send(values) {
  await call("PATCH", ME, values);
  useZone(values.timezone);
  const state = { isSaved: true };
  if (values.language === language) return go("/account/profile/", state);
  // The server knows the choice by a cookie now, and this document stays in its language.
  history.replaceState(state, "");
  return location.reload();
}
