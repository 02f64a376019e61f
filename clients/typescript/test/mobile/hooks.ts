/** Lets Node find what a phone has: `node --import ./build/test/mobile/hooks.js`. */

import { register } from "node:module";

const at = (path: string) => new URL(path, import.meta.url).href;
const found = {
  "@vineyard-group-fellowship/auth-client": at("../../src/index.js"),
  "expo-secure-store": at("../stubs/expo-secure-store.js"),
  "react-native": at("../stubs/react-native.js"),
};
const source = `const found = ${JSON.stringify(found)};
export const resolve = (name, context, next) =>
  found[name] ? { url: found[name], shortCircuit: true } : next(name, context);`;

register(`data:text/javascript,${encodeURIComponent(source)}`);
