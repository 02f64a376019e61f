import { AuthClient } from "@vineyard-group-fellowship/auth-client";

// Where the service is. The page and it may have different origins, but must be of one site.
const baseUrl = document.documentElement.dataset["api"] ?? "http://localhost:8002/api/v1/auth";

export const client = new AuthClient({ baseUrl });
