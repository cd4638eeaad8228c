/** Numbers, times and spans in the reader's language. */
import { language, TAGS, zone } from "../app/preferences";

const tag = () => TAGS[language.value];

export function plural(n: number, forms: Partial<Record<Intl.LDMLPluralRule, string>>): string {
  const rule = new Intl.PluralRules(tag()).select(n);
  return (forms[rule] ?? forms.other ?? "").replace("#", count(n));
}

export function count(n: number): string {
  return new Intl.NumberFormat(tag(), { maximumFractionDigits: 0 }).format(n);
}

/** A number with at most so many significant digits. */
export function figure(n: number, digits = 3): string {
  return new Intl.NumberFormat(tag(), { maximumSignificantDigits: digits }).format(n);
}

/** An e-value as coins; beyond what proves it, how much more says nothing. */
export function coins(value: number, need: number): string {
  if (value >= need) return `${figure(need)}+`;
  return value < 0.01 ? "0" : figure(value, 2);
}

/** A share in percent, of 100. */
export function percent(n: number, digits = 3): string {
  return `${figure(n, digits)}\u00a0%`;
}

/** A part of a whole as a percentage; "" for a part of nothing. */
export function rate(x: number, n: number): string {
  return n ? percent((100 * x) / n, 2) : "";
}

const options = (fields: Intl.DateTimeFormatOptions): Intl.DateTimeFormatOptions =>
  zone.value === "utc" ? { ...fields, timeZone: "UTC" } : fields;

export function clock(ms: number, seconds = false): string {
  const fields: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(tag(), options(seconds ? { ...fields, second: "2-digit" } : fields)).format(ms);
}

export function moment(ms: number): string {
  const fields = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(tag(), options(fields)).format(ms);
}

export function fullMoment(ms: number): string {
  const fields = { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(tag(), options(fields)).format(ms);
}

export const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** A span with its two largest units: `1 h 20 min`. */
export function span(seconds: number): string {
  const units: [string, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    if (whole && parts.length < 2) {
      parts.push(new Intl.NumberFormat(tag(), { style: "unit", unit, unitDisplay: "short" }).format(whole));
      rest -= whole * size;
    } else if (parts.length) break;
  }
  if (!parts.length) return new Intl.NumberFormat(tag(), { style: "unit", unit: "second", unitDisplay: "short" }).format(0);
  return parts.join(" ");
}

/** How long ago, in words. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1000);
  const format = new Intl.RelativeTimeFormat(tag(), { numeric: "auto", style: "short" });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12]];
  let value = seconds;
  for (const [unit, size] of steps) {
    if (Math.abs(value) < size) return format.format(Math.round(value), unit);
    value /= size;
  }
  return format.format(Math.round(value), "year");
}

export function bytes(n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const format = { style: "unit", unit: units[unit]!, unitDisplay: "short", maximumSignificantDigits: 3 } as const;
  return new Intl.NumberFormat(tag(), format).format(value);
}
