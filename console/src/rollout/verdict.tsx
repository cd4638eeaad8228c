/** The verdict as a sentence: what, because of which metric, and what happens next by itself. */
import { coins, count, figure } from "../text/format";
import { t } from "../text/t";
import { personOf } from "../app/session";
import { Badge, Time } from "../ui/basics";
import type { RolloutData } from "./data";
import { metricsOf } from "./looks";
import type { Outlook } from "./outlook";
import { isFinal } from "./timeline";

export type Tone = "good" | "bad" | "warn" | "info";

const TONES: Record<string, Tone> = {
  pass: "good", fail: "bad", inconclusive: "info", no_data: "info", lost_traffic: "warn", error: "warn", none: "info",
  promoted: "good", rolled_back: "bad", failed: "bad",
};

/** The word for a rollout in a list: the verdict while it lasts, how it ended afterwards. */
export function wordOf(phase: string, kind: string | undefined): { word: string; tone: Tone } {
  if (isFinal(phase as never)) return { word: t().phase[phase as "promoted"], tone: TONES[phase]! };
  if (phase === "awaiting_approval" || phase === "paused" || phase === "preparing" || phase === "rolling_back") {
    return { word: t().phase[phase], tone: phase === "rolling_back" ? "bad" : phase === "preparing" ? "info" : "warn" };
  }
  const verdict = (kind ?? "none") as keyof ReturnType<typeof t>["verdict"]["sentence"];
  return { word: t().verdict[verdict], tone: TONES[verdict] ?? "info" };
}

function sentenceOf({ rollout }: RolloutData): string {
  const words = t().verdict;
  const challenger = rollout.challenger ?? "–";
  const champion = rollout.champion ?? "–";
  if (rollout.phase === "rolling_back") return words.going_back(challenger, champion);
  if (isFinal(rollout.phase)) {
    const ended = words.ended[rollout.phase as keyof typeof words.ended] as (c: string, n: string) => string;
    return ended(challenger, champion);
  }
  const kind = (rollout.verdict?.kind ?? "none") as keyof typeof words.sentence;
  return (words.sentence[kind] as (c: string, n: string) => string)(challenger, champion);
}

/** Which metric it is because of, with its counts. */
function becauseOf({ rollout, looks }: RolloutData): string {
  const words = t().verdict;
  const evidence = rollout.verdict?.evidence;
  const metrics = evidence ? metricsOf(evidence) : (looks[looks.length - 1]?.metrics ?? []);
  if (!metrics.length) return "";
  const kind = rollout.verdict?.kind;
  if (kind === "no_data" && evidence && !rollout.over) return words.requests(count(evidence.stage_requests), count(evidence.least_requests));
  const proven = evidence ? evidence.e_worse >= needOf(rollout) : (looks[looks.length - 1]?.worse ?? 0) >= needOf(rollout);
  // A person, or an alarm, took it back: what they said counts, and not what the bets say.
  if ((rollout.phase === "rolled_back" || rollout.phase === "rolling_back") && !proven) return rollout.reason;
  const bad = kind === "fail" || rollout.phase === "rolled_back" || rollout.phase === "rolling_back";
  const required = metrics.filter((each) => each.required);
  const pool = (bad ? metrics : required.length ? required : metrics).filter((each) => each.challenger.n > 0);
  if (!pool.length) return "";
  const chief = pool.reduce((a, b) => (bad ? (b.worse > a.worse ? b : a) : b.harmless < a.harmless ? b : a));
  const name = t().metric[chief.name] ?? chief.name;
  const ours = [count(chief.challenger.x), count(chief.challenger.n)] as const;
  const text = chief.champion
    ? words.because(name, ...ours, count(chief.champion.x), count(chief.champion.n))
    : words.because_one(name, ...ours);
  const need = needOf(rollout);
  const worse = evidence?.e_worse ?? looks[looks.length - 1]?.worse ?? 1;
  return bad ? `${text} ${words.coins_worse(coins(worse, need), figure(need))}` : text;
}

/** How many coins are proof: 1/alpha. */
export function needOf(rollout: RolloutData["rollout"]): number {
  const needed = rollout.verdict?.evidence?.e_needed;
  if (needed) return needed;
  return rollout.plan ? 1 / rollout.plan.alpha : 20;
}

export function VerdictCard({ data, outlook }: { data: RolloutData; outlook: Outlook }) {
  const { rollout } = data;
  const { word, tone } = wordOf(rollout.phase, rollout.verdict?.kind);
  const said = rollout.verdict?.reason ?? rollout.reason;
  return (
    <section class={`card verdict ${tone}`} aria-label={t().services.verdict}>
      <div class="sentence" role="status">
        <p class="line">
          <Badge kind={tone}>{word}</Badge> <strong>{sentenceOf(data)}</strong>
        </p>
        <p>{becauseOf(data)}</p>
        <p class="next">
          <span class="label">{t().next.title}:</span> {outlook.next} {outlook.deadline}
        </p>
      </div>
      <p class="meta">
        {t().rollout.started(personOf(rollout.actor), "")} <Time at={rollout.started_at} />
        {rollout.message && <> · “{rollout.message}”</>}
        {rollout.ended_at && <> · {t().rollout.ended("")} <Time at={rollout.ended_at} /></>}
        <details>
          <summary>{t().verdict.said}</summary>
          <q>{said}</q>
        </details>
      </p>
    </section>
  );
}
