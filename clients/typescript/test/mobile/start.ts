import { isProblem } from "@vineyard-group-fellowship/auth-client";

import { client } from "./session.js";

/** Return the screen to begin with. */
export async function firstScreen(): Promise<"home" | "sign-in" | "offline"> {
  try {
    return (await client.resume()) ? "home" : "sign-in";
  } catch (error) {
    if (isProblem(error)) return "offline";
    throw error;
  }
}

/** Sign in; return what to ask for next, or null. */
export async function signIn(name: string, password: string, askForCode: () => Promise<string>) {
  const step = await client.login(name, password, { remember_me: true });
  if (step.step === "signed_in") return null;
  if (step.step !== "mfa_required") return step;
  await step.verify(await askForCode());
  return null;
}
