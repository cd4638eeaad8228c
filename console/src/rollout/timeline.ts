/** What the audit tells of one rollout: its shares over time, its pauses, and who did what. */
import type { Schemas } from "../api/client";

export type Phase = Schemas["Phase"];

export interface Act {
  at: number;
  seq: number;
  action: string;
  actor: string;
  reason: string;
  share: number;
  phase: Phase;
}

export interface Timeline {
  acts: readonly Act[];
  shares: readonly { at: number; share: number; mirror: number; phase: Phase; stage: number }[];
  pauses: readonly { start: number; end: number }[];
  start: number;
  end: number | null;
}

const FINAL: readonly Phase[] = ["promoted", "rolled_back", "failed"];

/** `records` oldest first; those of other rollouts are left out. */
export function timelineOf(records: readonly Schemas["AuditRecord"][], id: string, now: number): Timeline {
  const acts: Act[] = [];
  const shares: Timeline["shares"][number][] = [];
  const pauses: { start: number; end: number }[] = [];
  let paused: number | null = null;
  let end: number | null = null;
  for (const record of records) {
    const after = record.after as Record<string, unknown>;
    if (after["rollout"] !== id || end !== null) continue;
    const at = Date.parse(record.at);
    const phase = after["phase"] as Phase;
    const share = Number(after["share"] ?? 0);
    acts.push({ at, seq: record.seq, action: record.action, actor: record.actor, reason: record.reason, share, phase });
    shares.push({ at, share, mirror: Number(after["mirror"] ?? 0), phase, stage: Number(after["stage"] ?? -1) });
    if (phase === "paused") paused ??= at;
    else if (paused !== null) {
      pauses.push({ start: paused, end: at });
      paused = null;
    }
    if (FINAL.includes(phase)) end = at;
  }
  if (paused !== null) pauses.push({ start: paused, end: now });
  return { acts, shares, pauses, start: acts[0]?.at ?? now, end };
}

export const isFinal = (phase: Phase): boolean => FINAL.includes(phase);

/** Whether a person did it, and not the engine by itself. */
export const byPerson = (actor: string): boolean => actor.startsWith("arn:") || actor.startsWith("local/");
