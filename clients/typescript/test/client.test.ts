/** Steps of a sign-in, errors, devices, and what else the client sends. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { AuthClient, isProblem, MemoryStorage } from "../src/index.js";
import { routes } from "../src/routes.js";
import { FakeService, refusal } from "./service.js";

const baseUrl = "http://service.test/api/v1/auth/";

function start(storage = new MemoryStorage()) {
  const service = new FakeService();
  return { service, storage, client: new AuthClient({ baseUrl, fetch: service.fetch, storage }) };
}

test("a second factor is a step: the code goes on with the sign-in", async () => {
  const { service, client } = start();
  const members = { mfa_token: "challenge", mfa_methods: ["totp"] };
  service.plan("auth/login/", refusal(403, "mfa_required", members));
  service.plan("auth/2fa/verify/", refusal(401, "code_invalid"));

  const step = await client.login("ruth", "Barley-Harvest-7");
  assert.ok(step.step === "mfa_required");
  assert.deepEqual(step.methods, ["totp"]);
  await assert.rejects(step.verify("000000"), { code: "code_invalid" });
  const done = await step.verify("123456");

  assert.equal(done.user.email, "ruth@example.org");
  assert.deepEqual(service.seen.at(-1)?.body, { mfa_token: "challenge", otp: "123456" });
  assert.equal(client.getState().status, "signed_in");
});

test("documents and a pending deletion are steps, one after the other", async () => {
  const { service, client } = start();
  service.plan(
    "auth/login/",
    refusal(403, "account_deletion_pending", { deletion_at: "2026-12-06T15:30:00Z" }),
    refusal(403, "consent_required", { documents: { terms: "2" } }),
  );

  const pending = await client.login("ruth", "Barley-Harvest-7");
  assert.ok(pending.step === "account_deletion_pending");
  assert.equal(pending.deletionAt, "2026-12-06T15:30:00Z");
  const consent = await pending.restore();
  assert.ok(consent.step === "consent_required");
  assert.deepEqual(consent.documents, { terms: "2" });

  assert.equal((await consent.accept()).step, "signed_in");
  const { restore, terms_accepted, privacy_policy_accepted } = service.seen.at(-1)?.body ?? {};
  assert.deepEqual([restore, terms_accepted, privacy_policy_accepted], [true, true, true]);
});

test("an address that is not verified is a step", async () => {
  const { service, client } = start();
  service.plan("auth/login/", refusal(403, "email_not_verified"));

  assert.equal((await client.login("ruth", "Barley-Harvest-7")).step, "email_not_verified");
});

test("other refusals are errors with a code, messages and a correlation id", async () => {
  const { service, client } = start();
  service.plan("auth/login/", refusal(403, "account_locked"));
  service.plan("auth/register/", refusal(400, "validation_error", { errors: { email: ["Bad."] } }));

  await assert.rejects(client.login("ruth", "no"), (error) => isProblem(error, "account_locked"));
  await assert.rejects(client.register({ email: "ruth", password: "short" }), (error) => {
    assert.ok(isProblem(error));
    assert.deepEqual(error.errors, { email: ["Bad."] });
    assert.equal(error.correlationId, "abc");
    return true;
  });
});

test("no answer is an error, too", async () => {
  const fetch = () => Promise.reject(new TypeError("fetch failed"));
  const client = new AuthClient({ baseUrl, fetch });

  await assert.rejects(client.getHealth(), { code: "unreachable", status: 0 });
});

test("a page of a proxy is an error without a code of the service", async () => {
  const fetch = async () => new Response("<html>Bad gateway</html>", { status: 502 });
  const client = new AuthClient({ baseUrl, fetch });

  await assert.rejects(client.getHealth(), { code: "unknown", status: 502 });
});

test("a service that does not answer is given up", async () => {
  const fetch = (_: string, init: RequestInit = {}) =>
    new Promise<Response>((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")));
    });
  const client = new AuthClient({ baseUrl, fetch, timeoutMs: 20 });

  await assert.rejects(client.getHealth(), { code: "unreachable" });
});

test("a known device names itself at the next sign-in", async () => {
  const { service, client, storage } = start();
  await client.login("ruth", "Barley-Harvest-7");
  await client.logout();
  await client.login("ruth", "Barley-Harvest-7");

  assert.equal(storage.getItem("vineyard-auth.device"), "device-1");
  assert.deepEqual(
    service.seen
      .filter((it) => it.path === "auth/login/")
      .map((it) => it.headers.get("X-Device-Id")),
    [null, "device-1"],
  );
});

test("the token is sent to the service alone", async () => {
  const { service, client } = start();
  await client.login("ruth", "Barley-Harvest-7");

  await assert.rejects(client.fetch("https://elsewhere.example/"), TypeError);
  await assert.rejects(client.fetch("../../steal/"), TypeError);
  service.live = "another";
  const answer = await client.fetch("groups/?page=2");

  assert.equal(answer.status, 200);
  assert.equal(service.seen.at(-1)?.path, "groups/?page=2");
  assert.equal(service.seen.at(-1)?.token, service.live);
});

test("every operation of the document has a method", () => {
  const source = ["client", "operations", "session"]
    .map((it) => readFileSync(new URL(`../../src/${it}.ts`, import.meta.url), "utf8"))
    .join();
  const missing = Object.keys(routes).filter(
    (it) => !source.includes(`call("${it}"`) && !source.includes(`send("${it}"`),
  );

  assert.deepEqual(missing, []);
});
