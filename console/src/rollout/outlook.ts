/** What happens next by itself, and when: from the plan, the clock and the evidence. */
import { clock, count, moment, percent } from "../text/format";
import { t } from "../text/t";
import type { RolloutData } from "./data";

export interface Outlook {
  next: string;
  deadline: string | null;
  /** When the present step may end, in ms; null where it is not in sight. */
  stepEnds: number | null;
  /** When the rollout may be promoted, in ms. */
  promoted: number | null;
  /** Seconds of the present step's clock. */
  elapsed: number;
  /** Challenger requests a second at this step. */
  pace: number;
}

const when = (ms: number, now: number): string => (Math.abs(ms - now) < 72_000_000 ? clock(ms) : moment(ms));

const THEN = { roll_back: "rollback", promote: "promote", step: "promote" } as const;

export function outlookOf(data: RolloutData, now: number): Outlook {
  const { rollout } = data;
  const words = t().next;
  const { clock: at, eta } = rollout;
  const passed = at && !at.paused_since && !rollout.over ? Math.max(0, (now - Date.parse(at.now)) / 1000) : 0;
  const elapsed = (at?.elapsed_seconds ?? 0) + passed;
  const nothing = { deadline: null, stepEnds: null, promoted: null, elapsed, pace: eta?.pace ?? 0 };
  switch (rollout.phase) {
    case "preparing":
    case "promoted":
    case "rolled_back":
    case "rolling_back":
    case "failed":
      return { ...nothing, next: words[rollout.phase] };
    case "paused":
      return { ...nothing, next: words.paused };
  }
  const share = at?.next_mirror ? t().ladder.mirror(percent(at.next_mirror)) : at?.next_share == null || at.next_share >= 100 ? words.all : percent(at.next_share);
  if (rollout.phase === "awaiting_approval") return { ...nothing, next: words.approval(share) };
  if (!at || rollout.phase === "shifting") return { ...nothing, next: words.soon(share) };

  const seconds = eta?.step.seconds ?? null;
  const stepEnds = seconds === null ? null : Math.max(now, Date.parse(at.now) + seconds * 1000);
  const stages = (rollout.plan?.stages ?? []).slice(rollout.stage);
  const remaining = stages.reduce((sum, each) => sum + each.min_seconds * 1000, 0);
  const promoted = stepEnds === null || stages.some((each) => each.approval) ? null : stepEnds + remaining;
  const earliest = at.earliest_next ? Date.parse(at.earliest_next) : now;
  const latest = at.latest ? Date.parse(at.latest) : null;
  const then = THEN[at.at_latest as keyof typeof THEN];
  const deadline = latest === null || latest <= now || rollout.verdict?.kind === "pass" ? null : words.at_most(when(latest, now), words[then ?? "hold"]);

  let next: string;
  if (latest !== null && latest <= now && rollout.verdict?.kind !== "pass") next = words.held;
  else if (earliest > now && (stepEnds === null || stepEnds <= earliest + 30_000)) next = words.waits_time(share, when(earliest, now));
  else if (eta?.least.units) next = words.waits_requests(share, count(eta.least.units));
  else if (rollout.verdict?.kind === "pass") next = words.soon(share);
  else if (eta?.harmless.units && stepEnds !== null) next = words.waits_evidence_eta(share, count(eta.harmless.units), when(stepEnds, now));
  else next = words.waits_evidence(share);
  return { ...nothing, next, deadline, stepEnds, promoted };
}
