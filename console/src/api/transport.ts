/**
 * How a request reaches the control API. On a laptop `halftone console` signs it; deployed, the page
 * signs with the credentials of its identity pool. Nothing else of the console knows which.
 */

export interface Surroundings {
  stage: string;
  local: boolean;
  uploads: boolean;
}

export interface Transport {
  readonly surroundings: Surroundings;
  fetch(request: Request): Promise<Response>;
}

/** The page has no session, and can't get one by itself. */
export class SignedOut extends Error {
  constructor(readonly code: "no-session" | "used-key" | "expired") {
    super(code);
  }
}

const KEY = "halftone-session";
const HEADER = "halftone-session";
const TABS = "halftone-tabs";

/** The transport of `halftone console`. Takes the key out of the address before anything else. */
export async function connectLoopback(): Promise<Transport> {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key !== null) history.replaceState(null, "", location.pathname + location.search);
  let secret = key === null ? sessionStorage.getItem(KEY) : null;
  if (key !== null) {
    const body = JSON.stringify({ key });
    const reply = await fetch("/session", { method: "POST", body });
    if (!reply.ok) throw new SignedOut("used-key");
    const granted = (await reply.json()) as Surroundings & { session: string };
    secret = granted.session;
    sessionStorage.setItem(KEY, secret);
  }
  secret ??= await askOtherTabs();
  if (secret === null) throw new SignedOut("no-session");
  const headers = { [HEADER]: secret };
  const reply = await fetch("/session", { headers });
  if (!reply.ok) {
    sessionStorage.removeItem(KEY);
    throw new SignedOut("no-session");
  }
  answerOtherTabs(secret);
  const surroundings = (await reply.json()) as Surroundings;
  return {
    surroundings,
    async fetch(request) {
      request.headers.set(HEADER, headers[HEADER]!);
      const answer = await fetch(request);
      if (answer.status === 401) throw new SignedOut("expired");
      return answer;
    },
  };
}

/** The session of another tab of this origin, so that a link opened in a new tab works. */
function askOtherTabs(): Promise<string | null> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(TABS);
    const end = (secret: string | null) => {
      channel.close();
      if (secret !== null) sessionStorage.setItem(KEY, secret);
      resolve(secret);
    };
    const timer = setTimeout(() => end(null), 300);
    channel.onmessage = ({ data }) => {
      if (typeof data?.secret !== "string") return;
      clearTimeout(timer);
      end(data.secret);
    };
    channel.postMessage({ ask: true });
  });
}

function answerOtherTabs(secret: string): void {
  const channel = new BroadcastChannel(TABS);
  channel.onmessage = ({ data }) => {
    if (data?.ask === true) channel.postMessage({ secret });
  };
}
