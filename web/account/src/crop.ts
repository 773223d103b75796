/** Which square of a picture is kept. All lengths are in pixels of the picture. */

import { PageError } from "./PageError";

export interface Crop {
  /** The centre of the square. */
  x: number;
  y: number;
  /** How many times the square fits into the largest one. */
  zoom: number;
}

interface Size {
  width: number;
  height: number;
}

export const MAX_ZOOM = 4;

/** The largest picture that is sent has this many pixels at a side: more gain nothing. */
const MAX_SIDE = 1024;

/** Return the largest square, in the middle. */
export function middleOf({ width, height }: Size): Crop {
  return { x: width / 2, y: height / 2, zoom: 1 };
}

/** Move the picture under the square, by parts of the square. */
export function moved(crop: Crop, size: Size, right: number, down: number): Crop {
  const side = sideOf(crop, size);
  return inside({ ...crop, x: crop.x - right * side, y: crop.y - down * side }, size);
}

/** Keep the centre of the square, as far as the picture allows. */
export function zoomed(crop: Crop, size: Size, zoom: number): Crop {
  return inside({ ...crop, zoom: between(1, zoom, MAX_ZOOM) }, size);
}

/** Draw the square on all of a canvas. */
export function draw(canvas: HTMLCanvasElement, picture: ImageBitmap, crop: Crop): void {
  const context = canvas.getContext("2d");
  if (!context) throw tooLarge();
  const side = sideOf(crop, picture);
  const [left, top] = [crop.x - side / 2, crop.y - side / 2];
  context.imageSmoothingQuality = "high";
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, left, top, side, side, 0, 0, canvas.width, canvas.height);
}

/** Return the square as a file: WebP or, of browsers that cannot write that, JPEG. */
export async function cut(picture: ImageBitmap, crop: Crop): Promise<Blob> {
  const canvas = document.createElement("canvas");
  const side = between(1, Math.round(sideOf(crop, picture)), MAX_SIDE);
  [canvas.width, canvas.height] = [side, side];
  draw(canvas, picture, crop);
  const file = await fileOf(canvas, "image/webp");
  if (file.type === "image/webp") return file;
  fillBehind(canvas);
  return fileOf(canvas, "image/jpeg");
}

/** The picture needs more memory than the browser has for it. */
export function tooLarge(): PageError {
  return new PageError(({ picture }) => picture.tooLarge);
}

function sideOf({ zoom }: Crop, { width, height }: Size): number {
  return Math.min(width, height) / zoom;
}

function inside({ x, y, zoom }: Crop, size: Size): Crop {
  const half = sideOf({ x, y, zoom }, size) / 2;
  return {
    x: between(half, x, size.width - half),
    y: between(half, y, size.height - half),
    zoom,
  };
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function fileOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((file) => (file ? resolve(file) : reject(tooLarge())), type, 0.92);
  });
}

/** What is transparent would be black in a JPEG. */
function fillBehind(canvas: HTMLCanvasElement): void {
  const context = canvas.getContext("2d");
  if (!context) throw tooLarge();
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
}
