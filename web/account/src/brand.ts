/** The colour and the logo of the brand. Styles set by a script pass the Content Security Policy. */

import icon from "./icon.svg";
import { settings } from "./settings";

type Color = [red: number, green: number, blue: number];

const WHITE: Color = [255, 255, 255];
const BLACK: Color = [0, 0, 0];
const DARK_SURFACE = parse("#181b21");

// WCAG 1.4.3 asks for 4.5. The pages' backgrounds are a little darker than white.
const CONTRAST = 5;

export const logo = settings.logo ?? icon;

/** Set the colour for both themes, and the icon of the tab. */
export function applyBrand(): void {
  const color = parse(settings.color);
  const { style } = document.documentElement;
  style.setProperty("--accent-light", text(adjust(color, WHITE, BLACK)));
  style.setProperty("--accent-dark", text(adjust(color, DARK_SURFACE, WHITE)));
  if (settings.logo) {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    link?.removeAttribute("type");
    link?.setAttribute("href", settings.logo);
  }
}

/** Mix a colour with another one until it can be read on a background. */
function adjust(color: Color, background: Color, towards: Color): Color {
  let mixed = color;
  for (let share = 0.05; contrast(mixed, background) < CONTRAST && share <= 1; share += 0.05) {
    mixed = color.map((part, at) => part + (towards[at]! - part) * share) as Color;
  }
  return mixed;
}

function contrast(one: Color, other: Color): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

/** The relative luminance of a colour (WCAG 2.2). */
function luminance(color: Color): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Color;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function parse(hex: string): Color {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Color;
}

function text(color: Color): string {
  return `rgb(${color.map(Math.round).join(" ")})`;
}
