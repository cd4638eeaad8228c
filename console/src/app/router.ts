/** Addresses: each page has one, the back button works, and a link can be sent to somebody. */
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname.replace(/\/+$/, "") || "/",
  query: new URLSearchParams(location.search),
});

export const place = signal<Place>(here());

/** Asks before a page with unsaved input is left; null: nothing would be lost. */
let guard: (() => boolean) | null = null;

export function holdUnsaved(ask: (() => boolean) | null): void {
  guard = ask;
}

export function go(to: string, { replace = false } = {}): void {
  if (!replace && guard !== null && !guard()) return;
  guard = null;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  place.value = here();
  if (!replace) {
    scrollTo(0, 0);
    queueMicrotask(() => document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true }));
  }
}

/** Changes the query of the present address, without a step of the back button. */
export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(place.value.path + (text ? `?${text}` : ""), { replace: true });
}

export function startRouter(): void {
  addEventListener("popstate", () => (place.value = here()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** The values of a pattern such as `/endpoints/:name` in a path; null if it is another. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = parts[index]!;
    if (part.startsWith(":")) values[part.slice(1)] = decodeURIComponent(actual);
    else if (part !== actual) return null;
  }
  return values;
}
