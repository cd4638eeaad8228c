/** Errors of the control API (RFC 9457), as the console shows them: field, value, remedy. */

export type ProblemKind =
  | "unreachable"
  | "throttled"
  | "forbidden"
  | "conflict"
  | "outdated"
  | "missing"
  | "invalid"
  | "fault";

export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    readonly status: number,
    readonly detail: string,
    readonly fields: readonly { field: string; value: string; expected: string }[] = [],
    readonly wait = 0,
  ) {
    super(detail || kind);
  }

  static unreachable(): Problem {
    return new Problem("unreachable", 0, "");
  }
}

const KINDS: Record<number, ProblemKind> = {
  400: "invalid",
  403: "forbidden",
  404: "missing",
  409: "conflict",
  412: "outdated",
  413: "invalid",
  415: "invalid",
  422: "invalid",
  428: "invalid",
  429: "throttled",
  503: "unreachable",
};

export function problemOf(response: Response, body: unknown): Problem {
  const document = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const kind = KINDS[response.status] ?? "fault";
  const wait = Number(response.headers.get("retry-after") ?? 0) || 0;
  const detail = typeof document["detail"] === "string" ? document["detail"] : "";
  return new Problem(kind, response.status, detail, fieldsOf(document), wait);
}

function fieldsOf(document: Record<string, unknown>): { field: string; value: string; expected: string }[] {
  const errors = Array.isArray(document["errors"]) ? document["errors"] : [document];
  return errors.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { field, value, expected } = entry as Record<string, unknown>;
    if (typeof field !== "string") return [];
    const shown = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
    return [{ field, value: shown, expected: typeof expected === "string" ? expected : "" }];
  });
}
