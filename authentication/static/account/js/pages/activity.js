/** What happened to the account. */

import { call, confirm, inOwnZone, leaveWith, tell } from "../account.js";
import { button, h, message } from "../dom.js";
import { t } from "../language.js";
import { ago, moment, place } from "../words.js";

export async function content() {
  const outcome = h("div");
  const list = h("ul", { class: "list" });
  const older = h("p", { class: "actions" });
  const [events] = await Promise.all([call("GET", "account/activity/"), inOwnZone()]);
  fill(list, older, outcome, events);
  return [
    h("p", {}, t("Was one of these not you? Tell us, and we sign that device out at once.")),
    outcome,
    list,
    older,
  ];
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} older
 * @param {HTMLElement} outcome
 * @param {{events: any[], next: string|null}} page
 */
function fill(list, older, outcome, { events, next }) {
  list.append(...events.map((it) => item(it, outcome)));
  const more = async () => {
    const { pathname, search } = new URL(/** @type {string} */ (next), location.origin);
    fill(list, older, outcome, await call("GET", pathname + search));
  };
  const show = button(t("Show older"), () => tell(outcome, more), { class: "secondary" });
  older.replaceChildren(...(next ? [show] : []));
}

/** @param {any} event @param {HTMLElement} outcome */
function item(event, outcome) {
  const about = [event.device, event.is_current && t("this device"), place(event)]
    .filter(Boolean)
    .join(", ");
  const time = event.timestamp;
  const when = h("time", { datetime: time, title: moment(time) }, ago(time));
  const no = button(t("This wasn't me"), () => tell(outcome, () => disown(event, outcome)), {
    class: "secondary",
    "aria-label": t("This wasn't me: {event}", { event: `${event.text} ${ago(event.timestamp)}` }),
  });
  return h(
    "li",
    {},
    h(
      "div",
      {},
      h("strong", {}, event.text),
      h("span", { class: "about" }, when, about && ` · ${about}`),
    ),
    no,
  );
}

/** @param {any} event @param {HTMLElement} outcome */
async function disown(event, outcome) {
  const mail = t("We send you an email with a link to choose a new password.");
  const text = event.session ? `${t("We sign that device out at once.")} ${mail}` : mail;
  await confirm({ title: t("This wasn't you?"), text, yes: t("It wasn't me") });
  const { message: said } = await call("POST", `account/activity/${event.id}/disown/`);
  if (event.is_current) {
    await leaveWith(said);
    return;
  }
  outcome.replaceChildren(message("good", h("p", {}, said)));
  scrollTo(0, 0);
}
