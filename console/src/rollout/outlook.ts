/** What happens next by itself, and when: from the plan, the clock and the evidence. */
import { clock, count, moment, percent } from "../text/format";
import { t } from "../text/t";
import type { RolloutData } from "./data";
import { metricsOf } from "./looks";

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

/** Seconds that the present step's clock has run. It stands still while the rollout is paused. */
export function elapsedOf({ rollout, timeline }: RolloutData, now: number): number {
  if (!rollout.stage_since) return 0;
  const paused = rollout.phase === "paused" ? timeline.pauses[timeline.pauses.length - 1]?.start : undefined;
  const end = timeline.end ?? paused ?? now;
  return Math.max(0, (end - Date.parse(rollout.stage_since)) / 1000);
}

export function outlookOf(data: RolloutData, now: number): Outlook {
  const { rollout } = data;
  const words = t().next;
  const elapsed = elapsedOf(data, now);
  const nothing = { deadline: null, stepEnds: null, promoted: null, elapsed, pace: 0 };
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
  const stages = rollout.plan?.stages ?? [];
  const stage = stages[rollout.stage - 1];
  const following = stages[rollout.stage];
  const share = following ? (following.mirror ? t().ladder.mirror(percent(following.mirror)) : percent(following.weight)) : words.all;
  if (rollout.phase === "awaiting_approval") return { ...nothing, next: words.approval(share) };
  if (!stage || rollout.phase === "shifting") return { ...nothing, next: words.soon(share) };

  const numbers = (rollout.verdict?.numbers ?? {}) as Record<string, unknown>;
  const counted = Number(numbers["stage_requests"] ?? 0);
  const pace = elapsed > 0 ? counted / elapsed : 0;
  const least = Math.max(0, stage.min_requests - counted);
  const unproven = metricsOf(numbers).filter((each) => each.required && each.needed !== 0);
  const needed = unproven.some((each) => each.needed === null) ? null : Math.max(0, ...unproven.map((each) => each.needed!));
  const waits = Math.max(least, needed ?? 0);
  const byTime = now + Math.max(0, stage.min_seconds - elapsed) * 1000;
  const byRequests = waits === 0 ? now : pace > 0 ? now + (waits / pace) * 1000 : null;
  const stepEnds = byRequests === null || (needed === null && unproven.length > 0) ? null : Math.max(byTime, byRequests);
  const remaining = stages.slice(rollout.stage).reduce((sum, each) => sum + each.min_seconds * 1000, 0);
  const approvals = stages.slice(rollout.stage).some((each) => each.approval);
  const promoted = stepEnds === null || approvals ? null : stepEnds + remaining;
  const end = now + Math.max(0, stage.max_seconds - elapsed) * 1000;
  const then = rollout.plan?.on_inconclusive === "rollback" ? words.rollback : rollout.plan?.on_inconclusive === "promote" ? words.promote : words.hold;

  let next: string;
  if (elapsed > stage.max_seconds && rollout.verdict?.kind !== "pass") next = words.held;
  else if (byTime > now && (stepEnds === null || stepEnds <= byTime)) next = words.waits_time(share, when(byTime, now));
  else if (least > 0) next = words.waits_requests(share, count(least));
  else if (waits > 0 && stepEnds !== null) next = words.waits_evidence_eta(share, count(waits), when(stepEnds, now));
  else if (unproven.length > 0) next = words.waits_evidence(share);
  else next = words.soon(share);
  const deadline = rollout.verdict?.kind === "pass" || elapsed > stage.max_seconds ? null : words.at_most(when(end, now), then);
  return { next, deadline, stepEnds, promoted, elapsed, pace };
}
