/** The address of the account, and its change. */

import { call, tell } from "../account.js";
import { button, h, message } from "../dom.js";
import { form } from "../forms.js";
import { parts, t } from "../language.js";
import { go } from "../navigation.js";

/** @param {{said?: string}} state */
export async function content(state) {
  const { email, pending } = await call("GET", "account/email/");
  return [
    state.said && message("good", h("p", {}, state.said)),
    h(
      "p",
      {},
      parts("We write to {address}. You sign in with this address.", {
        address: h("strong", {}, email),
      }),
    ),
    pending ? waiting(pending.email) : change(),
  ];
}

/** @param {string} email */
function waiting(email) {
  const outcome = h("div");
  const cancel = button(
    t("Cancel this change"),
    () =>
      tell(outcome, async () => {
        await call("DELETE", "account/email/");
        go("/account/email/", { said: t("The change is cancelled. Your address stays.") });
      }),
    { class: "secondary" },
  );
  return [
    h("h2", {}, t("Waiting for you to confirm")),
    h(
      "p",
      {},
      parts("We sent a link to {address}. Open it to use this address.", {
        address: h("strong", {}, email),
      }),
    ),
    outcome,
    h("p", { class: "actions" }, cancel),
  ];
}

function change() {
  const fields = [
    {
      name: "email",
      label: t("New email address"),
      type: "email",
      autocomplete: "email",
      traits: { maxlength: 254 },
    },
  ];
  const send = async (/** @type {Record<string, any>} */ values) => {
    await call("POST", "account/email/", values);
    go("/account/email/", {});
  };
  return [
    h("h2", {}, t("Use another address")),
    form({ fields, submit: t("Send a link to this address"), send }),
    h("p", { class: "note" }, t("Your address changes when you open the link that we send there.")),
  ];
}
