import { BackendError } from '../../lib/backend';
import type { FileContents } from '../../lib/bindings';

/** Pixels of the picture per pixel of the drawing, as far as {@link MOST_PIXELS} allows. */
const SHARP = 2;
/** Browsers refuse larger canvases. */
const MOST_PIXELS = 60_000_000;
const MOST_SIDE = 16_000;

/** Scale at which a drawing becomes a picture. */
export function scaleFor(width: number, height: number): number {
  return Math.min(SHARP, MOST_SIDE / Math.max(width, height, 1), Math.sqrt(MOST_PIXELS / Math.max(width * height, 1)));
}

/** Text of a file. */
export function textOf(file: FileContents): string {
  return new TextDecoder().decode(Uint8Array.from(atob(file.base64), (character) => character.charCodeAt(0)));
}

/** A file of a text. */
export function fileOf(name: string, mediaType: string, text: string): FileContents {
  return { name, mediaType, base64: base64Of(new TextEncoder().encode(text)) };
}

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

/** The drawing as pixels. */
async function blobOf(svg: FileContents): Promise<Blob> {
  const image = new Image();
  image.src = `data:${svg.mediaType};base64,${svg.base64}`;
  await image.decode();
  const scale = scaleFor(image.naturalWidth, image.naturalHeight);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this window cannot draw pictures; save the map as SVG instead');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the map is too large for a picture; save it as SVG instead'))), 'image/png');
  });
}

/** The drawing as a PNG file. */
export async function pictureOf(svg: FileContents): Promise<FileContents> {
  const bytes = new Uint8Array(await (await blobOf(svg)).arrayBuffer());
  return { name: svg.name.replace(/\.svg$/, '.png'), mediaType: 'image/png', base64: base64Of(bytes) };
}

/** Puts the drawing on the clipboard as a PNG. Takes the promise: the permission belongs to the press, not to what comes later. */
export async function copyPicture(drawing: Promise<FileContents>): Promise<void> {
  if (typeof ClipboardItem === 'undefined' || !navigator.clipboard?.write) {
    throw new BackendError({ code: 'unavailable', message: 'this window cannot copy pictures; save the map as PNG instead' });
  }
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': drawing.then(blobOf) })]);
}
