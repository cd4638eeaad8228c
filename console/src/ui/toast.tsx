/** One line that says what was done, and takes it back where that can be. */
import { signal } from "@preact/signals";
import { t } from "../text/t";

interface Toast {
  text: string;
  undo?: (() => Promise<void>) | undefined;
}

const shown = signal<Toast | null>(null);
let timer: ReturnType<typeof setTimeout> | undefined;

export function toast(text: string, undo?: () => Promise<void>): void {
  shown.value = { text, undo };
  clearTimeout(timer);
  timer = setTimeout(() => (shown.value = null), undo ? 20_000 : 6_000);
}

export function Toasts() {
  const current = shown.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {current && (
        <div class="toast">
          <span>{current.text}</span>
          {current.undo && (
            <button
              type="button"
              onClick={async () => {
                shown.value = null;
                await current.undo!();
                toast(t().app.undone);
              }}
            >
              {t().app.undo}
            </button>
          )}
          <button type="button" class="quiet" aria-label={t().app.close} onClick={() => (shown.value = null)}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}
