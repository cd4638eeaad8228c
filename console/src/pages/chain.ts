/**
 * The audit's hash chain, verified in this browser: each record's SHA-256 over the canonical JSON of
 * all its other fields, as Python's `json.dumps(sort_keys=True, separators=(",", ":"))` writes it.
 * 5.0 and 5 are two different records there, so numbers are read as their text.
 */

class Raw {
  constructor(readonly text: string) {}
}

type Json = string | Raw | null | boolean | Json[] | { [name: string]: Json };

const TOKEN = /\s*(?:([[\]{}:,])|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;

/** JSON with numbers as their text. */
export function parse(text: string): Json {
  let at = 0;
  function token(): RegExpExecArray {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) throw new SyntaxError(`no JSON at ${at}`);
    at = TOKEN.lastIndex;
    return found;
  }
  function value(found = token()): Json {
    if (found[2] !== undefined) return JSON.parse(`"${found[2]}"`) as string;
    if (found[3] !== undefined) return new Raw(found[3]);
    if (found[4] !== undefined) return JSON.parse(found[4]) as boolean | null;
    const closing = found[1] === "[" ? "]" : "}";
    const list: Json[] = [];
    const object: { [name: string]: Json } = Object.create(null) as { [name: string]: Json };
    for (let first = token(); first[1] !== closing; first = token()) {
      const item = first[1] === "," ? token() : first;
      if (closing === "]") list.push(value(item));
      else {
        token(); // the colon
        object[JSON.parse(`"${item[2]!}"`) as string] = value();
      }
    }
    return closing === "]" ? list : object;
  }
  return value();
}

/** A number's text as Python writes it: floats keep their point, and have an exponent below 1e-4 and from 1e16 on. */
function python(text: string): string {
  if (!/[.eE]/.test(text)) return text;
  const value = Number(text);
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

export function canonical(value: Json): string {
  if (value instanceof Raw) return python(value.text);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((each) => each.toString(16).padStart(2, "0")).join("");
}

export interface Chain {
  records: number;
  head: string;
  /** The number of the first record that does not fit; null if all do. */
  brokenAt: number | null;
}

export const GENESIS = "0".repeat(64);

/** Continues a chain by lines of JSON, one record each. */
export async function verify(lines: readonly string[], before: Chain = { records: 0, head: GENESIS, brokenAt: null }): Promise<Chain> {
  let { records, head } = before;
  for (const text of lines) {
    const { hash, ...rest } = parse(text) as { [name: string]: Json };
    const seq = Number((rest["seq"] as Raw).text);
    const fits = seq === records + 1 && rest["previous"] === head && hash === (await sha256(canonical(rest)));
    if (!fits) return { records, head, brokenAt: records + 1 };
    records = seq;
    head = hash as string;
  }
  return { records, head, brokenAt: null };
}
