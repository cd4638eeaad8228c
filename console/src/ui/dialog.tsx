/** A modal question: what will change, why it is done, and what the API said if it refused. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { newKey } from "../api/client";
import { Problem } from "../api/problem";
import { SignedOut } from "../api/transport";
import { signedOut } from "../app/session";
import { t } from "../text/t";
import { Field, ProblemNotice } from "./basics";

export interface Question {
  title: string;
  action: string;
  danger?: boolean;
  /** Whether a reason is asked for. */
  reason?: boolean;
  body: ComponentChildren;
  /** Carries it out. `key` stays the same while the question is open, so that a retry is no second act. */
  act: (reason: string, key: string) => Promise<void>;
}

export function Dialog({ question, close }: { question: Question; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const key = useRef(newKey());
  const [reason, setReason] = useState("");
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => dialog.current?.showModal(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setWorking(true);
    setProblem(null);
    try {
      await question.act(reason, key.current);
      close();
    } catch (error) {
      if (error instanceof SignedOut) signedOut.value = error.code;
      else if (error instanceof Problem) setProblem(error);
      else throw error;
    } finally {
      setWorking(false);
    }
  }

  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={submit}>
        <h2 id="question">{question.title}</h2>
        <div class="body">{question.body}</div>
        {question.reason !== false && (
          <Field label={t().app.why} hint={t().app.whyHint}>
            {(ids) => (
              <textarea
                {...ids}
                rows={2}
                maxLength={1000}
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        {problem && <ProblemNotice problem={problem} />}
        <footer>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            {t().app.cancel}
          </button>
          <button type="submit" class={question.danger ? "danger" : "primary"} disabled={working}>
            {working ? t().act.working : question.action}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
