/** The shapes of requests and answers, under short names. */

import type { components, operations } from "./schema.js";
import type { problemCodes, routes } from "./routes.js";

export type Schemas = components["schemas"];
export type OperationId = keyof typeof routes & keyof operations;

/** A code that this version knows, or one that the service has learned since. */
export type ProblemCode = (typeof problemCodes)[number] | (string & {});

type Content<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Successful<R> = R extends { 200: infer T }
  ? T
  : R extends { 201: infer T }
    ? T
    : R extends { 202: infer T }
      ? T
      : never;

/** What an operation answers. */
export type Answer<Id extends OperationId> = Content<Successful<operations[Id]["responses"]>>;

/** The body of an operation. */
export type Body<Id extends OperationId> = Content<NonNullable<operations[Id]["requestBody"]>>;

export type Problem = Schemas["Problem"];
export type Profile = Schemas["Profile"];
export type Session = Schemas["Session"];
export type SignedIn = Schemas["SignedIn"];
export type SignedInUser = Schemas["SignedInUser"];
