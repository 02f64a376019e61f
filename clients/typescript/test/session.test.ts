/** How the client keeps a session: renewing, storing, one after the other. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { AuthClient, MemoryStorage, ProblemError, SignedOutError } from "../src/index.js";
import { FakeService, refusal } from "./service.js";

const baseUrl = "http://service.test/api/v1/auth";
const REFRESH = "auth/token/refresh/";

async function signedIn(service = new FakeService(), storage = new MemoryStorage()) {
  const client = new AuthClient({ baseUrl, fetch: service.fetch, storage });
  const step = await client.login("ruth@example.org", "Barley-Harvest-7");
  assert.equal(step.step, "signed_in");
  return { service, storage, client };
}

test("a refused access token is renewed once, and the request repeated", async () => {
  const { service, client } = await signedIn();
  service.live = "another";

  assert.deepEqual(await client.getSessions(), []);

  assert.equal(service.count(REFRESH), 1);
  assert.equal(service.count("auth/sessions/"), 2);
});

test("a second refusal is the answer", async () => {
  const { service, client } = await signedIn();
  service.plan("auth/sessions/", refusal(401, "token_invalid"), refusal(401, "token_invalid"));

  await assert.rejects(client.getSessions(), { code: "token_invalid", status: 401 });

  assert.equal(service.count(REFRESH), 1);
});

test("many requests at once share one refresh", async () => {
  const { service, client } = await signedIn();
  service.live = "another";

  await Promise.all(Array.from({ length: 8 }, () => client.getProfile()));

  assert.equal(service.count(REFRESH), 1);
});

test("a wrong password or code is no reason to refresh", async () => {
  const { service, client } = await signedIn();
  service.plan("auth/reauthenticate/", refusal(401, "invalid_credentials"));
  service.plan("auth/login/", refusal(401, "invalid_credentials"));

  await assert.rejects(client.reauthenticate({ password: "no" }), { code: "invalid_credentials" });
  await assert.rejects(client.login("ruth", "no"), { code: "invalid_credentials" });

  assert.equal(service.count(REFRESH), 0);
});

test("a refused refresh is not repeated: the session is over", async () => {
  const { service, client, storage } = await signedIn();
  service.plan(REFRESH, refusal(401, "token_invalid"));
  service.live = "another";

  await assert.rejects(client.getSessions(), SignedOutError);

  assert.equal(service.count(REFRESH), 1);
  assert.deepEqual(client.getState(), { status: "signed_out", userId: null });
  assert.equal(storage.getItem("vineyard-auth.refresh"), null);
});

test("a refresh that fails for another reason ends nothing", async () => {
  const { service, client, storage } = await signedIn();
  service.live = "another";
  service.plan(REFRESH, { ...refusal(429, "rate_limited"), headers: { "Retry-After": "60" } });

  await assert.rejects(
    client.getSessions(),
    (error) => error instanceof ProblemError && error.retryAfter === 60,
  );

  assert.equal(client.getState().status, "signed_in");
  assert.equal(storage.getItem("vineyard-auth.refresh"), "refresh-1");
  assert.deepEqual(await client.getSessions(), []);
});

test("the access token is renewed at 80 % of its life", async () => {
  mock.timers.enable({ apis: ["Date"], now: 0 });
  try {
    const { service, client } = await signedIn();
    mock.timers.setTime(719_000);
    await client.getSessions();
    assert.equal(service.count(REFRESH), 0);

    mock.timers.setTime(721_000);
    await client.getSessions();
    assert.equal(service.count(REFRESH), 1);
  } finally {
    mock.timers.reset();
  }
});

test("it is renewed without a request, too", async () => {
  const service = new FakeService();
  service.lifetime = 0.05;
  const { client } = await signedIn(service);

  await new Promise((resolve) => setTimeout(resolve, 70));
  client.close();

  assert.ok(service.count(REFRESH) >= 1);
});

test("a token in the last fifth of its life is used on if it cannot be renewed", async () => {
  mock.timers.enable({ apis: ["Date"], now: 0 });
  try {
    const { service, client } = await signedIn();
    service.plan(REFRESH, refusal(503, "service_unavailable"));
    mock.timers.setTime(800_000);

    await client.getSessions();
    await client.getSessions();

    assert.equal(service.count(REFRESH), 1);
  } finally {
    mock.timers.reset();
  }
});

test("a rotated token is stored before the new access token is used", async () => {
  const service = new FakeService();
  const events: string[] = [];
  class SlowStorage extends MemoryStorage {
    override async setItem(key: string, value: string) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      super.setItem(key, value);
      events.push(`stored ${value}`);
    }
  }
  const { client } = await signedIn(service, new SlowStorage());
  service.live = "another";
  service.plan(
    "auth/sessions/",
    () => refusal(401, "token_invalid"),
    () => {
      events.push("used");
      return { status: 200, body: { sessions: [] } };
    },
  );

  await client.getSessions();

  assert.deepEqual(events.slice(-2), ["stored refresh-2", "used"]);
});

test("what cannot be stored is not used", async () => {
  const { service, client, storage } = await signedIn();
  const store = mock.method(storage, "setItem", () => {
    throw new Error("The keychain is locked.");
  });
  service.live = "another";

  await assert.rejects(client.getSessions(), /keychain/);

  assert.equal(service.count("auth/sessions/"), 1);
  store.mock.restore();
});

test("an app that starts again goes on with the stored token", async () => {
  const { service, storage } = await signedIn();
  const restarted = new AuthClient({ baseUrl, fetch: service.fetch, storage });

  assert.equal(restarted.getState().status, "unknown");
  assert.equal(await restarted.resume(), true);
  assert.deepEqual(restarted.getState(), { status: "signed_in", userId: "ruth" });
});

test("a client that never signed in asks the service for nothing", async () => {
  const service = new FakeService();
  const client = new AuthClient({ baseUrl, fetch: service.fetch });

  assert.equal(await client.resume(), false);
  await assert.rejects(client.getProfile(), SignedOutError);

  assert.deepEqual(service.seen, []);
});

test("a token that another process has rotated is read from the storage", async () => {
  const { service, storage, client } = await signedIn();
  await new AuthClient({ baseUrl, fetch: service.fetch, storage }).resume();

  await client.getSessions();

  assert.equal(client.getState().status, "signed_in");
  assert.equal(service.seen.filter((it) => it.body["refresh"] === "refresh-1").length, 1);
});

test("a sign-out waits for the refresh before it", async () => {
  const { service, client, storage } = await signedIn();
  const refreshing = client.refreshToken();

  await client.logout();
  await refreshing;

  assert.equal(service.seen.at(-1)?.path, "auth/logout/");
  assert.equal(service.seen.at(-1)?.body["refresh"], "refresh-2");
  assert.equal(storage.getItem("vineyard-auth.refresh"), null);
  assert.equal(client.getAuthHeader(), null);
});
