/** The overview of the account. */

import { call } from "../account.js";
import { h } from "../dom.js";
import { parts, t } from "../language.js";

const SECTIONS = [
  ["/account/profile/", t("Your profile"), t("Your name, and who can see it")],
  ["/account/email/", t("Your email address"), t("Where we write to you")],
  ["/account/password/", t("Your password"), t("Choose a new one")],
  ["/account/two-step/", t("Two-step sign-in"), t("A code from your phone as a second lock")],
  ["/account/devices/", t("Your devices"), t("Where you are signed in")],
  ["/account/activity/", t("Recent activity"), t("What happened in your account")],
  ["/account/notices/", t("Emails from us"), t("Which ones you want")],
  ["/account/data/", t("Your data"), t("Get a copy, or delete your account")],
];

export async function content() {
  const profile = await call("GET", "/api/v1/profiles/me/");
  const name = profile.display_name || profile.first_name || profile.username;
  return [
    h("p", {}, parts("Hello {name}", { name: h("strong", {}, name) })),
    h("p", {}, t("What would you like to do?")),
    h(
      "nav",
      { "aria-label": t("Your account") },
      h(
        "ul",
        { class: "contents" },
        SECTIONS.map(([path, title, about]) =>
          h("li", {}, h("a", { href: path, class: "whole" }, title, h("span", {}, about))),
        ),
      ),
    ),
  ];
}
