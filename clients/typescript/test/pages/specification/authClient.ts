import axios from "axios";

const API_BASE_URL = document.documentElement.dataset["api"]!;

export class AuthClient {
  private accessToken: string | null = null;

  async login(email: string, password: string) {
    const response = await axios.post(
      `${API_BASE_URL}/login/`,
      { email, password },
      { withCredentials: true },
    );
    this.accessToken = response.data.access;
    return response.data;
  }

  async refreshToken(): Promise<string> {
    try {
      const response = await axios.post(
        `${API_BASE_URL}/token/refresh/`,
        {},
        { withCredentials: true },
      );
      this.accessToken = response.data.access;
      return response.data.access;
    } catch (error) {
      this.accessToken = null;
      throw error;
    }
  }

  getAuthHeader() {
    return this.accessToken ? `Bearer ${this.accessToken}` : null;
  }

  async logout() {
    try {
      await axios.post(
        `${API_BASE_URL}/logout/`,
        {},
        { headers: { Authorization: this.getAuthHeader() }, withCredentials: true },
      );
    } finally {
      this.accessToken = null;
    }
  }

  async getSessions() {
    const response = await axios.get(`${API_BASE_URL}/sessions/`, {
      headers: { Authorization: this.getAuthHeader() },
    });
    return response.data.sessions;
  }

  async terminateSession(sessionId: string) {
    const response = await axios.delete(`${API_BASE_URL}/sessions/${sessionId}/`, {
      headers: { Authorization: this.getAuthHeader() },
    });
    return response.data;
  }
}

export const authClient = new AuthClient();
