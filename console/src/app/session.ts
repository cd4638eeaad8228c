/** Who is signed in, and whether anybody is. */
import { signal } from "@preact/signals";
import { answered, api, type Schemas } from "../api/client";
import type { SignedOut } from "../api/transport";

export const signedOut = signal<SignedOut["code"] | null>(null);
export const me = signal<Schemas["Me"] | null>(null);

export async function loadMe(): Promise<void> {
  me.value = await answered(api().GET("/v1/me"));
}

/** A principal as people call it: the name at the end of its ARN. */
export function personOf(actor: string | null | undefined): string {
  if (!actor) return "";
  const session = /assumed-role\/([^/]+)\/(.+)$/.exec(actor);
  if (session) return session[1]!;
  return actor.replace(/^arn:[^:]*:[^:]*:[^:]*:[^:]*:(role|user|federated-user)\//, "").replace(/^.*\//, "");
}
