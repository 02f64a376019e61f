/** Errors: those of the API (RFC 9457), the lack of an answer, and the end of a session. */

import type { Problem, ProblemCode } from "./types.js";

const UNREACHABLE = "We can't reach the service. Please check your connection, then try again.";

/** The service refused a request, or did not answer it. */
export class ProblemError extends Error {
  override readonly name: string = "ProblemError";
  /** The status of the answer; 0 if there was none. */
  readonly status: number;
  /** `unreachable` if there was no answer, `unknown` if it was not the service's. */
  readonly code: ProblemCode;
  /** Seconds to wait before the next try, if the answer names them. */
  readonly retryAfter: number | null;
  /** The whole error, for members such as `deletion_at`. */
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem> = {}, retryAfter: number | null = null) {
    super(problem.detail ?? (status ? `The service answered ${status}.` : UNREACHABLE));
    this.status = status;
    this.code = problem.code ?? (status ? "unknown" : "unreachable");
    this.retryAfter = retryAfter;
    this.problem = problem;
  }

  /** The messages by field, to be shown beside the fields. */
  get errors(): Record<string, string[]> {
    return this.problem.errors ?? {};
  }

  /** What support needs to find the request in the logs. */
  get correlationId(): string | undefined {
    return this.problem.correlation_id;
  }
}

/** There is no session, or it has ended: the person has to sign in. */
export class SignedOutError extends Error {
  override readonly name = "SignedOutError";

  constructor() {
    super("Please sign in.");
  }
}

/** Another person has signed in meanwhile: what the first one asked for was not sent. */
export class UserChangedError extends Error {
  override readonly name = "UserChangedError";

  constructor() {
    super("Another person has signed in.");
  }
}

/** Return whether an error is the service's, with one of the codes if some are given. */
export function isProblem(error: unknown, ...codes: ProblemCode[]): error is ProblemError {
  return error instanceof ProblemError && (codes.length === 0 || codes.includes(error.code));
}
