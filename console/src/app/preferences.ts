/** Language, theme and clock, kept in this browser. */
import { effect, signal } from "@preact/signals";

export type Language = "en" | "zh" | "pl";
export type Theme = "auto" | "light" | "dark";
export type Zone = "local" | "utc";

const KEY = "halftone-preferences";
const LANGUAGES: readonly Language[] = ["en", "zh", "pl"];

function kept(): { language?: Language; theme?: Theme; zone?: Zone } {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

function guessed(): Language {
  for (const wish of navigator.languages) {
    const language = LANGUAGES.find((each) => wish.toLowerCase().startsWith(each));
    if (language) return language;
  }
  return "en";
}

const before = kept();
export const language = signal<Language>(before.language ?? guessed());
export const theme = signal<Theme>(before.theme ?? "auto");
export const zone = signal<Zone>(before.zone ?? "local");

export const TAGS: Record<Language, string> = { en: "en", zh: "zh-CN", pl: "pl" };

effect(() => {
  const preferences = { language: language.value, theme: theme.value, zone: zone.value };
  localStorage.setItem(KEY, JSON.stringify(preferences));
  document.documentElement.lang = TAGS[language.value];
  document.documentElement.dataset["theme"] = theme.value;
});
