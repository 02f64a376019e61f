/** A page around the client of the specification: it resumes, signs in and out. */

import { authClient } from "./authClient.js";

const status = document.querySelector<HTMLElement>("#status")!;
const form = document.querySelector<HTMLFormElement>("#sign-in")!;

async function showDevices(): Promise<void> {
  const sessions = await authClient.getSessions();
  status.textContent = `Signed in on ${sessions.length}`;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  try {
    await authClient.login(String(data.get("email")), String(data.get("password")));
    await showDevices();
  } catch (error) {
    const { response } = error as { response?: { data: { error: string } } };
    status.textContent = response?.data.error ?? "Unreachable";
  }
});

document.querySelector("#sign-out")!.addEventListener("click", async () => {
  await authClient.logout();
  status.textContent = "Signed out";
});

Object.assign(window, { authClient });
if (location.pathname.endsWith("login")) {
  status.textContent = "Signed out";
} else {
  try {
    await authClient.refreshToken();
    await showDevices();
  } catch {
    location.href = "/login";
  }
}
