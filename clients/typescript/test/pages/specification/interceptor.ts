/** The interceptor of the specification, with its fault: it retries whatever answers 401. */

import axios from "axios";

import { authClient } from "./authClient.js";

axios.interceptors.request.use((config) => {
  const authHeader = authClient.getAuthHeader();
  if (authHeader && config.headers) config.headers.Authorization = authHeader;
  return config;
});

axios.interceptors.response.use(
  (response) => response,
  async (error) => {
    const originalRequest = error.config;
    if (error.response?.status === 401 && !originalRequest._retry) {
      originalRequest._retry = true;
      try {
        await authClient.refreshToken();
        originalRequest.headers.Authorization = authClient.getAuthHeader();
        return axios(originalRequest);
      } catch (refreshError) {
        window.location.href = "/login";
        return Promise.reject(refreshError);
      }
    }
    return Promise.reject(error);
  },
);
