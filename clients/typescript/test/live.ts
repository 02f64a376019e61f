/** The client against a running service, at SERVICE_URL, whose mails are files in MAILS. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { AuthClient, isProblem, MemoryStorage, SignedOutError } from "../src/index.js";

const baseUrl = `${process.env["SERVICE_URL"]}/api/v1/auth`;
const mails = String(process.env["MAILS"]);
const password = "Barley-Harvest-7";
const newPassword = "Threshing-Floor-9";

/** Return the token of the newest mail to an address with a link to a page. */
async function mailed(address: string, page: string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const newest = readdirSync(mails)
      .map((name) => join(mails, name))
      .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
    for (const path of newest) {
      const text = readFileSync(path, "utf8").replace(/=\r?\n/g, "").replace(/=3D/g, "=");
      const found = new RegExp(`${page}/\\?token=([\\w-]+)`).exec(text);
      if (found?.[1] && text.includes(`To: ${address}`)) return found[1];
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`No mail with ${page} came to ${address}.`);
}

/** Return the code that an authenticator app shows for a secret in base32. */
function codeOf(secret: string, at = Date.now()): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((it) => alphabet.indexOf(it).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((it) => parseInt(it, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", key).update(step).digest();
  const offset = (digest[19] ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

let count = 0;

async function member(name: string) {
  const email = `${name}-${process.pid}-${(count += 1)}@example.org`;
  const storage = new MemoryStorage();
  const client = new AuthClient({ baseUrl, storage, deviceName: "Ruth's phone" });
  await client.register({ email, password, first_name: "Ruth", last_name: "Moab" });
  const verified = await client.verifyEmail(await mailed(email, "verify-email"));
  return { email, storage, client, exchangeToken: String(verified.exchange_token) };
}

test("from the registration to the sign-out", async () => {
  const { client, email, exchangeToken } = await member("ruth");

  const first = await client.exchangeToken(exchangeToken);
  assert.equal(first.first_login, true);
  assert.equal((await client.getProfile()).first_name, "Ruth");
  await client.logout();
  await assert.rejects(client.getProfile(), SignedOutError);

  const step = await client.login(email, password);
  assert.ok(step.step === "signed_in");
  assert.equal(step.user.email, email);
  const sessions = await client.getSessions();
  assert.deepEqual(
    sessions.map((it) => [it.device_name, it.is_current]),
    [["Ruth's phone", true]],
  );
  const before = client.getAuthHeader();
  await client.refreshToken();
  assert.notEqual(client.getAuthHeader(), before);
  assert.equal((await client.updateProfile({ display_name: "Ruth M." })).display_name, "Ruth M.");
  await client.logout();
});

test("a restart, a lost answer and another device", async () => {
  const { client, email, storage } = await member("naomi");
  await client.login(email, password);
  const other = new AuthClient({ baseUrl, deviceName: "Tablet" });
  await other.login(email, password);

  // The phone is switched off while the answer is on its way: the old token is all that it has.
  const old = String(storage.getItem("vineyard-auth.refresh"));
  await client.refreshToken();
  client.close();
  storage.setItem("vineyard-auth.refresh", old);
  const restarted = new AuthClient({ baseUrl, storage });
  assert.equal(await restarted.resume(), true);

  const changed = await restarted.changePassword(password, newPassword);
  assert.ok(changed.message);
  await assert.rejects(other.getProfile(), SignedOutError);
  assert.equal(other.getState().status, "signed_out");
  assert.equal((await restarted.getProfile()).email, email);
});

test("a second factor", async () => {
  const { client, email, storage } = await member("boaz");
  await client.login(email, password);
  const offer = await client.setUpTotp(password);
  const { recovery_codes: recovery } = await client.confirmTotp(codeOf(offer.secret));
  assert.equal(recovery.length, 10);
  await client.logout();

  const again = new AuthClient({ baseUrl, storage });
  const step = await again.login(email, password);
  assert.ok(step.step === "mfa_required");
  assert.deepEqual(step.methods, ["totp", "recovery_code"]);
  await assert.rejects(step.verify("abcd-efgh-ijkl-mnop"), (error) => isProblem(error));
  assert.equal((await step.verify(String(recovery[0]))).user.email, email);
});

test("a forgotten password, and refusals", async () => {
  const { client, email } = await member("orpah");
  await client.requestPasswordReset(email);
  const token = await mailed(email, "reset-password");
  await assert.rejects(client.confirmPasswordReset(token, "short"), (error) => {
    assert.ok(isProblem(error, "validation_error"));
    assert.ok((error.errors["new_password"] ?? []).length > 0);
    return true;
  });
  await client.confirmPasswordReset(token, newPassword);

  await assert.rejects(client.login(email, password), { code: "invalid_credentials" });
  assert.equal((await client.login(email, newPassword)).step, "signed_in");
  assert.equal((await client.getHealth()).database, "connected");
});
