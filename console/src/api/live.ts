/** What is read again and again while a page is open. The last answer stays while a read fails. */
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "./problem";
import { SignedOut } from "./transport";
import { signedOut } from "../app/session";

export interface Live<T> {
  data: T | null;
  problem: Problem | null;
  /** When `data` was read, in ms; 0 before that. */
  at: number;
  loading: boolean;
}

export interface LiveHandle<T> extends Live<T> {
  reload: () => void;
}

/** Seconds between reads by what is going on; none in a hidden tab. */
export const PACE = { shifting: 2, observing: 10, idle: 60, once: 0 } as const;

const EMPTY: Live<never> = { data: null, problem: null, at: 0, loading: true };
const LONGEST = 60;

/**
 * Reads `load` now, when `key` changes, and every `pace` seconds after an answer (0: never again).
 * A failed read comes again after twice the time, and at once when the tab is looked at.
 */
export function useLive<T>(
  key: string,
  load: () => Promise<T>,
  pace: number | ((data: T | null) => number),
): LiveHandle<T> {
  const state: Signal<Live<T>> = useSignal<Live<T>>(EMPTY);
  const again = useRef<() => void>(() => {});
  const latest = useRef({ load, pace });
  latest.current = { load, pace };

  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    state.value = EMPTY as Live<T>;

    async function read(): Promise<void> {
      clearTimeout(timer);
      try {
        const data = await latest.current.load();
        if (over) return;
        failures = 0;
        state.value = { data, problem: null, at: Date.now(), loading: false };
      } catch (error) {
        if (over) return;
        if (error instanceof SignedOut) {
          signedOut.value = error.code;
          return;
        }
        if (!(error instanceof Problem)) throw error;
        failures += 1;
        state.value = { ...state.value, problem: error, loading: false };
      }
      plan();
    }

    function plan(): void {
      const { pace } = latest.current;
      const seconds = typeof pace === "function" ? pace(state.value.data) : pace;
      if (over || (seconds === 0 && failures === 0) || document.hidden) return;
      const wait = failures ? Math.min(LONGEST, (seconds || 5) * 2 ** failures) : seconds;
      const asked = state.value.problem?.wait ?? 0;
      timer = setTimeout(() => void read(), Math.max(wait, asked) * 1000);
    }

    function look(): void {
      clearTimeout(timer);
      const { pace } = latest.current;
      const seconds = typeof pace === "function" ? pace(state.value.data) : pace;
      if (!document.hidden && (seconds !== 0 || failures)) void read();
    }

    again.current = () => void read();
    document.addEventListener("visibilitychange", look);
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [key]);

  return { ...state.value, reload: () => again.current() };
}
