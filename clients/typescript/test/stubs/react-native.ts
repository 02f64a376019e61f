/** The part of react-native that the example uses. */

type Listener = (state: "active" | "background") => void;
const listeners: Listener[] = [];

export const Platform = { OS: "ios" };
export const AppState = {
  addEventListener: (_type: "change", listener: Listener) => void listeners.push(listener),
  tell: (state: "active" | "background") => listeners.forEach((it) => it(state)),
};
