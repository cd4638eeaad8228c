/** Conditional requests: a GET whose answer has an ETag asks next time only for what is new. */
import type { Transport } from "./transport";

const MOST = 200;

interface Kept {
  etag: string;
  body: string;
  headers: Headers;
}

export function conditional(transport: Transport): Transport {
  const kept = new Map<string, Kept>();
  return {
    surroundings: transport.surroundings,
    async fetch(request) {
      if (request.method !== "GET") return transport.fetch(request);
      const before = kept.get(request.url);
      if (before) request.headers.set("if-none-match", before.etag);
      const reply = await transport.fetch(request);
      if (reply.status === 304 && before) {
        return new Response(before.body, { status: 200, headers: before.headers });
      }
      const etag = reply.headers.get("etag");
      if (reply.status !== 200 || etag === null) return reply;
      const body = await reply.text();
      if (kept.size >= MOST) kept.delete(kept.keys().next().value!);
      kept.delete(request.url);
      kept.set(request.url, { etag, body, headers: reply.headers });
      return new Response(body, { status: 200, headers: reply.headers });
    },
  };
}
