/** What may follow the right password: a session, or one more step. */

import { isProblem, type ProblemError } from "./problem.js";
import type { Body, SignedIn } from "./types.js";

/** The person is signed in. */
export type SignedInStep = { step: "signed_in" } & SignedIn;

/** The account has a second factor: ask for a code, and send it with `verify`. */
export interface MfaRequiredStep {
  step: "mfa_required";
  methods: string[];
  mfaToken: string;
  /** Send a code of the authenticator app, or a recovery code. A wrong one may be tried again. */
  verify(code: string): Promise<SignedInStep>;
}

/** The address is not verified: offer to send the link again. */
export interface EmailNotVerifiedStep {
  step: "email_not_verified";
  detail: string;
}

/** Newer documents are to be agreed to: show them, then `accept`. */
export interface ConsentRequiredStep {
  step: "consent_required";
  documents: Record<string, string>;
  accept(): Promise<LoginStep>;
}

/** The account is about to be deleted: ask, then `restore` it. */
export interface DeletionPendingStep {
  step: "account_deletion_pending";
  deletionAt: string;
  restore(): Promise<LoginStep>;
}

export type LoginStep =
  | SignedInStep
  | MfaRequiredStep
  | EmailNotVerifiedStep
  | ConsentRequiredStep
  | DeletionPendingStep;

export interface Sender {
  logIn(body: Body<"login">): Promise<SignedIn>;
  verifyCode(mfaToken: string, code: string): Promise<SignedInStep>;
}

/** Sign in, and return the step that follows; throw a ProblemError for every other refusal. */
export async function signIn(sender: Sender, body: Body<"login">): Promise<LoginStep> {
  try {
    return { step: "signed_in", ...(await sender.logIn(body)) };
  } catch (error) {
    if (!isProblem(error)) throw error;
    const next = follow(error, sender, body);
    if (!next) throw error;
    return next;
  }
}

function follow(error: ProblemError, sender: Sender, body: Body<"login">): LoginStep | null {
  const { mfa_token: mfaToken = "", mfa_methods: methods = [] } = error.problem;
  switch (error.code) {
    case "mfa_required":
      return {
        step: "mfa_required",
        methods,
        mfaToken,
        verify: (code) => sender.verifyCode(mfaToken, code),
      };
    case "email_not_verified":
      return { step: "email_not_verified", detail: error.message };
    case "consent_required": {
      const agreed = { ...body, terms_accepted: true, privacy_policy_accepted: true };
      return {
        step: "consent_required",
        documents: error.problem.documents ?? {},
        accept: () => signIn(sender, agreed),
      };
    }
    case "account_deletion_pending":
      return {
        step: "account_deletion_pending",
        deletionAt: error.problem.deletion_at ?? "",
        restore: () => signIn(sender, { ...body, restore: true }),
      };
    default:
      return null;
  }
}
