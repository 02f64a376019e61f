import axios from "axios";

import { authClient } from "./authClient.js";

// Their 401 is the answer: there is no session, or the password is wrong.
const NEVER_RETRIED = ["/token/refresh/", "/login/", "/2fa/verify/", "/exchange-token/"];

let refreshing: Promise<string> | null = null;

function refreshOnce(): Promise<string> {
  refreshing ??= authClient.refreshToken().finally(() => (refreshing = null));
  return refreshing;
}

axios.interceptors.response.use(
  (response) => response,
  async (error) => {
    const request = error.config;
    const isExempt = NEVER_RETRIED.some((path) => request?.url?.endsWith(path));
    const isStale = error.response?.data?.code === "token_invalid";
    if (!request || isExempt || !isStale || request._retry) return Promise.reject(error);
    request._retry = true;
    try {
      request.headers.Authorization = `Bearer ${await refreshOnce()}`;
    } catch (refreshError) {
      window.location.href = "/login";
      return Promise.reject(refreshError);
    }
    return axios(request);
  },
);
