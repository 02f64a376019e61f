/** The devices that are signed in. */

import { ask, call, confirm, leaveWith, tell } from "../account.js";
import { button, h, message } from "../dom.js";
import { t } from "../language.js";
import { go } from "../navigation.js";
import { ago, place } from "../words.js";

/** @param {{said?: string}} state */
export async function content(state) {
  const { sessions } = await call("GET", "sessions/");
  const outcome = h("div", {}, state.said && message("good", h("p", {}, state.said)));
  const own = sessions.filter((/** @type {any} */ it) => it.is_current);
  const others = sessions.filter((/** @type {any} */ it) => !it.is_current);
  return [
    h("p", {}, t("You are signed in on these devices. Sign out any that you do not know or use.")),
    outcome,
    h(
      "ul",
      { class: "list" },
      [...own, ...others].map((it) => item(it, outcome)),
    ),
    others.length > 0 && h("p", { class: "actions" }, endOthers(others.length, outcome)),
  ];
}

/** @param {any} session */
function nameOf(session) {
  const names = [session.browser, session.operating_system].filter(Boolean);
  return session.device_name || names.join(" · ") || t("Unknown device");
}

/** @param {any} session @param {HTMLElement} outcome */
function item(session, outcome) {
  const name = nameOf(session);
  const where = place(session);
  const seen = session.is_current
    ? t("In use now")
    : t("Last used {ago}", { ago: ago(session.last_activity_at) });
  const end = button(t("Sign out"), () => tell(outcome, () => endOne(session, name)), {
    class: "secondary",
    "aria-label": t("Sign out {name}", { name }),
  });
  const rename = button(t("Rename"), () => tell(outcome, () => renameOne(session, name)), {
    class: "quiet",
    "aria-label": t("Rename {name}", { name }),
  });
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("strong", {}, name),
      session.is_current && h("span", { class: "badge" }, t("This device")),
      h("span", { class: "about" }, [seen, where].filter(Boolean).join(" · ")),
    ),
    h("div", { class: "buttons" }, rename, end),
  );
}

/** @param {any} session @param {string} name */
async function renameOne(session, name) {
  const fields = [
    {
      name: "device_name",
      label: t("Name of the device"),
      value: name,
      hint: t("Such as: Phone in the kitchen."),
      autocomplete: "off",
      traits: { maxlength: 100 },
    },
  ];
  await ask({
    title: t("Rename this device"),
    fields,
    yes: t("Save"),
    send: (values) => call("PATCH", `sessions/${session.id}/`, values),
  });
  return go("/account/devices/", { said: t("The name is saved.") });
}

/** @param {any} session @param {string} name */
async function endOne(session, name) {
  const title = session.is_current ? t("Sign out this device?") : t("Sign out {name}?", { name });
  const text = t("You will need your password to sign in there again.");
  await confirm({ title, text, yes: t("Sign out") });
  await call("DELETE", `sessions/${session.id}/`);
  if (session.is_current) return leaveWith(t("You are signed out."));
  return go("/account/devices/", { said: t("{name} is signed out.", { name }) });
}

/** @param {number} count @param {HTMLElement} outcome */
function endOthers(count, outcome) {
  const work = async () => {
    const title = t("Sign out all other devices?");
    await confirm({ title, text: t("You stay signed in here."), yes: t("Sign them out") });
    await call("POST", "sessions/terminate-all/");
    go("/account/devices/", { said: t("All other devices are signed out.") });
  };
  const text = count === 1 ? t("Sign out the other device") : t("Sign out all other devices");
  return button(text, () => tell(outcome, work));
}
