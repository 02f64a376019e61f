import { AuthClient, type TokenStorage } from "@vineyard-group-fellowship/auth-client";
import * as SecureStore from "expo-secure-store";
import { AppState, Platform } from "react-native";

// The keychain of the phone. The tokens stay on this device, and can be renewed while it is locked.
const storage: TokenStorage = {
  getItem: (key) => SecureStore.getItemAsync(key),
  setItem: (key, value) =>
    SecureStore.setItemAsync(key, value, {
      keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
    }),
  removeItem: (key) => SecureStore.deleteItemAsync(key),
};

export const client = new AuthClient({
  baseUrl: "https://api.example.org/api/v1/auth",
  storage,
  deviceName: Platform.OS === "ios" ? "iPhone" : "Android phone",
});

// Timers stand still in the background: renew what is due when the app comes back. Without a
// network the session goes on, and the next request tries again.
AppState.addEventListener("change", (state) => {
  if (state === "active") client.resume().catch(() => undefined);
});
