/** chain.ndjson holds records as `GET …/audit/export` writes them, sealed by halftone.domain.audit. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { verify } from "../src/pages/chain";

const LINES = readFileSync(new URL("chain.ndjson", import.meta.url), "utf8").trim().split("\n");

test("a chain that Python sealed verifies here, whatever its numbers and letters", async () => {
  const { records, head, brokenAt } = await verify(LINES);
  expect({ records, brokenAt }).toEqual({ records: 3, brokenAt: null });
  expect(LINES[2]).toContain(head);
});

test("it goes on where it stopped", async () => {
  const first = await verify(LINES.slice(0, 1));
  expect((await verify(LINES.slice(1), first)).records).toBe(3);
});

test.each([
  ["a reason", (lines: string[]) => [lines[0]!, lines[1]!.replace('"why"', '"because"'), lines[2]!], 2],
  ["a number's text", (lines: string[]) => [lines[0]!.replace('"a":5.0', '"a":5'), ...lines.slice(1)], 1],
  ["a record that is gone", (lines: string[]) => [lines[0]!, lines[2]!], 2],
  ["two that changed places", (lines: string[]) => [lines[1]!, lines[0]!, lines[2]!], 1],
])("%s breaks it there", async (_, change, at) => {
  expect((await verify(change(LINES))).brokenAt).toBe(at);
});
