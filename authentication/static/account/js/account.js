/** Calls of the API on behalf of the signed-in person, who proves again who they are if need be. */

import { Cancelled, Problem } from "./api.js";
import { button, h, message } from "./dom.js";
import { countdown, form } from "./forms.js";
import { t } from "./language.js";
import { go } from "./navigation.js";
import { authorized, end, ensure, signedInUser } from "./session.js";
import { useZone } from "./words.js";

/**
 * Send a request. If it needs a proof of identity, ask for one and send the request again.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  try {
    return await authorized(method, path, body);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "reauthentication_required") throw error;
    await proveIdentity();
    return authorized(method, path, body);
  }
}

/** Ask for the password, and for a code if the account has a second factor. */
async function proveIdentity() {
  const { enabled } = await authorized("GET", "2fa/");
  const fields = [currentPassword(), ...(enabled ? [codeField()] : [])];
  const text = t("For your safety we ask again before a change like this.");
  const send = (/** @type {object} */ values) => authorized("POST", "reauthenticate/", values);
  return ask({ title: t("Is it you?"), text, fields, yes: t("Continue"), send });
}

/** Return the field for the password of the account. */
export function currentPassword(name = "password", label = t("Your password")) {
  return { name, label, type: "password", autocomplete: "current-password" };
}

/** Return the field for a code of the authenticator app. */
export function codeField() {
  return {
    name: "otp",
    label: t("Code from your authenticator app"),
    hint: t("Or one of your recovery codes."),
    autocomplete: "one-time-code",
    traits: { autocapitalize: "none", spellcheck: "false" },
  };
}

/**
 * Ask whether to go on. Throws Cancelled if not.
 *
 * @param {{title: string, text: string, yes: string, no?: string}} question
 */
export function confirm({ title, text, yes, no = t("Cancel") }) {
  // The Enter key does no harm.
  const quiet = { type: "button", class: "quiet", autofocus: true };
  return dialog(title, (close) => [
    h("p", {}, text),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "danger", on: { click: () => close(true) } }, yes),
      h("button", { ...quiet, on: { click: () => close(false) } }, no),
    ),
  ]);
}

/**
 * Ask for values, and do something with them. Throws Cancelled if the person closes the dialog.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} [question.text]
 * @param {import("./forms.js").Field[]} question.fields
 * @param {string} question.yes
 * @param {(values: Record<string, any>) => Promise<any>} question.send
 */
export function ask({ title, text, fields, yes, send }) {
  return dialog(title, (close) => [
    text ? h("p", {}, text) : null,
    form({
      fields,
      submit: yes,
      send: async (values) => {
        await send(values);
        close(true);
      },
      more: [button(t("Cancel"), () => close(false), { class: "quiet" })],
    }),
  ]);
}

/**
 * Show a dialog. Throws Cancelled unless it is closed with true.
 *
 * @param {string} title
 * @param {(close: (isDone: boolean) => void) => any[]} content
 * @returns {Promise<void>}
 */
function dialog(title, content) {
  return new Promise((resolve, reject) => {
    let isDone = false;
    const close = (/** @type {boolean} */ done) => {
      isDone = done;
      box.close();
    };
    const heading = h("h2", { id: "dialog-title" }, title);
    const box = /** @type {HTMLDialogElement} */ (
      h("dialog", { "aria-labelledby": "dialog-title" }, heading, content(close))
    );
    box.addEventListener("close", () => {
      box.remove();
      if (isDone) resolve();
      else reject(new Cancelled());
    });
    document.body.append(box);
    box.showModal();
  });
}

/**
 * Run the work of a button; show its error in a place, and nothing if the person cancelled.
 *
 * @param {HTMLElement} place
 * @param {() => Promise<any>} work
 */
export async function tell(place, work) {
  place.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (error instanceof Cancelled) return;
    if (!(error instanceof Problem)) throw error;
    const wait = error.retryAfter ? countdown(error.retryAfter) : null;
    place.replaceChildren(message("bad", h("p", {}, error.message), wait));
  }
}

/** @type {{user: string, zone: Promise<void>}|null} */
let own = null;

/** Show times in the time zone of the person's profile, which is asked for once. */
export async function inOwnZone() {
  await ensure();
  const user = signedInUser();
  if (own?.user !== user) {
    const zone = authorized("GET", "/api/v1/profiles/me/").then((it) => useZone(it.timezone));
    own = { user, zone: zone.catch(() => void (own = null)) };
  }
  await own?.zone;
}

/** Forget the session, which has ended, and say why on the sign-in page. @param {string} said */
export function leaveWith(said) {
  end();
  return go("/account/sign-in/", { said });
}
