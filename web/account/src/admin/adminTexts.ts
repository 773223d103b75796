/** The texts of the pages of administrators, which other users do not load. */

import { setNotice } from "../notice";
import { currentLanguage, type Language, useLanguage } from "../texts/language";
import { de } from "./texts/de";
import { type AdminTexts, en } from "./texts/en";

const CATALOGUE: Record<Language, AdminTexts> = { en, de };

export function useAdminTexts(): AdminTexts {
  return CATALOGUE[useLanguage()];
}

/** Return the texts of now, outside of components. */
export function adminTexts(): AdminTexts {
  return CATALOGUE[currentLanguage()];
}

/** Show a notice, which follows the language. */
export function say(text: (texts: AdminTexts) => string): void {
  setNotice(() => text(adminTexts()));
}
