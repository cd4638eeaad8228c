/** The small parts that every page is made of: native controls with one look. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { Live } from "../api/live";
import { Problem } from "../api/problem";
import { ago, clock, fullMoment, moment, utc } from "../text/format";
import { t } from "../text/t";

export function Time({ at, how = "moment" }: { at: string | number; how?: "moment" | "clock" | "ago" }) {
  const ms = typeof at === "number" ? at : Date.parse(at);
  const shown = how === "ago" ? ago(ms, Date.now()) : how === "clock" ? clock(ms, true) : moment(ms);
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${fullMoment(ms)} · ${utc(ms)}`}>
      {shown}
    </time>
  );
}

export function ProblemNotice({ problem, retry }: { problem: Problem; retry?: (() => void) | undefined }) {
  const { field } = t().problem;
  return (
    <div class="notice bad" role="alert">
      <strong>{t().problem[problem.kind]}</strong>
      {problem.fields.length ? (
        <ul>
          {problem.fields.map((each) => (
            <li key={each.field}>{field(each.field, each.value, each.expected)}</li>
          ))}
        </ul>
      ) : (
        problem.detail && <p>{problem.detail}</p>
      )}
      {retry && (
        <button type="button" onClick={retry}>
          {t().app.retry}
        </button>
      )}
    </div>
  );
}

/** What a page says while it has no answer, and since when it has only an old one. */
export function Loaded<T>({
  live,
  children,
}: {
  live: Live<T> & { reload?: () => void };
  children: (data: T) => ComponentChildren;
}) {
  if (live.data === null) {
    if (live.problem) return <ProblemNotice problem={live.problem} retry={live.reload} />;
    return <p class="loading" aria-busy="true">{t().app.loading}</p>;
  }
  return (
    <>
      {live.problem && (
        <p class="notice warn" role="status">
          <strong>{t().problem[live.problem.kind]}.</strong> {t().app.stale(clock(live.at, true))}
        </p>
      )}
      {children(live.data)}
    </>
  );
}

export function CopyButton({ text, label }: { text: string | (() => string); label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      class="quiet"
      onClick={async () => {
        await navigator.clipboard.writeText(typeof text === "string" ? text : text());
        setCopied(true);
      }}
    >
      <span aria-live="polite">{copied ? `✓ ${t().app.copied}` : (label ?? t().app.copy)}</span>
    </button>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={label}>{text}</pre>
      <CopyButton text={text} />
    </div>
  );
}

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Dots />
      <h2>{title}</h2>
      {hint && <p>{hint}</p>}
      {children}
    </div>
  );
}

/** The printer's grey that the project is named after. */
export function Dots() {
  const dots = [];
  for (let x = 0; x < 9; x += 1) {
    for (let y = 0; y < 3; y += 1) dots.push(<circle cx={8 + x * 14} cy={8 + y * 14} r={0.8 + x * 0.62} />);
  }
  return <svg class="dots" viewBox="0 0 128 44" aria-hidden="true">{dots}</svg>;
}

export function Badge({ kind, children }: { kind: string; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => JSX.Element;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": error !== undefined })}
      <small id={`${id}-hint`} class={error ? "error" : ""}>
        {error ?? hint}
      </small>
    </div>
  );
}

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  number?: boolean;
}

/** A table that scrolls sideways by itself on a narrow screen. */
export function Table<T>({
  caption,
  columns,
  rows,
  keyOf,
  hideCaption = false,
}: {
  caption: string;
  columns: Column<T>[];
  rows: readonly T[];
  keyOf: (row: T, index: number) => string | number;
  hideCaption?: boolean;
}) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class={hideCaption ? "hidden" : ""}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} scope="col" class={column.number ? "number" : ""}>{column.head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={keyOf(row, index)}>
              {columns.map((column, place) =>
                place === 0 ? (
                  <th key={column.head} scope="row">{column.cell(row)}</th>
                ) : (
                  <td key={column.head} class={column.number ? "number" : ""}>{column.cell(row)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
