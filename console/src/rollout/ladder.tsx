/** The plan as a ladder: each step's share, time and requests, its gate, and when it may all end. */
import { clock, count, moment, percent, span } from "../text/format";
import { t } from "../text/t";
import type { RolloutData } from "./data";
import type { Outlook } from "./outlook";

export function Ladder({ data, outlook, now }: { data: RolloutData; outlook: Outlook; now: number }) {
  const { rollout } = data;
  const words = t().ladder;
  if (!rollout.plan) return <p class="card why">{t().rollout.no_plan}</p>;
  const { stages } = rollout.plan;
  const present = rollout.stage - 1;
  const promoted = rollout.phase === "promoted";
  const back = rollout.phase === "rolled_back" || rollout.phase === "rolling_back" || rollout.phase === "failed";
  const counted = rollout.verdict?.evidence?.stage_requests ?? 0;
  const when = (ms: number) => (ms - now < 72_000_000 ? clock(ms) : moment(ms));
  return (
    <section class="card ladder" aria-label={words.title}>
      <ol>
        {stages.map((stage, index) => {
          const done = promoted || index < present;
          const current = index === present && !promoted;
          const state = done ? "done" : current ? (back ? "bad" : "now") : "later";
          const time = Math.min(1, stage.min_seconds ? outlook.elapsed / stage.min_seconds : 1);
          const requests = Math.min(1, stage.min_requests ? counted / stage.min_requests : 1);
          return (
            <li key={index} class={state} aria-current={current ? "step" : undefined}>
              {stage.approval && <span class={`gate ${index <= present || promoted ? "open" : ""}`}>⚑ {words.gate}</span>}
              <strong>{stage.mirror ? words.mirror(percent(stage.mirror)) : percent(stage.weight)}</strong>
              <span class="state">{stage.bake ? `${words.bake} · ` : ""}{words[state === "bad" ? "ended" : state]}</span>
              {stage.match && <span>{words.match}</span>}
              {current ? (
                <>
                  <span>{words.time(span(outlook.elapsed), span(stage.min_seconds))}</span>
                  <Meter part={time} />
                  <span>{words.requests(count(counted), count(stage.min_requests))}</span>
                  <Meter part={requests} />
                </>
              ) : (
                <>
                  <span>{words.least(span(stage.min_seconds), span(stage.max_seconds))}</span>
                  <span>{words.least_requests(count(stage.min_requests))}</span>
                </>
              )}
            </li>
          );
        })}
        <li class={promoted ? "done" : "later"}>
          <strong>{words.all}</strong>
          <span class="state">{promoted ? words.done : words.later}</span>
          {!rollout.over && (
            <span class="forecast">
              {outlook.promoted === null ? words.end_unknown : words.end_at(when(outlook.promoted))}
            </span>
          )}
        </li>
      </ol>
    </section>
  );
}

function Meter({ part }: { part: number }) {
  return (
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect width="100" height="4" rx="2" />
      <rect class="part" width={100 * part} height="4" rx="2" />
    </svg>
  );
}
