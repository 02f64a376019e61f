/** A copy of the personal data, and the end of the account. */

import { call, confirm, inOwnZone, leaveWith, tell } from "../account.js";
import { button, h, message } from "../dom.js";
import { counted, t } from "../language.js";
import { SETTINGS, go } from "../navigation.js";
import { day, moment } from "../words.js";

export async function content() {
  const [copy] = await Promise.all([call("GET", "account/export/"), inOwnZone()]);
  return [...copySection(copy), ...endSection()];
}

/** @param {{state: string, available_until: string|null}} copy */
function copySection(copy) {
  const outcome = h("div");
  const ask = button(t("Send me a copy"), () =>
    tell(outcome, async () => {
      await call("POST", "account/export/");
      go("/account/data/");
    }),
  );
  const until = copy.available_until ? moment(copy.available_until) : "";
  /** @type {Record<string, string>} */
  const texts = {
    none: t("You can have a copy of everything that we store about you. We send you a link to it."),
    preparing: t("We are preparing your copy. We send you a link to it, usually within a minute."),
    failed: t("The last copy could not be made. Please ask for another one."),
    ready: t("Your copy is ready. The link in our email works until {until}.", { until }),
    downloaded: t("You have downloaded your copy. You can ask for another one."),
  };
  return [
    h("h2", {}, t("A copy of your data")),
    copy.state === "preparing" || copy.state === "ready"
      ? message("good", h("p", {}, texts[copy.state]))
      : h("p", {}, texts[copy.state]),
    outcome,
    copy.state !== "preparing" && h("p", { class: "actions" }, ask),
  ];
}

function endSection() {
  const outcome = h("div");
  const work = async () => {
    await confirm({
      title: t("Delete your account?"),
      text: counted(
        "All your devices are signed out. Your data is deleted in {count} day. " +
          "If you sign in before that, you can keep your account.",
        "All your devices are signed out. Your data is deleted in {count} days. " +
          "If you sign in before that, you can keep your account.",
        SETTINGS.graceDays,
      ),
      yes: t("Delete my account"),
      no: t("Keep my account"),
    });
    const { deletion_at: due } = await call("POST", "account/delete/");
    await leaveWith(
      t("Your account will be deleted on {day}. If you change your mind, sign in before that.", {
        day: day(due),
      }),
    );
  };
  const end = button(t("Delete my account"), () => tell(outcome, work), { class: "warning" });
  return [
    h("h2", {}, t("Delete your account")),
    h(
      "p",
      {},
      counted(
        "You have {count} day to change your mind. Then your data is gone.",
        "You have {count} days to change your mind. Then your data is gone.",
        SETTINGS.graceDays,
      ),
    ),
    outcome,
    h("p", { class: "actions" }, end),
  ];
}
