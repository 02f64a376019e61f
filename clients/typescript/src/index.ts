/** Client of the authentication service of Vineyard Group Fellowship. */

export { AuthClient, type AuthClientOptions, type LoginOptions } from "./client.js";
export type { Proof } from "./operations.js";
export { isProblem, ProblemError, SignedOutError, UserChangedError } from "./problem.js";
export type { SessionState } from "./session.js";
export type * from "./steps.js";
export { MemoryStorage, type TokenStorage } from "./storage.js";
export type * from "./types.js";
