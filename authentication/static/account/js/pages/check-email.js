/** What follows a registration: the mail with the link, sent again or to another address. */

import { currentPassword, tell } from "../account.js";
import { request } from "../api.js";
import { button, h, link, message } from "../dom.js";
import { form } from "../forms.js";
import { parts, t } from "../language.js";
import { go } from "../navigation.js";

/** @param {{email?: string, isLate?: boolean, isCorrected?: boolean}} state */
export function content(state) {
  return state.email ? known(state.email, state) : unknown();
}

/** @param {string} email @param {{isLate?: boolean, isCorrected?: boolean}} state */
function known(email, { isLate, isCorrected }) {
  const outcome = h("div");
  const resend = async () => {
    await request("POST", "email/resend/", { body: { email } });
    const said = t("We sent it again. Older links no longer work.");
    outcome.replaceChildren(message("good", h("p", {}, said)));
  };
  const again = button(t("Send the link again"), () => tell(outcome, resend), {
    class: "secondary",
  });
  const address = { address: h("strong", {}, email) };
  const lead = isLate
    ? parts(
        "Before you sign in, please confirm your address. We sent a link to {address}.",
        address,
      )
    : isCorrected
      ? parts("Thank you. We sent a link to {address}.", address)
      : parts("We sent a link to {address}.", address);
  return [
    h("p", {}, lead),
    h(
      "p",
      {},
      t("Open the email and press the link in it. It can take a minute or two to arrive."),
    ),
    outcome,
    h("p", { class: "actions" }, again),
    h("details", {}, h("summary", {}, t("Nothing came?")), help(email)),
    h(
      "p",
      { class: "note" },
      parts("All done? {link}", { link: link(t("Sign in"), "/account/sign-in/") }),
    ),
  ];
}

/** @param {string} email */
function help(email) {
  const fields = [
    {
      name: "new_email",
      label: t("Your right email address"),
      type: "email",
      autocomplete: "email",
      traits: { maxlength: 254 },
    },
    currentPassword(),
  ];
  const send = async (/** @type {Record<string, any>} */ values) => {
    await request("POST", "email/correct/", { body: { identifier: email, ...values } });
    go("/account/check-email/", { email: values.new_email, isCorrected: true });
  };
  return [
    h("p", {}, t("Please look in your spam folder. Or was there a mistake in the address?")),
    form({ fields, submit: t("Correct the address"), kind: "secondary", send }),
  ];
}

function unknown() {
  const fields = [
    {
      name: "email",
      label: t("Email address"),
      type: "email",
      autocomplete: "email",
      traits: { maxlength: 254 },
    },
  ];
  const send = async (/** @type {Record<string, any>} */ values) => {
    await request("POST", "email/resend/", { body: values });
    go("/account/check-email/", { email: values.email });
  };
  return [
    h(
      "p",
      {},
      t("We sent you a link to confirm your address. If it did not come, ask for another."),
    ),
    form({ fields, submit: t("Send me a link"), send }),
    h(
      "p",
      { class: "note" },
      parts("All done? {link}", { link: link(t("Sign in"), "/account/sign-in/") }),
    ),
  ];
}
