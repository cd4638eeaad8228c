/** Who may press which button now, and if not, the reason code that the page puts into words. */
import { me } from "../app/session";
import { t } from "../text/t";
import type { RolloutData } from "./data";

export type Operation = "rollback" | "pause" | "resume" | "approve" | "reject" | "promote";
export type Refusal =
  | { code: "role"; role: string; group: string }
  | { code: "phase"; phase: RolloutData["rollout"]["phase"] }
  | { code: "over" | "started" | "no_traffic" | "nothing_serves" | "under_way" | "unknown" };

const ROLES: Record<"operate" | "approve" | "release", readonly string[]> = {
  operate: ["releaser", "approver", "admin"],
  approve: ["approver", "admin"],
  release: ["releaser", "admin"],
};

/** Why the signed-in person lacks a right on what `owner` owns; null if there is nothing in the way. */
export function lacks(action: keyof typeof ROLES, owner: string | null | undefined): Refusal | null {
  if (!owner || me.value === null) return null;
  const mine = [...(me.value.roles[owner] ?? []), ...(me.value.roles["all"] ?? [])];
  if (mine.some((role) => ROLES[action].includes(role))) return null;
  return { code: "role", role: ROLES[action][0]!, group: owner };
}

/** Why the API would refuse an operation now; null if it would not. */
export function refusal(operation: Operation, { rollout }: RolloutData): Refusal | null {
  const permission = rollout.may[operation === "rollback" ? "abort" : operation];
  if (!permission || permission.allowed) return null;
  if (permission.why === "role") return { code: "role", role: permission.roles[0] ?? "admin", group: permission.group ?? "all" };
  if (permission.why === "phase") return { code: "phase", phase: rollout.phase };
  return { code: permission.why ?? "unknown" };
}

export function inWords(refused: Refusal): string {
  const words = t().act.not;
  if (refused.code === "role") return words.role(t().roles[refused.role] ?? refused.role, refused.group);
  if (refused.code === "phase") return words.phase(t().phase[refused.phase]);
  return words[refused.code] ?? words.unknown;
}
