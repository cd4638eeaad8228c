import { expect, test } from "vitest";
import type { Schemas } from "../src/api/client";
import { timelineOf } from "../src/rollout/timeline";

const NOW = Date.parse("2026-01-01T12:00:00Z");

function record(seq: number, minute: number, after: Record<string, unknown>): Schemas["AuditRecord"] {
  const at = new Date(NOW + minute * 60_000).toISOString();
  return { endpoint: "e", seq, at, actor: "halftone", action: "a", before: {}, after, reason: "", numbers: {}, previous: "", hash: "" } as never;
}

test("pauses end where the phase changes, or now", () => {
  const records = [
    record(1, 0, { rollout: "r", phase: "observing", share: 5 }),
    record(2, 1, { rollout: "r", phase: "paused", share: 5 }),
    record(3, 2, { rollout: "r", phase: "paused", share: 5 }),
    record(4, 3, { rollout: "r", phase: "observing", share: 5 }),
    record(5, 4, { rollout: "r", phase: "paused", share: 5 }),
  ];
  const { pauses, end } = timelineOf(records, "r", NOW + 300_000);
  expect(pauses).toEqual([
    { start: NOW + 60_000, end: NOW + 180_000 },
    { start: NOW + 240_000, end: NOW + 300_000 },
  ]);
  expect(end).toBeNull();
});

test("what comes after the end, and other rollouts, are no part of it", () => {
  const records = [
    record(1, 0, { rollout: "old", phase: "promoted", share: 100 }),
    record(2, 1, { rollout: "r", phase: "observing", share: 5 }),
    record(3, 2, { rollout: "r", phase: "rolled_back", share: 0 }),
    record(4, 3, { rollout: "r", phase: "rolled_back", share: 0 }),
  ];
  const { acts, end } = timelineOf(records, "r", NOW);
  expect(acts.map((each) => each.seq)).toEqual([2, 3]);
  expect(end).toBe(NOW + 120_000);
});
