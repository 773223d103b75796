import { useLocale } from "./texts/language";

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
] as const;
const A_WEEK = 7 * 86400;

/** A time in the user's locale and time zone: how long ago if that is recent, else date and time. */
export function Time({ at, ...options }: { at: string; isExact?: boolean }) {
  const locale = useLocale();
  const date = new Date(at);
  const exact = date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  return (
    <time dateTime={at} title={exact}>
      {options.isExact ? exact : (ago(date, locale) ?? exact)}
    </time>
  );
}

export function useDay(at: string): string {
  return new Date(at).toLocaleDateString(useLocale(), { dateStyle: "long" });
}

function ago(date: Date, locale: string): string | undefined {
  const seconds = (Date.now() - date.getTime()) / 1000;
  if (seconds > A_WEEK) return undefined;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const found = UNITS.find(([, length]) => seconds >= length);
  return found ? format.format(-Math.floor(seconds / found[1]), found[0]) : format.format(0, "second");
}
