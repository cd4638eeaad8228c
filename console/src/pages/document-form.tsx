/**
 * Edits one document that others may edit, too. It is saved with the ETag that was read; where
 * somebody was faster, both versions are shown, and what was typed is kept.
 */
import { useEffect, useState } from "preact/hooks";
import { answeredWhole } from "../api/client";
import { holdUnsaved } from "../app/router";
import { t } from "../text/t";
import { Field, Loaded, ProblemNotice } from "../ui/basics";
import { toast } from "../ui/toast";
import { useAction } from "../ui/use-action";
import { useLive } from "../api/live";
import { Diff } from "./history";

type Document = Record<string, unknown>;

interface Editor {
  /** Names of the fields in the order of the form, each with how it is written. */
  fields: readonly { name: string; label: string; hint?: string; kind: "text" | "json" | "number" | "choice"; choices?: readonly string[] }[];
  path: string;
  load: () => ReturnType<typeof answeredWhole>;
  save: (changes: Document, etag: string, message: string) => Promise<unknown>;
}

const written = (value: unknown, kind: string): string =>
  kind === "json" ? JSON.stringify(value ?? null, null, 1) : value === null || value === undefined ? "" : String(value);

export function DocumentForm({ editor }: { editor: Editor }) {
  const live = useLive(editor.path, async () => {
    const { data, response } = await editor.load();
    return { document: data as Document, etag: response.headers.get("etag") ?? "*" };
  }, 0);
  return <Loaded live={live}>{(read) => <Form key={editor.path} editor={editor} read={read} reload={live.reload} />}</Loaded>;
}

function Form({ editor, read, reload }: { editor: Editor; read: { document: Document; etag: string }; reload: () => void }) {
  const [base, setBase] = useState(read);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [message, setMessage] = useState("");
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [theirs, setTheirs] = useState<{ document: Document; etag: string } | null>(null);
  const { working, problem, run } = useAction();
  const dirty = Object.keys(typed).length > 0;
  useEffect(() => {
    holdUnsaved(dirty ? () => confirm(t().app.unsaved) : null);
    return () => holdUnsaved(null);
  }, [dirty]);
  // What others saved while nothing is typed here is simply shown.
  useEffect(() => { if (!dirty) setBase(read); }, [read.etag]);

  function changes(): Document | null {
    const faults: Record<string, string> = {};
    const result: Document = {};
    for (const { name, kind } of editor.fields) {
      const text = typed[name];
      if (text === undefined || text === written(base.document[name], kind)) continue;
      if (kind === "json") {
        try {
          result[name] = JSON.parse(text);
        } catch (error) {
          faults[name] = t().form.no_json((error as Error).message);
        }
      } else if (kind === "number") result[name] = text === "" ? null : Number(text);
      else result[name] = text === "" && base.document[name] === null ? null : text;
    }
    setWrong(faults);
    return Object.keys(faults).length ? null : result;
  }

  async function save(etag: string): Promise<void> {
    const wanted = changes();
    if (wanted === null || !Object.keys(wanted).length) return;
    const saved = await run(async () => {
      try {
        await editor.save(wanted, etag, message);
      } catch (error) {
        if ((error as { kind?: string }).kind === "outdated") {
          const { data, response } = await editor.load();
          setTheirs({ document: data as Document, etag: response.headers.get("etag") ?? "*" });
        }
        throw error;
      }
    });
    if (!saved) return;
    const before = Object.fromEntries(Object.keys(wanted).map((name) => [name, base.document[name] ?? null]));
    setTyped({});
    setTheirs(null);
    setMessage("");
    reload();
    toast(t().form.saved, async () => {
      await editor.save(before, "*", t().app.undo);
      reload();
    });
  }

  return (
    <form class="card" onSubmit={(event) => { event.preventDefault(); void save(base.etag); }}>
      {editor.fields.map(({ name, label, hint, kind, choices }) => (
        <Field key={name} label={label} hint={hint} error={wrong[name]}>
          {(ids) => {
            const value = typed[name] ?? written(base.document[name], kind);
            const set = (text: string) => setTyped({ ...typed, [name]: text });
            if (kind === "choice") return <select {...ids} value={value} onChange={(event) => set(event.currentTarget.value)}>{choices!.map((each) => <option key={each} value={each}>{each}</option>)}</select>;
            if (kind === "json") return <textarea {...ids} class="json" rows={Math.min(10, value.split("\n").length + 1)} spellcheck={false} value={value} onInput={(event) => set(event.currentTarget.value)} />;
            return <input {...ids} type={(kind === "number" ? "number" : "text") as "number"} min={0} value={value} onInput={(event) => set(event.currentTarget.value)} />;
          }}
        </Field>
      ))}
      <Field label={t().app.why} hint={t().app.whyHint}>
        {(ids) => <input {...ids} maxLength={1000} value={message} onInput={(event) => setMessage(event.currentTarget.value)} />}
      </Field>
      {theirs ? (
        <div class="notice warn" role="alert">
          <strong>{t().problem.outdated}.</strong> {t().problem.kept}
          <p>{t().form.theirs}: <Diff before={base.document} after={theirs.document} /></p>
          <p>{t().form.yours}: <Diff before={pick(theirs.document, changes() ?? {})} after={changes() ?? {}} /></p>
          <div class="actions">
            <button type="button" onClick={() => { const fresh = theirs; setBase(fresh); setTheirs(null); void save(fresh.etag); }}>{t().form.on_top}</button>
            <button type="button" class="quiet" onClick={() => { setBase(theirs); setTyped({}); setTheirs(null); }}>{t().form.take_theirs}</button>
          </div>
        </div>
      ) : (
        problem && <><ProblemNotice problem={problem} /><p class="why">{t().problem.kept}</p></>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={working}>{working ? t().act.working : t().app.save}</button>
        {dirty && <button type="button" class="quiet" onClick={() => { setTyped({}); setWrong({}); }}>{t().app.cancel}</button>}
      </div>
    </form>
  );
}

const pick = (document: Document, of: Document): Document => Object.fromEntries(Object.keys(of).map((name) => [name, document[name] ?? null]));
