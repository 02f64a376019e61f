/** QR codes. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return the QR code of the API as an image.
 *
 * Its text is not read as markup. Only its size and the paths of its two colours are taken over.
 *
 * @param {string} text An SVG element: a white path, then the black one.
 */
export function drawn(text) {
  const scale = Number(text.match(/scale\((\d+)\)/)?.[1] || 1);
  const size = Number(text.match(/ width="(\d+)"/)?.[1] || 0) / scale;
  const image = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${size} ${size}`,
    class: "qr",
    role: "img",
    "aria-label": "QR code for your authenticator app",
  })) {
    image.setAttribute(name, value);
  }
  for (const [tag] of text.matchAll(/<path[^>]*>/g)) {
    const path = document.createElementNS(SVG, "path");
    for (const [, name, value] of tag.matchAll(/ (d|fill|stroke)="([^"]*)"/g)) {
      path.setAttribute(name, value);
    }
    image.append(path);
  }
  return image;
}
