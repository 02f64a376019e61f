// ReDoc's footer loads a logo from another host, which the content security policy refuses.
const image = HTMLImageElement.prototype;
const { set, ...source } = Object.getOwnPropertyDescriptor(image, "src");
const { setAttribute } = image;

function isForeign(address) {
  const { origin, protocol } = new URL(address, location.href);
  return protocol !== "data:" && origin !== location.origin;
}

Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    if (!isForeign(address)) set.call(this, address);
  },
});
image.setAttribute = function (name, value) {
  if (name === "src" && isForeign(value)) this.hidden = true;
  else setAttribute.call(this, name, value);
};
