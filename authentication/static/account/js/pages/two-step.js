/** The second factor: an authenticator app, and recovery codes for the day without it. */

import { call, confirm, currentPassword, inOwnZone, tell } from "../account.js";
import { button, h, link, message } from "../dom.js";
import { form } from "../forms.js";
import { counted, parts, t } from "../language.js";
import { drawn } from "../qr.js";
import { go } from "../navigation.js";
import { day } from "../words.js";

/** @param {{said?: string}} state */
export async function content(state) {
  const [factor] = await Promise.all([call("GET", "2fa/"), inOwnZone()]);
  const place = h("div", {}, factor.enabled ? on(factor) : off());
  return [state.said && message("good", h("p", {}, state.said)), place];
}

function off() {
  return [
    h("p", {}, t("A password alone then opens nothing: you also enter a code from your phone.")),
    h("p", {}, t("You need an authenticator app, such as Google or Microsoft Authenticator.")),
    form({
      fields: [currentPassword()],
      submit: t("Set it up"),
      send: async (values) => showSetup(await call("POST", "2fa/totp/setup/", values)),
    }),
  ];
}

/** @param {any[]} nodes */
function show(...nodes) {
  const page = /** @type {HTMLElement} */ (document.getElementById("page"));
  const heading = /** @type {HTMLElement} */ (page.querySelector("h1"));
  page.replaceChildren(heading, ...nodes.flat(Infinity));
  heading.focus();
}

/** @param {{secret: string, otpauth_url: string, qr_svg: string}} offer */
function showSetup(offer) {
  const fields = [
    {
      name: "otp",
      label: t("2. Enter the code that the app shows"),
      autocomplete: "one-time-code",
      traits: { inputmode: "numeric", maxlength: 12 },
    },
  ];
  const send = async (/** @type {object} */ values) => {
    const answer = await call("POST", "2fa/totp/confirm/", values);
    showCodes(answer.recovery_codes, t("Two-step sign-in is on."));
  };
  show(
    h("p", { class: "step" }, t("1. Open your authenticator app and scan this picture")),
    drawn(offer.qr_svg),
    h(
      "details",
      {},
      h("summary", {}, t("I can't scan it")),
      h(
        "p",
        {},
        parts("On this phone: {link}.", { link: link(t("open the app"), offer.otpauth_url) }),
      ),
      h("p", {}, t("Or type this key into the app: ")),
      h("p", {}, h("code", {}, (offer.secret.match(/.{1,4}/g) || []).join(" "))),
    ),
    form({
      fields,
      submit: t("Turn it on"),
      send,
      more: [button(t("Cancel"), () => go("/account/two-step/"), { class: "quiet" })],
    }),
  );
}

/** @param {string[]} codes @param {string} said */
function showCodes(codes, said) {
  show(
    message("good", h("p", {}, said)),
    h("h2", {}, t("Keep your recovery codes")),
    h("p", {}, t("Without your phone, each of these lets you in once. We show them only now.")),
    h("p", {}, t("Print them or write them down, and keep them with your important papers.")),
    h(
      "ol",
      { class: "codes" },
      codes.map((it) => h("li", {}, h("code", {}, it))),
    ),
    h(
      "div",
      { class: "buttons" },
      button(t("Print them"), () => print()),
      button(t("I have kept them"), () => go("/account/two-step/"), { class: "secondary" }),
    ),
  );
}

/** @param {{enabled_at: string, recovery_codes_left: number}} factor */
function on(factor) {
  const outcome = h("div");
  const renew = async () => {
    const answer = await call("POST", "2fa/recovery-codes/");
    showCodes(
      answer.recovery_codes,
      t("You have new recovery codes. The old ones no longer work."),
    );
  };
  const disable = async () => {
    await confirm({
      title: t("Turn off two-step sign-in?"),
      text: t("After that your password alone is enough to sign in."),
      yes: t("Turn it off"),
      no: t("Keep it on"),
    });
    await call("POST", "2fa/disable/");
    go("/account/two-step/", { said: t("Two-step sign-in is off.") });
  };
  const left = factor.recovery_codes_left;
  return [
    h(
      "p",
      {},
      parts("Two-step sign-in is {on} since {day}.", {
        on: h("strong", {}, t("on")),
        day: new Text(day(factor.enabled_at)),
      }),
    ),
    h(
      "p",
      {},
      counted(
        "You have {count} recovery code left.",
        "You have {count} recovery codes left.",
        left,
      ),
    ),
    outcome,
    h(
      "div",
      { class: "buttons" },
      button(t("Make new recovery codes"), () => tell(outcome, renew)),
      button(t("Turn it off"), () => tell(outcome, disable), { class: "secondary" }),
    ),
  ];
}
