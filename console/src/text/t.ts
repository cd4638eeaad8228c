/** The catalog of the language that is set. Others than English are loaded when they are wanted. */
import { computed, effect, signal } from "@preact/signals";
import { language, type Language } from "../app/preferences";
import { en, type Messages } from "./en";

const loaded = signal<Partial<Record<Language, Messages>>>({ en });

const LOAD: Record<Language, () => Promise<Messages>> = {
  en: async () => en,
  zh: async () => (await import("./zh")).zh,
  pl: async () => (await import("./pl")).pl,
};

effect(() => {
  const wanted = language.value;
  if (loaded.peek()[wanted]) return;
  void LOAD[wanted]().then((messages) => {
    loaded.value = { ...loaded.peek(), [wanted]: messages };
  });
});

export const ready = computed(() => loaded.value[language.value] !== undefined);

const current = computed<Messages>(() => loaded.value[language.value] ?? en);

/** The catalog; reading it in a component draws the component again in another language. */
export const t = (): Messages => current.value;
