/** The typed client: paths, parameters and bodies are those of docs/openapi.json. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";
import { conditional } from "./conditional";
import { Problem, problemOf } from "./problem";
import type { Transport } from "./transport";

export type Schemas = components["schemas"];
export type Client = ReturnType<typeof createClient<paths>>;

let current: { client: Client; transport: Transport } | null = null;

export function connect(bare: Transport): void {
  const transport = conditional(bare);
  const client = createClient<paths>({
    baseUrl: location.origin,
    fetch: (request: Request) => transport.fetch(request),
  });
  current = { client, transport };
}

export function api(): Client {
  if (current === null) throw new Error("no transport yet");
  return current.client;
}

export function surroundings() {
  return current?.transport.surroundings ?? { stage: "", local: false, uploads: false };
}

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What a request answered. Throws a `Problem` where it was refused or nobody answered. */
export async function answered<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  return (await answeredWhole(outcome)).data;
}

export async function answeredWhole<T>(
  outcome: Promise<Outcome<T>>,
): Promise<{ data: T; response: Response }> {
  let reply: Outcome<T>;
  try {
    reply = await outcome;
  } catch (error) {
    if (error instanceof TypeError) throw Problem.unreachable();
    throw error;
  }
  if (!reply.response.ok) throw problemOf(reply.response, reply.error);
  return { data: reply.data as T, response: reply.response };
}

/** A raw GET for what is no JSON document: exports and downloads. */
export async function text(path: string): Promise<{ body: string; headers: Headers }> {
  const reply = await send(new Request(location.origin + path));
  return { body: await reply.text(), headers: reply.headers };
}

/** Puts a file where an upload's answer gives leave to. */
export async function put(url: string, headers: Record<string, string>, body: Blob): Promise<void> {
  await send(new Request(new URL(url, location.origin), { method: "PUT", headers, body }));
}

async function send(request: Request): Promise<Response> {
  if (current === null) throw new Error("no transport yet");
  let reply: Response;
  try {
    reply = await current.transport.fetch(request);
  } catch (error) {
    if (error instanceof TypeError) throw Problem.unreachable();
    throw error;
  }
  if (!reply.ok) throw problemOf(reply, await reply.json().catch(() => null));
  return reply;
}

/** The key of one decision: said again with it, nothing is done twice. */
export function newKey(): string {
  return `console-${crypto.randomUUID()}`;
}
