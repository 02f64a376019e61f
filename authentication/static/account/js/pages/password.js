/** Choosing a new password. */

import { call, currentPassword } from "../account.js";
import { h, link, message } from "../dom.js";
import { form } from "../forms.js";
import { t } from "../language.js";
import { go } from "../navigation.js";
import { adopt } from "../session.js";
import { newPassword } from "./sign-up.js";

/** @param {{isBreached?: boolean, isDone?: boolean}} state */
export function content(state) {
  if (state.isDone) {
    const text = t("Your password is changed. We signed out all your other devices.");
    return [
      message("good", h("p", {}, text)),
      h("p", { class: "actions" }, link(t("Go to your account"), "/account/", { class: "button" })),
    ];
  }
  const warning = t(
    "Your password was found in a leak of another website. Please choose a new one, " +
      "which you use nowhere else.",
  );
  return [
    state.isBreached && message("bad", h("p", {}, warning)),
    form({
      fields: [
        currentPassword("old_password", t("Your password now")),
        newPassword("new_password", t("New password")),
      ],
      submit: t("Change password"),
      send,
    }),
    h("p", {}, link(t("I forgot my password"), "/account/forgot-password/")),
    h("p", { class: "note" }, t("We will sign out all your other devices.")),
  ];
}

/** @param {Record<string, any>} values */
async function send(values) {
  adopt(await call("POST", "password/change/", values));
  go("/account/password/", { isDone: true });
}
