/** The part of expo-secure-store that the example uses, in memory. */

export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 1;
export const kept = new Map<string, string>();

export async function getItemAsync(key: string): Promise<string | null> {
  return kept.get(checked(key)) ?? null;
}

export async function setItemAsync(
  key: string,
  value: string,
  _options: { keychainAccessible?: number } = {},
): Promise<void> {
  kept.set(checked(key), value);
}

export async function deleteItemAsync(key: string): Promise<void> {
  kept.delete(checked(key));
}

function checked(key: string): string {
  if (!/^[\w.-]+$/.test(key)) throw new Error(`Invalid key: ${key}`);
  return key;
}
