/** Scales and paths of the pictures: from times and numbers to pixels. */
import { clock, moment } from "../text/format";

export const GUTTER = 54;
export const EDGE = 10;

export interface Domain {
  start: number;
  end: number;
}

export type Scale = (value: number) => number;

/** Pixels from the left of a picture that is `width` wide. */
export function timeScale(domain: Domain, width: number): Scale {
  const span = Math.max(1, domain.end - domain.start);
  return (at) => GUTTER + ((at - domain.start) / span) * (width - GUTTER - EDGE);
}

export function linear(from: number, to: number, low: number, high: number): Scale {
  return (value) => low + ((value - from) / (to - from || 1)) * (high - low);
}

export function logarithmic(from: number, to: number, low: number, high: number): Scale {
  const scale = linear(Math.log(from), Math.log(to), low, high);
  return (value) => scale(Math.log(Math.min(to, Math.max(from, value))));
}

const NICE = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** Round times in a domain, at most so many. */
export function timeTicks(domain: Domain, most: number): { at: number; label: string }[] {
  const seconds = (domain.end - domain.start) / 1000;
  const step = (NICE.find((each) => seconds / each <= most) ?? 2_592_000) * 1000;
  const offset = new Date(domain.start).getTimezoneOffset() * 60_000;
  const ticks = [];
  for (let at = Math.ceil((domain.start - offset) / step) * step + offset; at <= domain.end; at += step) {
    ticks.push({ at, label: seconds > 129_600 ? moment(at) : clock(at, step < 60_000) });
  }
  return ticks;
}

/** A round number that is not below `value`. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= value * 0.999)!;
}

export interface Point {
  x: number;
  y: number;
}

export const line = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** A line that stays at each value until the next one. */
export function steps(points: readonly Point[], until: number): string {
  let path = "";
  points.forEach(({ x, y }, index) => {
    path += index ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return path && `${path}H${until.toFixed(1)}`;
}

export function area(upper: readonly Point[], lower: readonly Point[]): string {
  return upper.length ? `${line(upper)}${line([...lower].reverse()).replace("M", "L")}Z` : "";
}

/** Every n-th of so many that more would fall on the same pixel; the last one stays. */
export function thinned<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  const every = items.length / most;
  const kept = Array.from({ length: most }, (_, index) => items[Math.floor(index * every)]!);
  kept[most - 1] = items[items.length - 1]!;
  return kept;
}

/** The last item that is not after `at`. */
export function before<T extends { at: number }>(items: readonly T[], at: number): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}
