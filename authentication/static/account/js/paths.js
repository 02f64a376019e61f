/** The pages of the front end. Each is loaded when it is opened. */

import { t } from "./language.js";

/** @typedef {{title: string, module: () => Promise<any>, isPublic?: boolean}} Page */

/** @type {Record<string, Page>} */
export const PAGES = {
  "/account/": { title: t("Your account"), module: () => import("./pages/home.js") },
  "/account/sign-up/": {
    title: t("Create an account"),
    module: () => import("./pages/sign-up.js"),
    isPublic: true,
  },
  "/account/check-email/": {
    title: t("Check your email"),
    module: () => import("./pages/check-email.js"),
    isPublic: true,
  },
  "/account/welcome/": {
    title: t("Email address confirmed"),
    module: () => import("./pages/welcome.js"),
    isPublic: true,
  },
  "/account/sign-in/": {
    title: t("Sign in"),
    module: () => import("./pages/sign-in.js"),
    isPublic: true,
  },
  "/account/devices/": { title: t("Your devices"), module: () => import("./pages/devices.js") },
  "/account/password/": { title: t("Your password"), module: () => import("./pages/password.js") },
  "/account/email/": { title: t("Your email address"), module: () => import("./pages/email.js") },
  "/account/profile/": { title: t("Your profile"), module: () => import("./pages/profile.js") },
  "/account/two-step/": {
    title: t("Two-step sign-in"),
    module: () => import("./pages/two-step.js"),
  },
  "/account/activity/": {
    title: t("Recent activity"),
    module: () => import("./pages/activity.js"),
  },
  "/account/notices/": { title: t("Emails from us"), module: () => import("./pages/notices.js") },
  "/account/data/": { title: t("Your data"), module: () => import("./pages/data.js") },
};

/** Return whether a path is that of a page that needs a session. @param {string} path */
export function isPrivate(path) {
  return Object.hasOwn(PAGES, path) && !PAGES[path].isPublic;
}
