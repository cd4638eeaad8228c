/** Lanes without a scale of their own: alarms, and who did what. */
import { Time } from "../ui/basics";
import { clock } from "../text/format";
import { t } from "../text/t";
import { personOf } from "../app/session";
import { byPerson, type Act, type Timeline } from "../rollout/timeline";
import { Lane, usePictures } from "./lane";
import { EDGE, GUTTER } from "./scale";

export interface AlarmSpan {
  start: number;
  end: number;
  state: "armed" | "alarm" | "none";
  reason: string;
}

/** What the record says of the alarms: armed when the challenger was admitted, red when it fell. */
export function alarmsOf(timeline: Timeline, now: number): AlarmSpan[] {
  const end = timeline.end ?? now;
  const armed = timeline.acts.find((each) => each.action === "admitted");
  const red = timeline.acts.find((each) => /guardrail in alarm/.test(each.reason));
  const spans: AlarmSpan[] = [];
  if (!armed || armed.at > timeline.start) {
    spans.push({ start: timeline.start, end: armed?.at ?? end, state: "none", reason: "" });
  }
  if (armed) spans.push({ start: armed.at, end: red?.at ?? end, state: "armed", reason: armed.reason });
  if (red) spans.push({ start: red.at, end, state: "alarm", reason: red.reason });
  return spans;
}

export function AlarmPicture({ spans, challenger }: { spans: readonly AlarmSpan[]; challenger: string | null }) {
  const words = t().picture;
  const HEIGHT = 30;
  const label = (state: AlarmSpan["state"]) =>
    state === "alarm" ? words.in_alarm : state === "armed" ? words.armed(challenger ?? "–") : words.armed_none;
  return (
    <Lane
      title={words.alarms}
      hint={words.alarms_hint}
      height={HEIGHT}
      summary={spans.map((each) => `${clock(each.start)} ${label(each.state)}`).join(", ")}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.start, true) },
          { head: words.alarms, cell: (row) => label(row.state) },
          { head: t().evidence.says, cell: (row) => row.reason },
        ],
        rows: spans,
      }}
    >
      {(x, width) => (
        <>
          {spans.map((each) => {
            const from = Math.max(GUTTER, x(each.start));
            const wide = Math.max(3, Math.min(width - EDGE, x(each.end)) - from);
            return (
              <g key={each.start}>
                <rect class={`span ${each.state}`} x={from} width={wide} y={7} height={16} rx={3} />
                {wide > 130 && <text class={`span-label ${each.state}`} x={from + 8} y={19}>{label(each.state)}</text>}
              </g>
            );
          })}
        </>
      )}
    </Lane>
  );
}

const MARKS: Record<string, string> = {
  release: "⬆", advance: "▶", shifted: "▸", promoted: "✔", fence: "◀", "rolled-back": "✖", failed: "✖", admitted: "✓", published: "•",
};

export function AuditPicture({ timeline }: { timeline: Timeline }) {
  const { cursor } = usePictures();
  const words = t().picture;
  const HEIGHT = 34;
  return (
    <Lane
      title={words.audit}
      height={HEIGHT}
      summary={timeline.acts.map((each) => `${clock(each.at)} ${whoOf(each)} ${each.action}`).join(", ")}
      legend={<><i class="key dot person" />{t().app.groups}<i class="key dot" />{words.engine}</>}
      table={{
        columns: [
          { head: words.time, cell: (row) => clock(row.at, true) },
          { head: words.audit, cell: whoOf },
          { head: t().history.action, cell: (row) => actionOf(row.action) },
          { head: t().history.why, cell: (row) => row.reason },
        ],
        rows: timeline.acts,
      }}
    >
      {(x) => (
        <>
          <line class="rail" x1={GUTTER} x2={x(timeline.end ?? Number.MAX_SAFE_INTEGER) || 0} y1={17} y2={17} />
          {timeline.acts.map((each) => (
            <g key={each.seq} class={`act ${byPerson(each.actor) ? "person" : ""} ${each.action}`} onClick={() => (cursor.value = each.at)}>
              <title>{`${clock(each.at, true)} · ${whoOf(each)} · ${actionOf(each.action)} · ${each.reason}`}</title>
              <circle cx={x(each.at)} cy={17} r={byPerson(each.actor) ? 8 : 5} />
              {byPerson(each.actor) && <text x={x(each.at)} y={21} text-anchor="middle">{MARKS[each.action] ?? whoOf(each).slice(0, 1).toUpperCase()}</text>}
            </g>
          ))}
        </>
      )}
    </Lane>
  );
}

export const whoOf = (act: { actor: string }): string => (byPerson(act.actor) ? personOf(act.actor) : act.actor === "halftone" ? t().picture.engine : act.actor);

export const actionOf = (action: string): string => t().history.actions[action] ?? action;

/** The newest acts as lines, the newest first. */
export function ActList({ acts, most }: { acts: readonly Act[]; most: number }) {
  return (
    <ol class="acts">
      {acts.slice(-most).reverse().map((each) => (
        <li key={each.seq} class={byPerson(each.actor) ? "person" : ""}>
          <Time at={each.at} how="clock" /> <strong>{whoOf(each)}</strong> {actionOf(each.action)}
          <span class="why"> {each.reason}</span>
        </li>
      ))}
    </ol>
  );
}
