/** Which mails the person wants. */

import { call } from "../account.js";
import { h, message } from "../dom.js";
import { form } from "../forms.js";
import { t } from "../language.js";
import { go } from "../navigation.js";

/** @param {{said?: string}} state */
export async function content(state) {
  const { notices } = await call("GET", "account/notices/");
  const fields = [
    {
      name: "notices",
      label: t("Write to me about sign-ins on new devices and in new countries"),
      type: "checkbox",
      value: notices,
      hint: t("We recommend it: you notice at once if it was not you."),
    },
  ];
  const send = async (/** @type {Record<string, any>} */ values) => {
    await call("PUT", "account/notices/", values);
    const said = values.notices
      ? t("We will write to you.")
      : t("We will no longer write about this.");
    go("/account/notices/", { said });
  };
  return [
    state.said && message("good", h("p", {}, state.said)),
    form({ fields, submit: t("Save"), send }),
    h("p", { class: "note" }, t("We always write about your safety, such as a changed password.")),
  ];
}
