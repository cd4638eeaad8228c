/** A picture on the common time axis: its title, its drawing, and the same as a table. */
import type { Signal } from "@preact/signals";
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { Table, type Column } from "../ui/basics";
import { t } from "../text/t";
import { EDGE, GUTTER, timeScale, timeTicks, type Domain, type Scale } from "./scale";

export interface Pictures {
  domain: Domain;
  width: number;
  /** The moment that every picture shows, in ms. */
  cursor: Signal<number | null>;
  pauses: readonly Domain[];
}

export const PicturesContext = createContext<Pictures | null>(null);

export function usePictures(): Pictures & { x: Scale } {
  const pictures = useContext(PicturesContext)!;
  return { ...pictures, x: timeScale(pictures.domain, pictures.width) };
}

/** The width of an element, as it changes. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(800);
  const observer = useRef<ResizeObserver | null>(null);
  const set = useRef((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)));
    observer.current.observe(element);
  });
  return [set.current, width];
}

interface LaneProps<Row> {
  title: string;
  hint?: string;
  height: number;
  legend?: ComponentChildren;
  /** What the drawing says, in a sentence, for those who don't see it. */
  summary: string;
  table: { columns: Column<Row>[]; rows: readonly Row[] };
  children: (x: Scale, width: number) => ComponentChildren;
}

export function Lane<Row>({ title, hint, height, legend, summary, table, children }: LaneProps<Row>) {
  const { width, x, domain, cursor, pauses } = usePictures();
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  const move = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const part = (event.clientX - box.left - GUTTER) / (width - GUTTER - EDGE);
    cursor.value = domain.start + Math.min(1, Math.max(0, part)) * (domain.end - domain.start);
  };
  return (
    <figure class="lane" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        {legend && <span class="legend">{legend}</span>}
        {hint && <span class="hint">{hint}</span>}
        <button type="button" class="quiet switch" aria-expanded={asTable} aria-label={`${asTable ? t().app.picture : t().app.table}: ${title}`} title={asTable ? t().app.picture : t().app.table} onClick={() => setAsTable(!asTable)}>
          {asTable ? "◔" : "▤"}
        </button>
      </figcaption>
      {asTable ? (
        <div class="behind">
          <Table caption={title} hideCaption columns={table.columns} rows={table.rows} keyOf={(_, index) => index} />
        </div>
      ) : (
        <svg role="img" aria-label={`${title}. ${summary}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} onPointerMove={move} onPointerDown={move}>
          {pauses.map((pause) => (
            <rect class="pause" x={x(pause.start)} width={Math.max(1, x(pause.end) - x(pause.start))} y={0} height={height} />
          ))}
          {children(x, width)}
          <Cursor height={height} x={x} />
        </svg>
      )}
    </figure>
  );
}

function Cursor({ height, x }: { height: number; x: Scale }) {
  const { cursor } = usePictures();
  if (cursor.value === null) return null;
  const at = x(cursor.value);
  return <line class="cursor" x1={at} x2={at} y1={0} y2={height} />;
}

/** Horizontal lines with their labels in the gutter. */
export function Grid({ ticks, y, width }: { ticks: readonly { value: number; label: string }[]; y: Scale; width: number }) {
  return (
    <g class="grid">
      {ticks.map(({ value, label }) => (
        <g key={value}>
          <line x1={GUTTER} x2={width - EDGE} y1={y(value)} y2={y(value)} />
          <text x={GUTTER - 7} y={y(value) + 3.5} text-anchor="end">{label}</text>
        </g>
      ))}
    </g>
  );
}

export function TimeAxis() {
  const { width, x, domain } = usePictures();
  return (
    <svg class="axis" width={width} height={20} viewBox={`0 0 ${width} 20`} aria-hidden="true">
      {timeTicks(domain, Math.max(2, Math.floor(width / 95))).map(({ at, label }) => (
        <g key={at}>
          <line x1={x(at)} x2={x(at)} y1={0} y2={5} />
          <text x={x(at)} y={17} text-anchor={x(at) > width - 40 ? "end" : "middle"}>{label}</text>
        </g>
      ))}
    </svg>
  );
}

/** The cursor as a control: arrow keys move it, and a screen reader says what it reads. */
export function Scrubber({ at, say, onCommit }: { at: Signal<number | null>; say: string; onCommit: (ms: number | null) => void }) {
  const { domain } = usePictures();
  const step = Math.max(1000, Math.round((domain.end - domain.start) / 300));
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="range"
      class="scrubber noprint"
      aria-label={t().picture.cursor}
      aria-valuetext={say}
      title={t().picture.cursor_help}
      min={domain.start}
      max={domain.end}
      step={step}
      value={at.value ?? domain.end}
      onInput={(event) => {
        const ms = Number(event.currentTarget.value);
        at.value = ms;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => onCommit(ms), 400);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        clearTimeout(timer.current);
        at.value = null;
        onCommit(null);
      }}
    />
  );
}
