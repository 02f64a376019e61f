/** The example for React Native and Expo, with the parts of a phone in memory. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { AppState } from "react-native";
import { kept } from "expo-secure-store";

import { client } from "./mobile/session.js";
import { firstScreen, signIn } from "./mobile/start.js";
import { FakeService, refusal } from "./service.js";

const service = new FakeService();
const init: RequestInit[] = [];
globalThis.fetch = ((url: string, options: RequestInit = {}) => {
  init.push(options);
  return service.fetch(url.replace("https://api.example.org", "http://service.test"), options);
}) as typeof fetch;

test("a phone signs in with a second factor, and keeps its tokens in the keychain", async () => {
  assert.equal(await firstScreen(), "sign-in");
  service.plan("auth/login/", refusal(403, "mfa_required", { mfa_token: "m", mfa_methods: [] }));

  assert.equal(await signIn("ruth@example.org", "Barley-Harvest-7", async () => "123456"), null);

  assert.deepEqual([...kept.values()].sort(), ["device-1", "refresh-1"]);
  assert.equal(service.seen[0]?.body["device_name"], "iPhone");
  assert.equal(service.seen[0]?.body["remember_me"], true);
  // The jar of the phone's own fetch is left alone: the token in the keychain is the only one.
  assert.ok(init.every((it) => it.credentials === "omit"));
  assert.equal(await firstScreen(), "home");
});

test("without a network the session goes on", async () => {
  client.close();
  service.live = "another";
  service.plan("auth/token/refresh/", () => Promise.reject(new TypeError("Network failed")));

  await assert.rejects(client.getProfile(), { code: "unreachable" });
  AppState.tell("active");

  assert.equal(client.getState().status, "signed_in");
  assert.deepEqual((await client.getProfile()).email, "ruth@example.org");
});

test("an address that is not verified is told", async () => {
  service.plan("auth/login/", refusal(403, "email_not_verified"));

  const step = await signIn("ruth@example.org", "Barley-Harvest-7", async () => "");

  assert.equal(step?.step, "email_not_verified");
});
