/** The language of the pages: the user's choice, or the first of the browser's that there is. */

import { useSyncExternalStore } from "react";
import { de } from "./de";
import { en, type Texts } from "./en";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

const CATALOGUE: Record<Language, Texts> = { en, de };
const SAVED_KEY = "account:language";

let language = saved() ?? navigator.languages.map(known).find(Boolean) ?? "en";
const listeners = new Set<() => void>();

document.documentElement.lang = language;

export function useTexts(): Texts {
  return CATALOGUE[useLanguage()];
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => language);
}

export function currentLanguage(): Language {
  return language;
}

/** Return the locale for dates and numbers: the browser's variant of the language, if it has one. */
export function useLocale(): string {
  const language = useLanguage();
  return navigator.languages.find((locale) => known(locale) === language) ?? language;
}

export function setLanguage(chosen: Language): void {
  language = chosen;
  document.documentElement.lang = chosen;
  try {
    localStorage.setItem(SAVED_KEY, chosen);
  } catch {
    // The browser blocks it: the choice holds until the page is loaded again.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function saved(): Language | undefined {
  try {
    return known(localStorage.getItem(SAVED_KEY) ?? "");
  } catch {
    return undefined;
  }
}

function known(locale: string): Language | undefined {
  const [language] = locale.toLowerCase().split("-");
  return (Object.keys(LANGUAGES) as Language[]).find((name) => name === language);
}
