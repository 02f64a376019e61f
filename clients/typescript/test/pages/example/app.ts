import { isProblem, type LoginStep, SignedOutError } from "@vineyard-group-fellowship/auth-client";

import { client } from "./session.js";

const form = document.querySelector<HTMLFormElement>("#sign-in")!;
const codeForm = document.querySelector<HTMLFormElement>("#code")!;
const status = document.querySelector<HTMLElement>("#status")!;
const signOut = document.querySelector<HTMLButtonElement>("#sign-out")!;

function show(text: string): void {
  status.textContent = text;
}

async function showProfile(): Promise<void> {
  try {
    const profile = await client.getProfile();
    show(`Signed in as ${profile.display_name}`);
  } catch (error) {
    if (!(error instanceof SignedOutError)) throw error;
    show("Signed out");
  }
}

async function follow(step: LoginStep): Promise<void> {
  switch (step.step) {
    case "signed_in":
      return showProfile();
    case "mfa_required":
      show("Enter the code of your app");
      codeForm.hidden = false;
      codeForm.onsubmit = (event) => {
        event.preventDefault();
        codeForm.hidden = true;
        step.verify(String(new FormData(codeForm).get("otp"))).then(follow, refused);
      };
      return;
    case "email_not_verified":
      return show(step.detail);
    case "consent_required":
      if (confirm("Do you agree to our terms?")) await follow(await step.accept());
      return;
    case "account_deletion_pending":
      if (confirm("Keep your account?")) await follow(await step.restore());
      return;
  }
}

function refused(error: unknown): void {
  if (!isProblem(error)) throw error;
  show(error.message);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const data = new FormData(form);
  client.login(String(data.get("email")), String(data.get("password"))).then(follow, refused);
});

signOut.addEventListener("click", () => void client.logout().catch(refused));

// In this tab or in another one. What a person typed must not be sent as another.
let { userId } = client.getState();
client.subscribe(() => {
  const before = userId;
  ({ userId } = client.getState());
  if (before !== null && userId !== null && before !== userId) location.reload();
  else void showProfile();
});

await client.resume();
await showProfile();
